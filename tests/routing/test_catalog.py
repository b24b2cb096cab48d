"""Live catalog: discovery, health, changes that other processes see, whose models are whose."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def environment(monkeypatch, fake_ollama):
    monkeypatch.setenv("OLLAMA_CPU_URL", fake_ollama.url)
    monkeypatch.setenv("OLLAMA_GPU_URL", "http://127.0.0.1:9")


async def cards_of(scope):
    from routing import catalog

    return {card.name: card for card in await catalog.amodels_for(scope)}


async def test_an_ollama_named_by_the_environment_is_used_at_once(environment, cast, ask, run):
    cards = await cards_of(cast.scope)
    assert (cards["llama3.1:8b"].provider, cards["llama3.1:8b"].pool) == ("ollama-cpu", "cpu")
    assert cards["nomic-embed-text:latest"].kind == "embedding"
    _, receipt, error = await run(ask(cast.member, "auto"))
    assert (error, receipt.model) == (None, "llama3.1:8b")


async def test_when_it_goes_and_comes_back(environment, cast, ask, run, fake_ollama):
    from routing import health, pools

    await pools.round_of_probes()
    fake_ollama.models = ()
    await health.probe_all()
    _, receipt, _ = await run(ask(cast.member, "auto"))
    assert receipt.model == "panal-extractive"
    fake_ollama.models = ("llama3.1:8b",)
    await health.probe_all()
    _, receipt, _ = await run(ask(cast.member, "auto"))
    assert receipt.model == "llama3.1:8b"


async def test_states_and_the_health_check(environment, acme):
    from routing import health, pools

    await pools.round_of_probes()
    check = pools.pools_check()
    assert check["pools"]["cpu"]["state"] == "warm"
    assert check["pools"]["gpu"] == {"status": "unhealthy", "state": "unavailable", "latency_ms": None}
    assert check["status"] == "unhealthy"
    reasons = {endpoint.provider: health.health_of(endpoint).reason for endpoint in health.watched()}
    assert reasons["ollama-gpu"] == "nothing answers at 127.0.0.1:9"


async def test_nothing_connected_is_healthy(monkeypatch, acme):
    from routing import pools

    monkeypatch.delenv("OLLAMA_CPU_URL")
    monkeypatch.setattr("routing.environment.DEFAULT_OLLAMA", "http://127.0.0.1:9")
    await pools.round_of_probes()
    assert pools.pools_check() == {"status": "healthy", "latency_ms": 0.0, "pools": {}}


async def test_a_hanging_provider_does_not_hold_up_the_others(monkeypatch, cast, connect, fake_openai):
    import time

    from routing import health

    await sync_to_async(connect)(fake_openai, cast.scope)
    monkeypatch.setattr("routing.health.PROBE_TIMEOUT", 0.3)
    await cards_of(cast.scope)

    async def hang(reader, writer):
        await asyncio.sleep(5)

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    from routing.services import provider_add
    from tenants.scope import in_tenant

    await in_tenant(cast.scope, provider_add, slug="slow", wire="ollama", base_url=address, pool="cpu")
    await cards_of(cast.scope)
    started = time.monotonic()
    await health.probe_all()
    assert time.monotonic() - started < 4
    states = {endpoint.provider: health.health_of(endpoint).state for endpoint in health.watched()}
    assert (states["slow"], states["lab"]) == ("unavailable", "warm")
    server.close()


async def test_a_change_elsewhere_is_seen_within_a_second(cast, connect, fake_ollama):
    """Another process writes the row and raises the version; this one only ever read."""
    from routing import catalog

    await sync_to_async(connect)(fake_ollama, cast.scope)
    assert "llama3.1:8b" in await cards_of(cast.scope)
    kept = dict(catalog._snapshots)
    from routing.services import model_add
    from tenants.scope import in_tenant

    await in_tenant(
        cast.scope, model_add, provider="lab", name="llama3.1:8b", kind="chat", tier="standard", enabled=False
    )
    catalog._snapshots.update(kept)  # as if the change had been made by another process
    await asyncio.sleep(1.05)
    assert "llama3.1:8b" not in await cards_of(cast.scope)


async def test_a_model_added_a_moment_ago_is_found(cast, connect, fake_ollama, ask, run):
    from routing import catalog

    await cards_of(cast.scope)
    kept = dict(catalog._snapshots)
    await sync_to_async(connect)(fake_ollama, cast.scope)
    catalog._snapshots.update(kept)
    _, receipt, error = await run(ask(cast.member, "llama3.1:8b"))
    assert (error, receipt.model) == (None, "llama3.1:8b")


async def test_whose_models_are_whose(cast, globex, connect, fake_ollama, fake_openai):
    await sync_to_async(connect)(fake_ollama, cast.scope)
    await sync_to_async(connect)(fake_openai, None, slug="shared")
    ours, theirs = await cards_of(cast.scope), await cards_of(globex)
    assert (ours["llama3.1:8b"].own, ours["gpt-fake"].own) == (True, False)
    assert "llama3.1:8b" not in theirs
    assert "gpt-fake" in theirs


async def test_a_catalog_in_memory_costs_no_queries(cast, connect, fake_ollama, monkeypatch):
    from routing import catalog

    await sync_to_async(connect)(fake_ollama, cast.scope)
    await cards_of(cast.scope)

    def refuse(*_):
        raise AssertionError("read the database again")

    monkeypatch.setattr(catalog, "_load", refuse)
    await asyncio.sleep(1.05)
    await asyncio.gather(*(cards_of(cast.scope) for _ in range(50)))


async def test_without_redis_the_catalog_still_answers(cast, connect, fake_ollama, monkeypatch):
    import redis

    from routing import catalog

    class Broken:
        async def get(self, key):
            raise redis.ConnectionError

    await sync_to_async(connect)(fake_ollama, cast.scope)
    monkeypatch.setattr(catalog, "redis_async", Broken)
    assert "llama3.1:8b" in await cards_of(cast.scope)


def test_keys_are_sealed_and_stay_with_their_tenant(cast, globex, connect, fake_openai):
    from routing import catalog
    from routing.models import Provider
    from tenants.scope import tenant_scope
    from tenants.vault import Unsealable, unseal
    from tests.fakes.openai import KEY

    connect(fake_openai, cast.scope)
    with tenant_scope(cast.scope):
        row = Provider.objects.get(slug="lab")
        assert KEY.encode() not in bytes(row.sealed_key)
        assert unseal(row.sealed_key, context=row.key_context) == KEY
    with tenant_scope(globex), pytest.raises(Unsealable):
        unseal(row.sealed_key, context=row.key_context)
    offers = catalog.offers_for(cast.scope)
    assert any(offer.endpoint and offer.endpoint.key == KEY for offer in offers)
    assert KEY not in repr(offers)


def test_idle_scopes_are_forgotten(cast, connect, fake_ollama, monkeypatch):
    from routing import catalog, health

    connect(fake_ollama, cast.scope)
    catalog.models_for(cast.scope)
    assert any(endpoint.own for endpoint in health.watched())
    monkeypatch.setattr(catalog, "IDLE_SECONDS", 0.0)
    catalog.forget_idle()
    assert not any(endpoint.own for endpoint in health.watched())


def test_the_environment_is_followed(monkeypatch, acme):
    from routing.models import Provider
    from routing.services import environment_providers_sync
    from tenants.scope import public_scope

    def slugs():
        with public_scope():
            environment_providers_sync()
            return {row.slug: row.base_url for row in Provider.objects.all()}

    monkeypatch.setenv("OLLAMA_CPU_URL", "http://one:1/, http://two:2")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-the-environment")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "its format is not spoken")
    found = slugs()
    assert found == {
        "ollama-cpu": "http://one:1", "ollama-cpu-2": "http://two:2", "openai": "https://api.openai.com/v1",
    }  # fmt: skip
    monkeypatch.setenv("OLLAMA_CPU_URL", "http://three:3")
    monkeypatch.delenv("OPENAI_API_KEY")
    assert slugs() == {"ollama-cpu": "http://three:3"}
    with public_scope():
        assert Provider.objects.get().sealed_key is None
