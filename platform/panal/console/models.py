"""Models and pools: what the workspace may ask, whether it answers now, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from routing.catalog import offers_for
from routing.policy import plan
from routing.vocabulary import ModelCard
from tenants.policy import Action
from tenants.web import actor_of, policy_required

POOLS = {
    "cpu": ("CPU pool", "Your own Ollama servers without graphics cards"),
    "gpu": ("GPU pool", "Your own Ollama servers with graphics cards"),
    "external": ("External providers", "Models of other companies, asked with your key"),
    "builtin": ("Built in", "Answers from your documents, with nothing connected"),
}


@dataclass(frozen=True, slots=True)
class Pool:
    key: str
    name: str
    about: str
    models: int
    available: int
    reason: str  # why nothing answers, when nothing does

    @property
    def state(self) -> str:
        """`live`, `partly`, `down`, or `none` where nothing is connected."""
        if not self.models:
            return "none"
        if not self.available:
            return "down"
        return "live" if self.available == self.models else "partly"


def pools_of(cards: Sequence[ModelCard]) -> list[Pool]:
    pools = []
    for key, (name, about) in POOLS.items():
        inside = [card for card in cards if card.pool == key]
        reason = next((card.reason for card in inside if not card.available), "")
        pools.append(Pool(key, name, about, len(inside), sum(card.available for card in inside), reason))
    return pools


def connected(cards: Sequence[ModelCard]) -> bool:
    """Whether there is any model besides the built-in ones."""
    return any(not card.builtin for card in cards)


def _context(request: HttpRequest) -> dict[str, object]:
    offers = offers_for(actor_of(request).scope)
    cards = [offer.card for offer in offers]
    auto = plan("auto", offers, prompt_tokens=0)
    return {
        "models": sorted(cards, key=lambda card: (card.builtin, not card.available, card.tier, card.name)),
        "pools": pools_of(cards),
        "connected": connected(cards),
        "picked": auto.offers[0].card,
        "picked_why": auto.reason,
    }


@require_http_methods(["GET", "HEAD"])
@policy_required(Action.MODELS_READ)
def models(request: HttpRequest) -> HttpResponse:
    return render(request, "console/models.html", _context(request))


@require_http_methods(["GET", "HEAD"])
@policy_required(Action.MODELS_READ)
def models_live(request: HttpRequest) -> HttpResponse:
    """The same table alone, which the page asks for every few seconds."""
    return render(request, "console/_models.html", _context(request))
