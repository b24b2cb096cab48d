"""Reads: the models a scope may ask, and which of them would answer."""

from routing import catalog
from routing.errors import ModelNotFound
from routing.policy import Plan, plan
from routing.vocabulary import ModelCard
from tenants.scope import Scope


def models_visible(*, scope: Scope, kind: str | None = None) -> list[ModelCard]:
    """Cards of every model the scope may ask, its own first, then the platform's and the built-in ones."""
    return [card for card in catalog.models_for(scope) if kind is None or card.kind == kind]


async def aplan_for(*, scope: Scope, model: str, prompt_tokens: int) -> Plan:
    """Who would answer now. Raises `ModelNotFound`, `NoCapacity` or `ContextTooLong`."""
    try:
        return plan(model, await catalog.aoffers_for(scope), prompt_tokens=prompt_tokens)
    except ModelNotFound:
        # It may have been added a moment ago in another process.
        return plan(model, await catalog.recheck(scope), prompt_tokens=prompt_tokens)
