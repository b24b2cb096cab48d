"""What can be asked right now: stored models, discovered models and built-in ones, with their live state. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from billing.vocabulary import Prices
from routing.vocabulary import FREE, ModelCard
from routing.wire import Listed

WARM, COLD, UNAVAILABLE = "warm", "cold", "unavailable"
DISCOVERED_CONTEXT = 8192  # tokens; more would make a server reserve memory nobody asked for
POOLS = ("cpu", "gpu", "external")  # a provider's; the built-in models have one of their own
TIER_OF_POOL = {"cpu": "standard", "gpu": "premium", "external": "standard"}
BUILTIN_POOL = "builtin"
BUILTIN_PROVIDER = "panal"
EXTRACTIVE = "panal-extractive"
SHOWN_MOCK = "mock-ttft300-itl20-len120"
BUILTIN_CONTEXT = 200_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider's address. `schema` tells whose it is; `discovers`: its model list is offered as it is;
    `assumed`: it may be absent without anything being wrong.
    """

    schema: str
    provider: str
    wire: str
    base_url: str
    pool: str
    own: bool = False
    discovers: bool = False
    assumed: bool = False
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class StoredModel:
    provider: str
    name: str
    kind: str
    tier: str
    context: int
    input_price: Decimal
    output_price: Decimal
    enabled: bool

    @property
    def prices(self) -> Prices:
        return Prices(input=self.input_price, output=self.output_price)


@dataclass(frozen=True, slots=True)
class Health:
    """What the last probe found; `listed` is None where the provider told no list of models."""

    state: str = COLD
    reason: str = "not probed yet"
    latency_ms: float | None = None
    listed: tuple[Listed, ...] | None = None
    at: float = 0.0  # monotonic seconds

    @property
    def up(self) -> bool:
        return self.state != UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Offer:
    """A card and where to ask for it; `endpoint` None: built in."""

    card: ModelCard
    endpoint: Endpoint | None = None


def same_name(asked: str, listed: str) -> bool:
    """Ollama's `name` without a tag means `name:latest`."""
    return asked == listed or f"{asked}:latest" == listed


def _presence(model: StoredModel, endpoint: Endpoint, health: Health) -> tuple[bool, str]:
    if not health.up:
        return False, health.reason
    lists_all = endpoint.wire == "ollama" and health.listed is not None
    if lists_all and not any(same_name(model.name, listed.name) for listed in health.listed or ()):
        return False, "not pulled on this server"
    return True, health.reason


def _stored(model: StoredModel, endpoint: Endpoint, health: Health) -> Offer:
    available, reason = _presence(model, endpoint, health)
    card = ModelCard(
        name=model.name,
        kind=model.kind,
        tier=model.tier,
        pool=endpoint.pool,
        provider=endpoint.provider,
        context=model.context,
        prices=model.prices,
        available=available,
        reason=reason,
        own=endpoint.own,
    )
    return Offer(card, endpoint)


def _discovered(listed: Listed, endpoint: Endpoint, health: Health) -> Offer:
    card = ModelCard(
        name=listed.name,
        kind=listed.kind or "chat",
        tier=TIER_OF_POOL[endpoint.pool],
        pool=endpoint.pool,
        provider=endpoint.provider,
        context=min(listed.context or DISCOVERED_CONTEXT, DISCOVERED_CONTEXT),
        prices=FREE,
        available=health.up,
        reason=health.reason,
        own=endpoint.own,
    )
    return Offer(card, endpoint)


def _of_endpoint(endpoint: Endpoint, models: list[StoredModel], health: Health) -> Iterator[Offer]:
    for model in models:
        if model.enabled:
            yield _stored(model, endpoint, health)
    for listed in (health.listed or ()) if endpoint.discovers else ():
        if not any(same_name(model.name, listed.name) for model in models):
            yield _discovered(listed, endpoint, health)


def builtin_card(name: str) -> ModelCard:
    return ModelCard(
        name=name,
        kind="chat",
        tier="standard",
        pool=BUILTIN_POOL,
        provider=BUILTIN_PROVIDER,
        context=BUILTIN_CONTEXT,
        prices=FREE,
        available=True,
        reason="built in",
        builtin=True,
    )


BUILTIN_OFFERS = (Offer(builtin_card(EXTRACTIVE)), Offer(builtin_card(SHOWN_MOCK)))


def combine(
    endpoints: Iterable[Endpoint],
    models: Iterable[StoredModel],
    health_of: Callable[[Endpoint], Health],
) -> tuple[Offer, ...]:
    """Everything one owner's providers offer. `models` belong to endpoints by the provider's slug."""
    by_provider: dict[str, list[StoredModel]] = {}
    for model in models:
        by_provider.setdefault(model.provider, []).append(model)
    return tuple(
        offer
        for endpoint in endpoints
        for offer in _of_endpoint(endpoint, by_provider.get(endpoint.provider, []), health_of(endpoint))
    )
