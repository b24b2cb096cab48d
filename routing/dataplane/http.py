"""Just enough HTTP over ASGI: read a bounded body, answer JSON, stream events, notice that the client left."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from panal.kit.errors import PanalError
from routing.dataplane.errors import BadJson, BodyTooLarge, body_of
from routing.vocabulary import Json

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MAX_BODY = 10 << 20  # bytes
# A client that is still sending cannot read why it was refused, so the rest is read and dropped, up to this.
DRAIN_LIMIT = 128 << 20


class ClientGone(Exception):
    """The client closed the connection; there is nobody to answer."""


def header_value(text: str) -> bytes:
    """Printable ASCII only: names from providers may hold anything."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)[:500].encode()


class Exchange:
    """One HTTP request and its answer."""

    def __init__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.receive, self.send = receive, send
        self.started = False
        self.reply_headers: Headers = []

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")

    async def body(self) -> bytes:
        """Raises `BodyTooLarge` or `ClientGone`."""
        pieces: list[bytes] = []
        size, more = 0, True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            piece = message.get("body", b"")
            size, more = size + len(piece), message.get("more_body", False)
            if size <= MAX_BODY:
                pieces.append(piece)
            elif size > DRAIN_LIMIT:
                break
        if size > MAX_BODY:
            raise BodyTooLarge
        return b"".join(pieces)

    async def json(self) -> Json:
        data = await self.body()
        try:
            parsed = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise BadJson from error
        if not isinstance(parsed, dict):
            raise BadJson
        return parsed

    async def gone(self) -> None:
        """Returns when the client has closed the connection. Only after the body was read."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def start(self, status: int, content_type: bytes, extra: Headers) -> None:
        self.started = True
        headers = [
            (b"content-type", content_type),
            (b"cache-control", b"no-store"),
            *self.reply_headers,
            *extra,
        ]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes, *, more: bool = True) -> None:
        await self.send({"type": "http.response.body", "body": data, "more_body": more})

    async def reply(self, status: int, body: Any, extra: Headers | None = None) -> None:
        data = orjson.dumps(body)
        length = (b"content-length", str(len(data)).encode())
        await self.start(status, b"application/json", [length, *(extra or [])])
        await self.write(data, more=False)

    async def fail(self, error: PanalError) -> None:
        extra: Headers = []
        if error.retry_after:
            extra.append((b"retry-after", str(error.retry_after).encode()))
        if error.status == 401:
            extra.append((b"www-authenticate", b"Bearer"))
        await self.reply(error.status, body_of(error), extra)


async def until_gone(exchange: Exchange, stop: Callable[[], Awaitable[None]]) -> None:
    """When the client leaves, `stop`. Runs beside the answer and is cancelled at its end."""
    await exchange.gone()
    await stop()


def watching(exchange: Exchange, stop: Callable[[], Awaitable[None]]) -> "asyncio.Task[None]":
    return asyncio.create_task(until_gone(exchange, stop))
