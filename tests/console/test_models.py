"""Models and pools, and the workspace's settings."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.cache import cache

from panal.console.models import connected, pools_of
from routing.offers import builtin_card
from tenants.scope import tenant_scope
from tenants.workspace import CACHE_KEY, workspace_name

BUILTIN = builtin_card("panal-extractive")
OWN = replace(BUILTIN, name="llama", pool="cpu", provider="lab", builtin=False)


def test_with_nothing_connected_it_says_how(browser, cast):
    shown = browser(cast.viewer).get("/console/models/").content.decode()
    assert "No model is connected yet" in shown
    assert "OLLAMA_CPU_URL" in shown
    assert "<strong><bdi>panal-extractive</bdi></strong>" in shown


def test_a_connected_model_is_listed_with_its_price(browser, cast):
    from routing.services import model_add, provider_add

    with tenant_scope(cast.scope):
        provider_add(
            slug="lab", wire="openai", base_url="http://127.0.0.1:9/v1", pool="external", key="sk-secret"
        )
        model_add(
            provider="lab", name="big-model", kind="chat", tier="premium", context=32768,
            input_price=Decimal("0.15"), output_price=Decimal("0.60"),
        )  # fmt: skip
        from routing import catalog

        catalog.changed()
    shown = browser(cast.viewer).get("/console/models/").content.decode()
    assert "big-model" in shown
    assert "32,768" in shown
    assert "$0.15" in shown
    assert "$0.60" in shown
    assert "sk-secret" not in shown
    assert "No model is connected yet" not in shown


def test_another_workspaces_models_are_not_shown(browser, cast, globex_cast):
    from routing import catalog
    from routing.services import model_add, provider_add

    with tenant_scope(globex_cast.scope):
        provider_add(slug="theirs", wire="openai", base_url="http://127.0.0.1:9/v1", pool="external")
        model_add(provider="theirs", name="their-model", kind="chat", tier="standard")
        catalog.changed()
    assert "their-model" not in browser(cast.owner).get("/console/models/").content.decode()


@pytest.mark.parametrize(
    ("cards", "state"),
    [
        ([], "none"),
        ([OWN], "live"),
        ([replace(OWN, available=False, reason="nothing answers")], "down"),
        ([OWN, replace(OWN, name="other", available=False, reason="not pulled")], "partly"),
    ],
)
def test_states_of_a_pool(cards, state):
    pool = next(pool for pool in pools_of([BUILTIN, *cards]) if pool.key == "cpu")
    assert pool.state == state
    assert bool(pool.reason) == (state in {"down", "partly"})


def test_connected_means_more_than_built_in():
    assert not connected([BUILTIN])
    assert connected([BUILTIN, OWN])


@pytest.fixture
def forget_the_name(acme):
    """The test's own database forgets; the cache would remember the new name for other tests."""
    yield
    with tenant_scope(acme):
        cache.delete(CACHE_KEY)


def test_renaming_the_workspace(browser, cast, forget_the_name):
    client = browser(cast.owner)
    shown = client.post("/console/settings/", {"name": "Acme & <Sons>"}, follow=True).content.decode()
    assert "Acme &amp; &lt;Sons&gt;" in shown
    assert "<Sons>" not in shown
    with tenant_scope(cast.scope):
        assert workspace_name() == "Acme & <Sons>"


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_a_bad_name_is_refused(browser, cast, name):
    answer = browser(cast.owner).post("/console/settings/", {"name": name})
    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()
