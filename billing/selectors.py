"""Reads of the ledger: totals, groups and days. Everything is in the current tenant's scope."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Max, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from billing.models import UsageEvent
from tenants.actors import Actor
from tenants.people.models import ApiToken, User
from tenants.policy import Action, can, require

# What the interface calls a dimension, and the column it groups by.
DIMENSIONS = {"feature": "feature", "model": "model", "user": "user_id", "token": "token_id", "pool": "pool"}
DEFAULT_DAYS = 30

INPUT = F("input_tokens") + F("cached_tokens") + F("cache_write_tokens")
OUTPUT = F("output_tokens") + F("reasoning_tokens")


@dataclass(frozen=True, slots=True)
class Totals:
    """Tokens are all classes of input and of output; money is US dollars."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal = Decimal(0)


def events_visible(*, actor: Actor) -> QuerySet[UsageEvent]:
    """The whole workspace's rows, or one's own for those who may see no more."""
    if can(actor, Action.USAGE_READ):
        return UsageEvent.objects.all()
    require(actor, Action.USAGE_READ_OWN)
    return UsageEvent.objects.filter(user_id=actor.user_id)


def default_period() -> tuple[datetime, datetime]:
    """The last 30 days up to now."""
    now = timezone.now()
    return now - timedelta(days=DEFAULT_DAYS), now


def _between(events: QuerySet[UsageEvent], since: datetime, until: datetime) -> QuerySet[UsageEvent]:
    return events.filter(started_at__gte=since, started_at__lt=until).order_by()


def _sums() -> dict[str, Any]:
    """Sums under names of their own: an alias equal to a column would hide that column from the next sum."""
    return {
        "request_count": Count("event_id"),
        "input_sum": Sum(INPUT, default=0),
        "output_sum": Sum(OUTPUT, default=0),
        "cost_sum": Sum("cost_usd", default=Decimal(0)),
    }


def _totals(row: Mapping[str, Any]) -> Totals:
    return Totals(row["request_count"], row["input_sum"], row["output_sum"], row["cost_sum"])


def usage_totals(*, actor: Actor, since: datetime, until: datetime) -> Totals:
    return _totals(_between(events_visible(actor=actor), since, until).aggregate(**_sums()))


def usage_by(
    *, actor: Actor, dimensions: list[str], since: datetime, until: datetime
) -> list[dict[str, Any]]:
    """Rows of `{<dimension>…, requests, input_tokens, output_tokens, cost_usd}`, dearest first."""
    columns = [DIMENSIONS[dimension] for dimension in dimensions]
    events = _between(events_visible(actor=actor), since, until)
    rows = events.values(*columns).annotate(**_sums()).order_by("-cost_sum", "-request_count", *columns)
    return [{**{name: row[DIMENSIONS[name]] for name in dimensions}, **asdict(_totals(row))} for row in rows]


def usage_daily(*, actor: Actor, since: datetime, until: datetime) -> list[tuple[date, Totals]]:
    """One entry for every UTC day of the period, days without calls included."""
    events = _between(events_visible(actor=actor), since, until)
    by_day = events.annotate(day=TruncDate("started_at", tzinfo=UTC)).values("day").annotate(**_sums())
    found = {row["day"]: _totals(row) for row in by_day}
    first = since.astimezone(UTC).date()
    count = (until.astimezone(UTC).date() - first).days + 1
    return [(day, found.get(day, Totals())) for day in (first + timedelta(days=n) for n in range(count))]


def active_users(*, actor: Actor, since: datetime, until: datetime) -> int:
    """How many different people caused a call."""
    events = _between(events_visible(actor=actor), since, until)
    return events.exclude(user_id=None).values("user_id").distinct().count()


def last_call_at() -> datetime | None:
    last: datetime | None = UsageEvent.objects.aggregate(last=Max("started_at"))["last"]
    return last


def names_of_users(ids: list[UUID | None]) -> dict[UUID, str]:
    """E-mail addresses of the users still here; the ledger keeps rows of those who left."""
    return dict(User.objects.filter(pk__in=[pk for pk in ids if pk]).values_list("pk", "email"))


def names_of_tokens(ids: list[UUID | None]) -> dict[UUID, str]:
    return dict(ApiToken.objects.filter(pk__in=[pk for pk in ids if pk]).values_list("pk", "name"))
