"""Which models a scope may use: snapshots of providers and models in memory, checked against a version in Redis.

A snapshot is trusted for a second, then compared with the version that every change raises. Nothing here
queries the database unless something changed.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import redis

from routing import health
from routing.environment import named_providers
from routing.offers import BUILTIN_OFFERS, Endpoint, Offer, StoredModel, combine
from routing.vocabulary import ModelCard
from tenants.names import redis_key
from tenants.redis import redis_async, redis_sync
from tenants.scope import PUBLIC, Scope, current_scope, in_tenant, public_scope, tenant_scope
from tenants.vault import Unsealable, unseal

CHECK_SECONDS = 1.0
RELOAD_SECONDS = 10.0  # without Redis
IDLE_SECONDS = 900.0  # after which a scope nobody uses is forgotten


@dataclass(slots=True)
class Snapshot:
    version: bytes | None
    endpoints: tuple[Endpoint, ...]
    models: tuple[StoredModel, ...]
    loaded_at: float
    checked_at: float
    used_at: float
    generation: int = -1
    offers: tuple[Offer, ...] = ()


_snapshots: dict[str, Snapshot] = {}
_loading: dict[tuple[int, str], "asyncio.Task[Snapshot]"] = {}
_environment_synced = False
_lock = threading.Lock()


def _version_key(scope: Scope) -> str:
    with tenant_scope(scope):
        return redis_key("routing", "version")


def changed() -> None:
    """Tell every process that the current scope's providers or models changed. Call after the commit."""
    scope = current_scope()
    with suppress(redis.RedisError):  # without Redis the others follow within RELOAD_SECONDS
        redis_sync().incr(_version_key(scope))
    _snapshots.pop(scope.schema, None)


# -- reading the database: sync, inside the scope


def _sync_environment_once() -> None:
    global _environment_synced
    from routing.services import environment_providers_sync

    with _lock:
        if not _environment_synced:
            environment_providers_sync()
            _environment_synced = True


def _read_endpoints(scope: Scope) -> Iterator[Endpoint]:
    from routing.models import Provider

    named = {provider.slug: provider for provider in named_providers()}
    for row in Provider.objects.filter(enabled=True):
        source = named.get(row.slug) if row.from_environment else None
        if row.from_environment and source is None:
            continue
        try:
            key = unseal(row.sealed_key, context=row.key_context) if row.sealed_key else ""
        except Unsealable:
            key = ""  # sealed under another SECRET_KEY: the provider's own refusal says the rest
        yield Endpoint(
            schema=scope.schema,
            provider=row.slug,
            wire=source.wire if source else row.wire,
            base_url=source.base_url if source else row.base_url,
            pool=source.pool if source else row.pool,
            own=not scope.is_public,
            discovers=row.from_environment and row.wire == "ollama",
            assumed=source.assumed if source else False,
            key=source.key if source else key,
        )


def _read_models() -> Iterator[StoredModel]:
    from routing.models import Model

    fields = ("provider__slug", "name", "kind", "tier", "context", "input_price", "output_price", "enabled")
    for values in Model.objects.filter(provider__enabled=True).values_list(*fields):
        yield StoredModel(*values)


def _load(scope: Scope, version: bytes | None) -> Snapshot:
    if scope.is_public:
        _sync_environment_once()
    now = time.monotonic()
    snapshot = Snapshot(version, tuple(_read_endpoints(scope)), tuple(_read_models()), now, now, now)
    before = _snapshots.get(scope.schema)
    _snapshots[scope.schema] = snapshot
    if before is None or before.endpoints != snapshot.endpoints:
        health.watch(scope.schema, snapshot.endpoints)
    return snapshot


# -- freshness


def _fresh(scope: Scope) -> Snapshot | None:
    found = _snapshots.get(scope.schema)
    now = time.monotonic()
    if found is not None:
        found.used_at = now
        if now - found.checked_at < CHECK_SECONDS:
            return found
    return None


def _still_good(found: Snapshot | None, version: bytes | None, *, known: bool) -> bool:
    if found is None:
        return False
    return found.version == version if known else time.monotonic() - found.loaded_at < RELOAD_SECONDS


def _snapshot(scope: Scope) -> Snapshot:
    fresh = _fresh(scope)
    if fresh is not None:
        return fresh
    try:
        version, known = redis_sync().get(_version_key(scope)), True
    except redis.RedisError:
        version, known = None, False
    return _kept_or_loaded(scope, version if isinstance(version, bytes) else None, known)


def _kept_or_loaded(scope: Scope, version: bytes | None, known: bool) -> Snapshot:
    found = _snapshots.get(scope.schema)
    if found is not None and _still_good(found, version, known=known):
        found.checked_at = time.monotonic()
        return found
    with tenant_scope(scope):
        return _load(scope, version)


async def _asnapshot(scope: Scope) -> Snapshot:
    fresh = _fresh(scope)
    if fresh is not None:
        return fresh
    key = (id(asyncio.get_running_loop()), scope.schema)
    task = _loading.get(key)
    if task is None:
        task = _loading[key] = asyncio.ensure_future(_arefresh(scope))
        task.add_done_callback(lambda _: _loading.pop(key, None))
    return await asyncio.shield(task)


async def _arefresh(scope: Scope) -> Snapshot:
    version: bytes | None = None
    known = True
    try:
        version = cast("bytes | None", await redis_async().get(_version_key(scope)))
    except redis.RedisError:
        known = False
    found = _snapshots.get(scope.schema)
    if found is not None and _still_good(found, version, known=known):
        found.checked_at = time.monotonic()
        return found
    return await in_tenant(scope, _load, scope, version)


def _offers(snapshot: Snapshot) -> tuple[Offer, ...]:
    if snapshot.generation != health.generation():
        snapshot.generation = health.generation()
        snapshot.offers = combine(snapshot.endpoints, snapshot.models, health.health_of)
    return snapshot.offers


# -- what others use


async def aoffers_for(scope: Scope) -> tuple[Offer, ...]:
    """Everything the scope may ask: its own models, the platform's, then the built-in ones."""
    platform = await _asnapshot(PUBLIC)
    own = () if scope.is_public else _offers(await _asnapshot(scope))
    if health.needs_probe(platform.endpoints):
        await health.probe_all()
    return (*own, *_offers(platform), *BUILTIN_OFFERS)


def offers_for(scope: Scope) -> tuple[Offer, ...]:
    """The same from sync code. What a provider discovers is known once this process has probed it."""
    with public_scope():
        platform = _snapshot(PUBLIC)
    own = () if scope.is_public else _offers(_snapshot(scope))
    return (*own, *_offers(platform), *BUILTIN_OFFERS)


async def amodels_for(scope: Scope) -> list[ModelCard]:
    return [offer.card for offer in await aoffers_for(scope)]


def models_for(scope: Scope) -> list[ModelCard]:
    return [offer.card for offer in offers_for(scope)]


async def recheck(scope: Scope) -> tuple[Offer, ...]:
    """As `aoffers_for`, but asks for the version now: before telling anybody that a model does not exist."""
    for schema in (PUBLIC.schema, scope.schema):
        if schema in _snapshots:
            _snapshots[schema].checked_at = 0.0
    return await aoffers_for(scope)


def forget_all() -> None:
    """Know nothing, as a new process does."""
    global _environment_synced
    _environment_synced = False
    _snapshots.clear()
    health.forget_all()


def forget_idle() -> None:
    """Drop scopes that asked nothing for a while, and with them the probes of their providers."""
    oldest = time.monotonic() - IDLE_SECONDS
    for schema, snapshot in list(_snapshots.items()):
        if schema != PUBLIC.schema and snapshot.used_at < oldest:
            del _snapshots[schema]
            health.unwatch(schema)
