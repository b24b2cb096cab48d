"""How much a request may carry, decided before anybody reads it.

Django keeps a whole body on disk before the first line of a view runs, signed in or not.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from panal.kit.errors import PanalError
from panal.problems import CONTENT_TYPE, problem

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[..., Awaitable[None]]

MIB = 1024 * 1024
LIMIT = 4 * MIB
# Where files arrive: one with the marks around it or 500 texts, and the several of one form.
UPLOADS = (("/api/knowledge-bases/", "/documents/", 64 * MIB), ("/console/knowledge/", "/upload/", 256 * MIB))
# A client that is still sending cannot read why it was refused: so much more is read and dropped.
DRAIN = 128 * MIB


class BodyTooLarge(PanalError):
    code = "request_too_large"
    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request is larger than {limit // MIB} MiB.")


def limit_of(path: str) -> int:
    for start, end, limit in UPLOADS:
        if path.startswith(start) and path.endswith(end):
            return limit
    return LIMIT


def _declared(scope: dict[str, Any]) -> int:
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(length) if length.isdigit() and len(length) < 19 else 0


async def _refuse(receive: Receive, send: Send, *, limit: int, more: bool) -> None:
    dropped = 0
    while more and dropped <= DRAIN:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        dropped, more = dropped + len(message.get("body", b"")), message.get("more_body", False)
    error = BodyTooLarge(limit)
    body = orjson.dumps(problem(code=error.code, status=error.status, detail=error.detail))
    headers = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def limited(application: Application, scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Run `application` with a body of at most `limit_of` bytes; a larger one is a 413 it never hears of."""
    limit = limit_of(scope["path"])
    if _declared(scope) > limit:
        await _refuse(receive, send, limit=limit, more=True)
        return
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if message["type"] == "http.request" and size > limit:
            await _refuse(receive, send, limit=limit, more=message.get("more_body", False))
            return {"type": "http.disconnect"}
        return message

    await application(scope, counted, send)
