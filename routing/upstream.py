"""One call of one provider over HTTP: bytes in, events out, every wait under a deadline."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx

from routing import transport
from routing.deadlines import deadlines
from routing.errors import BadRequest, UpstreamError, UpstreamTimeout
from routing.offers import Endpoint
from routing.vocabulary import ModelCard, Request, WireEvent
from routing.wire import WIRES, Decoder, HttpCall, Target

ERROR_BODY_LIMIT = 64 << 10  # bytes of an error answer worth reading
DRAIN_SECONDS = 0.2  # for the end of a body after the format's own end mark, so that the connection is kept


class Clock:
    """The moment the next bytes are due: `first_token` until some came, then `between_tokens`, never past `total`."""

    def __init__(self) -> None:
        self._limits = deadlines()
        self._end = time.monotonic() + self._limits.total
        self._gap = self._limits.first_token

    def started(self) -> None:
        self._gap = self._limits.between_tokens

    def seconds(self) -> float:
        return min(self._gap, self._end - time.monotonic())


@contextmanager
def _typed() -> Iterator[None]:
    """Failures of the connection as our own errors; an address or a key is never part of them."""
    try:
        yield
    except (TimeoutError, httpx.TimeoutException) as error:
        raise UpstreamTimeout from error
    except (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
        raise UpstreamError("The model's server cannot be reached.") from error
    except httpx.HTTPError as error:
        raise UpstreamError("The connection to the model's server broke.") from error


@asynccontextmanager
async def _opened(endpoint: Endpoint, call: HttpCall, clock: Clock) -> AsyncIterator[httpx.Response]:
    http = transport.client()
    headers = {"accept-encoding": "identity", **call.headers}
    with _typed():
        request = http.build_request(
            call.method, endpoint.base_url + call.path, headers=headers, content=call.body
        )
        async with asyncio.timeout(clock.seconds()):
            response = await http.send(request, stream=True)
    try:
        yield response
    finally:
        await response.aclose()


async def _error_body(response: httpx.Response, clock: Clock) -> bytes:
    body = b""
    with _typed():
        async with asyncio.timeout(min(clock.seconds(), 5)):
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > ERROR_BODY_LIMIT:
                    break
    return body


async def _next(pieces: AsyncIterator[bytes], seconds: float) -> bytes | None:
    with _typed():
        async with asyncio.timeout(seconds):
            return await anext(pieces, None)


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    try:
        while await _next(pieces, DRAIN_SECONDS) is not None:
            pass
    except (UpstreamError, UpstreamTimeout):
        pass  # the answer is whole; only the connection is lost


async def _events(
    response: httpx.Response, decoder: Decoder, clock: Clock
) -> AsyncGenerator[WireEvent, None]:
    pieces = response.aiter_raw()
    while not decoder.ended:
        piece = await _next(pieces, clock.seconds())
        if piece is None:
            for event in decoder.close():
                yield event
            return
        for event in decoder.feed(piece):
            clock.started()
            yield event
    await _drain(pieces)


async def stream(request: Request, card: ModelCard, endpoint: Endpoint) -> AsyncGenerator[WireEvent, None]:
    """The events of one answer. Raises a `PanalError`; closing it closes the connection to the provider."""
    wire = WIRES[endpoint.wire]
    try:
        call = wire.request(request, Target(card.name, card.context, endpoint.key))
    except TypeError as error:  # orjson refuses what is nested beyond all use
        raise BadRequest("The request is nested too deeply.") from error
    clock = Clock()
    async with _opened(endpoint, call, clock) as response:
        if response.status_code != 200:
            body = await _error_body(response, clock)
            raise wire.failure(response.status_code, response.headers.get("retry-after"), body)
        async for event in _events(response, wire.decoder(), clock):
            yield event
