"""Which models may answer a request, in which order, and why. Pure; the rules of workspaces come on top."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from routing.builtin.mock import is_mock
from routing.errors import ContextTooLong, ModelNotFound, NoCapacity
from routing.offers import EXTRACTIVE, Offer, builtin_card

TIERS = {"auto": "standard", "standard": "standard", "premium": "premium"}
RETRY_SECONDS = 10  # about when the next probe may have found something


@dataclass(frozen=True, slots=True)
class Plan:
    """`offers` in the order to try them; never empty."""

    offers: tuple[Offer, ...]
    reason: str


def plan(model: str, offers: Sequence[Offer], *, prompt_tokens: int) -> Plan:
    """Raises `ModelNotFound`, `NoCapacity` or `ContextTooLong`."""
    chat = [offer for offer in offers if offer.card.kind == "chat"]
    tier = TIERS.get(model)
    if tier is not None:
        candidates, reason = _of_tier(tier, chat)
    else:
        candidates, reason = _by_name(model, chat)
    fitting = tuple(offer for offer in candidates if _fits(offer, prompt_tokens))
    if not fitting:
        largest = max(offer.card.context for offer in candidates)
        raise ContextTooLong(
            f"The messages have about {prompt_tokens} tokens; the model's context window holds {largest}."
        )
    return Plan(fitting, reason)


def _fits(offer: Offer, prompt_tokens: int) -> bool:
    return not offer.card.context or prompt_tokens < offer.card.context


def _price(offer: Offer) -> tuple[Decimal, bool]:
    prices = offer.card.prices
    return prices.input + prices.output, not offer.card.own


def _of_tier(tier: str, chat: list[Offer]) -> tuple[list[Offer], str]:
    connected = [offer for offer in chat if offer.card.tier == tier and not offer.card.builtin]
    available = sorted((offer for offer in connected if offer.card.available), key=_price)
    if available:
        return available, f"{tier}: the cheapest of {len(available)} available {_models(len(available))}"
    if tier == "standard":
        builtin = [offer for offer in chat if offer.card.name == EXTRACTIVE]
        why = "no connected model answers" if connected else "no model is connected"
        if builtin:
            return builtin, f"standard: {why}, so the documents are quoted"
    if connected:
        raise NoCapacity(f"No {tier} model answers right now.", retry_after=RETRY_SECONDS)
    raise NoCapacity(f"No {tier} model is connected.", retry_after=RETRY_SECONDS)


def _models(count: int) -> str:
    return "model" if count == 1 else "models"


def _by_name(name: str, chat: list[Offer]) -> tuple[list[Offer], str]:
    if is_mock(name):
        return [Offer(builtin_card(name))], "asked for by name"
    named = [offer for offer in chat if offer.card.name == name]
    if not named:
        raise ModelNotFound(f"There is no chat model named {name[:100]!r} here.")
    available = sorted((offer for offer in named if offer.card.available), key=_price)
    if not available:
        raise NoCapacity(f"{name} cannot answer: {named[0].card.reason}.", retry_after=RETRY_SECONDS)
    return available, "asked for by name"
