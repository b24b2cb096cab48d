"""Chooses who answers and says so before the provider is called."""

from contextlib import aclosing

from routing.pipeline import Call, Proceed, Stream
from routing.selectors import aplan_for
from routing.tokens import prompt_tokens
from routing.vocabulary import Routed


async def route(call: Call, proceed: Proceed) -> Stream:
    request = call.request
    needed = prompt_tokens(request.messages, request.prefix)
    chosen = await aplan_for(scope=request.scope, model=request.model, prompt_tokens=needed)
    call.candidates, call.reason, call.attempts = chosen.offers, chosen.reason, 1
    card = call.offer.card
    yield Routed(card.name, card.pool, card.tier, card.provider, call.reason, call.attempts)
    async with aclosing(proceed(call)) as events:
        async for event in events:
            yield event
