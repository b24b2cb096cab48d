"""Chooses who answers and says so before the provider is called."""

from contextlib import aclosing

from routing import catalog
from routing.errors import ModelNotFound
from routing.pipeline import Call, Proceed, Stream
from routing.policy import Plan, plan
from routing.tokens import prompt_tokens
from routing.vocabulary import Request, Routed


async def planned(request: Request) -> Plan:
    needed = prompt_tokens(request.messages, request.prefix)
    try:
        return plan(request.model, await catalog.aoffers_for(request.scope), prompt_tokens=needed)
    except ModelNotFound:
        # It may have been added a moment ago in another process.
        return plan(request.model, await catalog.recheck(request.scope), prompt_tokens=needed)


async def route(call: Call, proceed: Proceed) -> Stream:
    chosen = await planned(call.request)
    call.candidates, call.reason, call.attempts = chosen.offers, chosen.reason, 1
    card = call.offer.card
    yield Routed(card.name, card.pool, card.tier, card.provider, call.reason, call.attempts)
    async with aclosing(proceed(call)) as events:
        async for event in events:
            yield event
