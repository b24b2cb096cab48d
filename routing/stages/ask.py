"""The innermost stage: asks the chosen candidate, a provider or a built-in model."""

from contextlib import aclosing

from routing import builtin, metrics, upstream
from routing.pipeline import Call, Stream


async def ask(call: Call) -> Stream:
    offer, request = call.offer, call.request
    if offer.endpoint is None:
        stream = builtin.stream(request, offer.card)
    else:
        stream = upstream.stream(request, offer.card, offer.endpoint)
    demand = metrics.pool_demand.labels(offer.card.pool)
    demand.inc()
    try:
        async with aclosing(stream) as events:
            async for event in events:
                yield event
    finally:
        demand.dec()
