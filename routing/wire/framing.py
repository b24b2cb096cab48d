"""Byte streams cut anywhere → lines, and lines → the data of server-sent events."""

from collections.abc import Iterator

from routing.errors import UpstreamError

LINE_LIMIT = 1 << 20  # bytes; a longer line is a broken or hostile server, not an answer


class BadFrame(UpstreamError):
    """The provider sent something its own format does not allow."""

    detail = "The model's server sent an answer that cannot be read."


class Lines:
    """Splits at `\\n` and drops a `\\r` before it. A last line without an end comes out of `rest`."""

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._pending = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        *lines, pending = (self._pending + data if self._pending else data).split(b"\n")
        self._pending = pending
        for line in lines:
            self._check(line)
            yield line[:-1] if line.endswith(b"\r") else line
        self._check(pending)

    def rest(self) -> bytes:
        rest, self._pending = self._pending, b""
        return rest.rstrip(b"\r")

    def _check(self, line: bytes) -> None:
        if len(line) > self._limit:
            self._pending = b""
            raise BadFrame("The model's server sent a line without end.")


class ServerSentEvents:
    """The `data` of each event (WHATWG HTML, 9.2); other fields and comments are dropped."""

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._lines = Lines(limit)
        self._limit = limit
        self._data: list[bytes] = []

    def feed(self, data: bytes) -> Iterator[bytes]:
        for line in self._lines.feed(data):
            yield from self._take(line)

    def rest(self) -> Iterator[bytes]:
        """What a server left that did not end its last event with an empty line."""
        yield from self._take(self._lines.rest())
        yield from self._take(b"")

    def _take(self, line: bytes) -> Iterator[bytes]:
        if not line:
            if self._data:
                data, self._data = b"\n".join(self._data), []
                yield data
        elif line.startswith(b"data:"):
            self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
            if sum(map(len, self._data)) > self._limit:
                raise BadFrame("The model's server sent an event without end.")
