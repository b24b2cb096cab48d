"""A turn: one answer being written, whoever looks on.

`producer` writes it, `log` keeps its frames in a Redis stream, `feeds` hands them to the sockets of this process,
`leases` say which process writes it, `rescue` continues what a dead process left, `bus` carries stops and notices.
"""
