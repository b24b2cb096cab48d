"""Who may answer, in which order, and why. Pure."""

from decimal import Decimal

import pytest

from billing.vocabulary import Prices
from panal.kit.errors import PanalError
from routing.offers import BUILTIN_OFFERS, Endpoint, Health, Offer, StoredModel, combine
from routing.policy import plan
from routing.vocabulary import ModelCard
from routing.wire import Listed


def offer(
    name, *, tier="standard", price="1", available=True, kind="chat", context=8192, own=False, provider="p"
):
    prices = Prices(input=Decimal(price), output=Decimal(price))
    card = ModelCard(name, kind, tier, "cpu", provider, context, prices, available, "why", own=own)
    return Offer(card, Endpoint("public", provider, "openai", "http://x", "cpu"))


def names(model, *offers, tokens=10):
    return [
        chosen.card.name for chosen in plan(model, [*offers, *BUILTIN_OFFERS], prompt_tokens=tokens).offers
    ]


@pytest.mark.parametrize("model", ["auto", "standard"])
def test_the_cheapest_connected_model_answers(model):
    assert names(model, offer("dear", price="5"), offer("cheap", price="0.1"), offer("big", tier="premium")) == [
        "cheap", "dear",
    ]  # fmt: skip


def test_documents_are_quoted_when_nothing_else_can_answer():
    assert names("auto") == ["panal-extractive"]
    assert names("auto", offer("down", available=False), offer("art", kind="image")) == ["panal-extractive"]
    assert "no model is connected" in plan("auto", BUILTIN_OFFERS, prompt_tokens=1).reason


def test_premium_is_never_replaced_in_silence():
    assert names("premium", offer("small"), offer("big", tier="premium")) == ["big"]
    for offers in ([], [offer("big", tier="premium", available=False)]):
        with pytest.raises(PanalError) as caught:
            names("premium", *offers)
        assert (caught.value.code, caught.value.status, caught.value.retry_after) == ("no_capacity", 503, 10)


def test_by_name():
    down, up = offer("m", price="0", available=False), offer("m", price="3")
    assert plan("m", [down, up], prompt_tokens=1).offers == (up,)
    assert names("mock-len5") == ["mock-len5"]
    with pytest.raises(PanalError) as caught:
        names("m", down)
    assert (caught.value.code, caught.value.detail) == ("no_capacity", "m cannot answer: why.")
    for unknown in ("nobody", "", "mock-len", "assistant:x"):
        with pytest.raises(PanalError) as caught:
            names(unknown, up, offer("embedder", kind="embedding"))
        assert caught.value.code == "model_not_found"
    with pytest.raises(PanalError):
        names("embedder", offer("embedder", kind="embedding"))


def test_an_own_model_goes_before_the_platforms_at_the_same_price():
    assert names("auto", offer("theirs"), offer("ours", own=True)) == ["ours", "theirs"]


def test_only_models_with_room_for_the_prompt():
    assert names(
        "auto", offer("small", price="0", context=100), offer("large", context=1000), tokens=500
    ) == ["large"]
    assert names("x", offer("x", context=0), tokens=10**6) == ["x"]
    with pytest.raises(PanalError) as caught:
        names("x", offer("x", context=100), tokens=500)
    assert (caught.value.code, "100" in caught.value.detail) == ("context_length_exceeded", True)


class TestCombine:
    endpoint = Endpoint("public", "lab", "ollama", "http://x", "cpu", discovers=True)
    listed = (Listed("a:latest", 131072, "chat"), Listed("b:1", 0, ""), Listed("e", 512, "embedding"))

    def cards(self, models=(), **health):
        found = Health("warm", "answered", 3.0, self.listed) if not health else Health(**health)
        return {offer.card.name: offer.card for offer in combine([self.endpoint], models, lambda _: found)}

    def stored(self, name, **fields):
        values = {"kind": "chat", "tier": "premium", "context": 4096, "enabled": True} | fields
        return StoredModel("lab", name, input_price=Decimal(1), output_price=Decimal(2), **values)

    def test_discovered(self):
        cards = self.cards()
        assert {name: card.kind for name, card in cards.items()} == {
            "a:latest": "chat",
            "b:1": "chat",
            "e": "embedding",
        }
        assert (cards["a:latest"].context, cards["e"].context, cards["a:latest"].tier) == (
            8192,
            512,
            "standard",
        )

    def test_a_stored_model_replaces_the_discovered_one(self):
        cards = self.cards([self.stored("a"), self.stored("b:1", enabled=False)])
        assert set(cards) == {"a", "e"}
        assert (cards["a"].tier, cards["a"].available, cards["a"].prices.output) == ("premium", True, 2)

    def test_what_is_not_there_is_not_available(self):
        card = self.cards([self.stored("missing")])["missing"]
        assert (card.available, card.reason) == (False, "not pulled on this server")
        card = self.cards([self.stored("a")], state="unavailable", reason="nothing answers")["a"]
        assert (card.available, card.reason) == (False, "nothing answers")
