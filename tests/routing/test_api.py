"""GET /api/models/."""

import pytest

pytestmark = pytest.mark.django_db(transaction=True)
CARD = {
    "name", "kind", "tier", "pool", "provider", "context", "input_price", "output_price",
    "available", "reason", "builtin", "own",
}  # fmt: skip


def listed(client, **query):
    answer = client.get("/api/models/", query)
    assert answer.status_code == 200, answer.content
    return {card["name"]: card for card in answer.json()["results"]}


def test_cards(api, cast, connect, fake_openai):
    connect(fake_openai, cast.scope)
    cards = listed(api(cast.viewer))
    assert set(cards["gpt-fake"]) == CARD
    assert (cards["gpt-fake"]["input_price"], cards["gpt-fake"]["own"]) == ("0.500000", True)
    assert (cards["panal-extractive"]["builtin"], cards["panal-extractive"]["available"]) == (True, True)


def test_another_tenant_does_not_see_them(api, cast, globex_cast, connect, fake_openai):
    connect(fake_openai, cast.scope)
    assert "gpt-fake" not in listed(api(globex_cast.owner))


def test_by_kind(api, cast):
    assert listed(api(cast.member), kind="embedding") == {}
    answer = api(cast.member).get("/api/models/", {"kind": "telepathy"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_model")


def test_nobody(api):
    assert api(host="acme.localhost").get("/api/models/").status_code == 401
