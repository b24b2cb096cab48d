"""Files into text, in a process of their own.

`run.parse` is the only entrance for the rest of the product. Nothing in this package imports Django: the
worker process that reads a stranger's file holds no settings, no secrets and no database connection.
"""
