"""Writes: providers and models of the current scope. Repeating one updates the row of the same name."""

import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from routing import catalog
from routing.environment import named_providers
from routing.errors import BadModel, BadProvider, ProviderFromEnvironment, ProviderNotFound
from routing.models import KINDS, TIERS, WIRES, Model, Provider
from routing.offers import POOLS
from tenants.vault import seal

MAX_CONTEXT = 10_000_000  # tokens
MAX_PRICE = Decimal(100_000)  # US dollars per million tokens
RESERVED_NAMES = frozenset({"auto", "standard", "premium"})
_slug = re.compile(r"[a-z0-9][a-z0-9-]{0,58}[a-z0-9]|[a-z0-9]")


def check_url(url: str) -> str:
    """`url` without a trailing slash. Raises `BadProvider`; the message never repeats a password in it."""
    try:
        parts = urlsplit(url.strip())
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        port_is_valid = False
    if not port_is_valid or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadProvider("The address must begin with http:// or https:// and name a host.")
    if parts.username or parts.password:
        raise BadProvider("Give the key as key, not inside the address.")
    if parts.query or parts.fragment or len(url) > 500:
        raise BadProvider("The address must end before the format's own paths.")
    return url.strip().rstrip("/")


def check_key(key: str) -> str:
    """Keys travel in an HTTP header. Raises `BadProvider`; the message never repeats the key."""
    key = key.strip()
    if len(key) > 1000 or any(not "!" <= character <= "~" for character in key):
        raise BadProvider("A key has up to 1000 letters, digits and signs and no spaces.")
    return key


def _one_of(value: str, allowed: tuple[str, ...], what: str, error: type[BadProvider | BadModel]) -> str:
    if value not in allowed:
        raise error(f"The {what} must be one of {', '.join(allowed)}.")
    return value


@transaction.atomic
def provider_add(
    *, slug: str, wire: str, base_url: str, pool: str, key: str | None = None, enabled: bool = True
) -> Provider:
    """Add a provider or update the one of this slug. `key` None keeps the stored key, "" removes it."""
    if not _slug.fullmatch(slug):
        raise BadProvider("A provider's name has 1 to 60 small letters, digits and hyphens.")
    values: dict[str, Any] = {
        "wire": _one_of(wire, WIRES, "wire format", BadProvider),
        "base_url": check_url(base_url),
        "pool": _one_of(pool, POOLS, "pool", BadProvider),
        "enabled": enabled,
    }
    existing = Provider.objects.select_for_update().filter(slug=slug).first()
    if existing is not None and existing.from_environment:
        raise ProviderFromEnvironment
    provider, _ = Provider.objects.update_or_create(slug=slug, defaults=values)
    if key is not None:
        key = check_key(key)
        provider.sealed_key = seal(key, context=provider.key_context) if key else None
        provider.save(update_fields=["sealed_key", "updated_at"])
    transaction.on_commit(catalog.changed)
    return provider


def _check_model_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 200 or any(character.isspace() for character in name):
        raise BadModel("A model's name has 1 to 200 characters and no spaces.")
    if name in RESERVED_NAMES or name.startswith(("assistant:", "mock-", "panal-")):
        raise BadModel(f"The name {name} has a meaning of its own here.")
    return name


def _check_numbers(context: int, input_price: Decimal, output_price: Decimal) -> None:
    if not 1 <= context <= MAX_CONTEXT:
        raise BadModel(f"The context must be 1 to {MAX_CONTEXT} tokens.")
    for price in (input_price, output_price):
        if not price.is_finite() or not 0 <= price <= MAX_PRICE:
            raise BadModel(f"A price must be 0 to {MAX_PRICE} US dollars per million tokens.")


@transaction.atomic
def model_add(
    *,
    provider: str,
    name: str,
    kind: str,
    tier: str,
    context: int = 8192,
    input_price: Decimal = Decimal(0),
    output_price: Decimal = Decimal(0),
    enabled: bool = True,
) -> Model:
    """Offer a model of the provider of this slug, or update the one of this name."""
    _check_numbers(context, input_price, output_price)
    values = {
        "kind": _one_of(kind, KINDS, "kind", BadModel),
        "tier": _one_of(tier, TIERS, "tier", BadModel),
        "context": context,
        "input_price": input_price,
        "output_price": output_price,
        "enabled": enabled,
    }
    owner = Provider.objects.filter(slug=provider).first()
    if owner is None:
        raise ProviderNotFound
    model, _ = Model.objects.update_or_create(provider=owner, name=_check_model_name(name), defaults=values)
    transaction.on_commit(catalog.changed)
    return model


def environment_providers_sync() -> None:
    """Make the platform's rows follow the environment. Runs in the public scope; safe in many processes at once."""
    named = named_providers()
    stored = {row.slug: row for row in Provider.objects.filter(from_environment=True)}
    taken = set(Provider.objects.filter(from_environment=False).values_list("slug", flat=True))
    for provider in named:
        row = stored.pop(provider.slug, None)
        wanted = (provider.wire, provider.base_url, provider.pool)
        if provider.slug in taken or (row and (row.wire, row.base_url, row.pool) == wanted):
            continue  # a provider added by hand under this name wins
        Provider.objects.bulk_create(
            [
                Provider(
                    slug=provider.slug,
                    wire=wanted[0],
                    base_url=wanted[1],
                    pool=wanted[2],
                    from_environment=True,
                )
            ],
            update_conflicts=True,
            unique_fields=["slug"],
            update_fields=["wire", "base_url", "pool"],
        )
    if stored:
        Provider.objects.filter(pk__in=[row.pk for row in stored.values()], models__isnull=True).delete()
