"""`POST /v1/chat/completions`, streamed and whole, over the gateway every other prompt takes."""

from contextlib import aclosing

from panal.kit.errors import PanalError
from panal.kit.ids import uuid7
from routing import gateway, metrics
from routing.dataplane.errors import Defect, ServerLeaving, body_of
from routing.dataplane.http import ClientGone, Exchange, Headers, header_value, watching
from routing.dataplane.parsing import Asked, parse
from routing.dataplane.shapes import DONE, Chunks, Whole, error_event
from routing.gateway import Generation
from routing.pipeline import CONTENT
from routing.vocabulary import Event, Finished, Routed
from tenants.actors import Actor
from tenants.policy import Action, require

EVENT_STREAM = b"text/event-stream; charset=utf-8"


async def chat_completions(exchange: Exchange, actor: Actor) -> None:
    require(actor, Action.CHAT)
    request_id = uuid7()
    exchange.reply_headers.append((b"x-panal-request-id", str(request_id).encode()))
    asked = parse(await exchange.json(), actor=actor, request_id=request_id)
    metrics.cache_requests.labels("miss").inc()
    async with aclosing(gateway.start(asked.request)) as generation:
        watcher = watching(exchange, generation.aclose)
        try:
            await (_streamed if asked.stream else _whole)(exchange, asked, generation)
        finally:
            left = watcher.done()
            watcher.cancel()
    if left:
        raise ClientGone


def _headers(routed: Routed) -> Headers:
    return [
        (b"x-panal-model", header_value(routed.model)),
        (b"x-panal-pool", header_value(routed.pool)),
        (b"x-panal-route", header_value(routed.reason)),
        (b"x-panal-attempts", str(routed.attempts).encode()),
        (b"x-panal-cache", b"miss"),
    ]


async def _opening(generation: Generation) -> tuple[Routed, Event]:
    """Where the request went and the first event of the answer: an error until then is a plain HTTP error."""
    routed: Routed | None = None
    async for event in generation:
        if isinstance(event, Routed):
            routed = event
        elif routed is not None:
            return routed, event
    raise ServerLeaving  # ended without an answer: stopped from outside


async def _whole(exchange: Exchange, asked: Asked, generation: Generation) -> None:
    routed, first = await _opening(generation)
    whole = Whole()
    if isinstance(first, CONTENT):
        whole.add(first)
    async for event in generation:
        if isinstance(event, CONTENT):
            whole.add(event)
        elif isinstance(event, Routed):
            routed = event
    receipt = generation.receipt
    if receipt is None or receipt.finish in {"stopped", "interrupted"}:
        raise ServerLeaving
    cost = (b"x-panal-cost-usd", f"{receipt.cost_usd:f}".encode())
    await exchange.reply(200, whole.body(asked.request.id, receipt), [*_headers(routed), cost])


async def _streamed(exchange: Exchange, asked: Asked, generation: Generation) -> None:
    routed, first = await _opening(generation)
    chunks = Chunks(asked.request.id, routed, include_usage=asked.include_usage)
    await exchange.start(200, EVENT_STREAM, [*_headers(routed), (b"x-accel-buffering", b"no")])
    await exchange.write(chunks.opening())
    try:
        finished = await _relay(exchange, chunks, first, generation)
    except PanalError as error:
        await exchange.write(error_event(body_of(error)), more=False)
        return
    except Exception:  # logged by the gateway; the client must not take the rest for an answer
        await exchange.write(error_event(body_of(Defect())), more=False)
        return
    if finished is None:
        await exchange.write(error_event(body_of(ServerLeaving())), more=False)
        return
    ending = chunks.finish(finished.finish)
    if asked.include_usage and generation.receipt is not None:
        ending += chunks.usage(generation.receipt.usage)
    await exchange.write(ending + DONE, more=False)


async def _relay(exchange: Exchange, chunks: Chunks, first: Event, generation: Generation) -> Finished | None:
    """Sends content as it comes; answers how it finished, or None when it was stopped from outside."""
    finished = first if isinstance(first, Finished) else None
    if isinstance(first, CONTENT):
        await exchange.write(chunks.content(first))
    async for event in generation:
        if isinstance(event, CONTENT):
            await exchange.write(chunks.content(event))
        elif isinstance(event, Finished):
            finished = event
    return finished
