"""Bringing the tenants' ledgers together for the platform owner. Repeating it changes nothing."""

from datetime import UTC, datetime, time, timedelta

from django.utils import timezone

from billing.rollup.models import DailyTotal
from billing.selectors import active_users, usage_daily
from tenants.actors import system_actor
from tenants.scope import Scope, public_scope, tenant_scope

RECENT_DAYS = 2  # late rows (calls that began before midnight) reach back one day


def rollup_tenant(scope: Scope, *, days: int = RECENT_DAYS) -> None:
    """Write the last `days` UTC days of one tenant."""
    now = timezone.now()
    since = datetime.combine(now.astimezone(UTC).date() - timedelta(days=days - 1), time.min, UTC)
    actor = system_actor(scope)
    with tenant_scope(scope):
        rows = []
        for day, totals in usage_daily(actor=actor, since=since, until=now):
            start = datetime.combine(day, time.min, UTC)
            people = active_users(actor=actor, since=start, until=start + timedelta(days=1))
            rows.append((day, totals, people))
    with public_scope():
        for day, totals, people in rows:
            DailyTotal.objects.update_or_create(
                tenant_id=scope.tenant_id,
                day=day,
                defaults={
                    "requests": totals.requests,
                    "input_tokens": totals.input_tokens,
                    "output_tokens": totals.output_tokens,
                    "cost_usd": totals.cost_usd,
                    "active_users": people,
                },
            )
