"""`GET /v1/models` and `GET /v1/models/{id}`."""

from routing import catalog
from routing.builtin.mock import is_mock
from routing.dataplane.http import Exchange
from routing.dataplane.shapes import alias_json, list_json, model_json
from routing.errors import ModelNotFound
from routing.offers import builtin_card
from routing.vocabulary import Json, ModelCard
from tenants.actors import Actor
from tenants.policy import Action, require

ALIASES = ("auto", "standard", "premium")


def _entries(cards: list[ModelCard]) -> dict[str, Json]:
    """One entry a name; of several providers of a model an available one speaks for it."""
    named: dict[str, Json] = {name: alias_json(name) for name in ALIASES}
    for card in cards:
        if card.name not in named or (card.available and not named[card.name].get("available")):
            named[card.name] = model_json(card)
    return named


async def list_models(exchange: Exchange, actor: Actor) -> None:
    require(actor, Action.MODELS_READ)
    entries = _entries(await catalog.amodels_for(actor.scope))
    await exchange.reply(200, list_json(list(entries.values())))


async def one_model(exchange: Exchange, actor: Actor, name: str) -> None:
    require(actor, Action.MODELS_READ)
    entries = _entries(await catalog.amodels_for(actor.scope))
    entry = model_json(builtin_card(name)) if is_mock(name) else entries.get(name)
    if entry is None:
        raise ModelNotFound(f"There is no model named {name[:100]!r} here.")
    await exchange.reply(200, entry)
