"""Reads: providers, models and pools for pages and pickers."""

from dataclasses import dataclass

from routing import catalog, health
from routing.offers import UNAVAILABLE, Endpoint, Health
from routing.vocabulary import ModelCard
from tenants.scope import PUBLIC, Scope


@dataclass(frozen=True, slots=True)
class ProviderState:
    """A provider as its page shows it: never a key, only whether there is one."""

    slug: str
    wire: str
    pool: str
    base_url: str
    own: bool
    from_environment: bool
    enabled: bool
    has_key: bool
    models: int
    state: str
    reason: str
    latency_ms: float | None


@dataclass(frozen=True, slots=True)
class PoolState:
    """`models` counts the pool's available chat models."""

    pool: str
    state: str
    providers: int
    models: int
    reason: str


def models_visible(*, scope: Scope, kind: str | None = None) -> list[ModelCard]:
    """Cards of every model the scope may ask, its own first, then the platform's and the built-in ones."""
    return [card for card in catalog.models_for(scope) if kind is None or card.kind == kind]


def _endpoint_of(endpoints: list[Endpoint], schema: str, slug: str) -> Endpoint | None:
    return next((one for one in endpoints if (one.schema, one.provider) == (schema, slug)), None)


def providers_of(*, scope: Scope) -> list[ProviderState]:
    """The providers stored in the current scope, which must be `scope`."""
    from django.db.models import Count

    from routing.environment import key_of
    from routing.models import Provider

    catalog.models_for(scope)
    endpoints = health.watched()
    states = []
    for row in Provider.objects.annotate(model_count=Count("models")):
        endpoint = _endpoint_of(endpoints, scope.schema, row.slug)
        found = health.health_of(endpoint) if endpoint else Health("unavailable", "switched off")
        discovered = len(found.listed or ()) if endpoint and endpoint.discovers else 0
        states.append(
            ProviderState(
                slug=row.slug,
                wire=row.wire,
                pool=row.pool,
                base_url=row.base_url,
                own=not scope.is_public,
                from_environment=row.from_environment,
                enabled=row.enabled,
                has_key=bool(key_of(row.slug) if row.from_environment else row.sealed_key),
                models=max(row.model_count, discovered),
                state=found.state,
                reason=found.reason,
                latency_ms=found.latency_ms,
            )
        )
    return states


def _pool(pool: str, endpoints: list[Endpoint], cards: list[ModelCard]) -> PoolState:
    found = [health.health_of(endpoint) for endpoint in endpoints]
    state = health.best_state(found) or UNAVAILABLE
    reason = next((one.reason for one in found if one.state == state), "no provider is connected")
    models = sum(card.pool == pool and card.available and card.kind == "chat" for card in cards)
    return PoolState(pool, state, len(endpoints), models, reason)


def pools_visible(*, scope: Scope) -> list[PoolState]:
    """The live state of each pool `scope` can reach, for the models page and for health checks."""
    cards = catalog.models_for(scope)
    reachable = [one for one in health.watched() if one.schema in {PUBLIC.schema, scope.schema}]
    return [
        _pool(pool, [one for one in reachable if one.pool == pool], cards)
        for pool in ("cpu", "gpu", "external")
    ]
