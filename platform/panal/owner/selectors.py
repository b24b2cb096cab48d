"""The platform owner's figures: every workspace with what it used in the last 30 days."""

from dataclasses import dataclass
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import DecimalField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from billing.rollup.models import DailyTotal
from tenants.actors import Actor
from tenants.models import Tenant
from tenants.people.models import User
from tenants.policy import Action, require
from tenants.scope import tenant_scope

DAYS = 30
SORTS = {
    "name": "name",
    "slug": "slug",
    "plan": "plan",
    "created": "claimed_at",
    "requests": "requests",
    "tokens": "tokens",
    "cost": "cost_usd",
    "active": "last_day",
}


@dataclass(frozen=True, slots=True)
class PlatformTotals:
    workspaces: int
    spares: int
    requests: int
    tokens: int
    cost_usd: Decimal


def _recent() -> QuerySet[DailyTotal]:
    first = timezone.now().astimezone(UTC).date() - timedelta(days=DAYS - 1)
    return DailyTotal.objects.filter(day__gte=first).order_by()


def _sum(expression: Any) -> Any:
    """The 30-day sum of one tenant."""
    sums = (
        _recent()
        .filter(tenant=OuterRef("pk"))
        .values("tenant")
        .annotate(value=Sum(expression))
        .values("value")
    )
    zero = Decimal(0)
    return Coalesce(Subquery(sums), zero, output_field=DecimalField(max_digits=30, decimal_places=12))


def tenants_list(*, actor: Actor, search: str = "") -> QuerySet[Tenant]:
    """Claimed workspaces with `requests`, `tokens`, `cost_usd` of 30 days and `last_day` of use."""
    require(actor, Action.PLATFORM)
    last = DailyTotal.objects.filter(tenant=OuterRef("pk"), requests__gt=0).order_by("-day").values("day")[:1]
    tenants: QuerySet[Tenant] = Tenant.objects.exclude(status=Tenant.Status.SPARE).annotate(
        requests=_sum("requests"),
        tokens=_sum(F("input_tokens") + F("output_tokens")),
        cost_usd=_sum("cost_usd"),
        last_day=Subquery(last),
    )
    if search:
        tenants = tenants.filter(Q(name__icontains=search) | Q(slug__icontains=search))
    return tenants


def members_of(tenants: list[Tenant]) -> dict[Any, int]:
    """How many people each workspace has: one small query in each one's own schema, for one page of them."""
    counts = {}
    for tenant in tenants:
        with tenant_scope(tenant.scope):
            counts[tenant.pk] = User.objects.count()
    return counts


def platform_totals(*, actor: Actor) -> PlatformTotals:
    require(actor, Action.PLATFORM)
    sums = _recent().aggregate(
        requests=Sum("requests", default=0),
        input=Sum("input_tokens", default=0),
        output=Sum("output_tokens", default=0),
        cost=Sum("cost_usd", default=Decimal(0)),
    )
    return PlatformTotals(
        workspaces=Tenant.objects.exclude(status=Tenant.Status.SPARE).count(),
        spares=Tenant.objects.filter(status=Tenant.Status.SPARE).count(),
        requests=sums["requests"],
        tokens=sums["input"] + sums["output"],
        cost_usd=sums["cost"],
    )
