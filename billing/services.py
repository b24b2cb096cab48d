"""Writes to the ledger: a call is opened before the provider is called and settled once, however it ends."""

from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from billing.models import CallFields, OpenCall, UsageEvent
from billing.vocabulary import CallFacts, CallOutcome, CallStatus, Prices, Usage, cost_usd

LEASE = timedelta(minutes=30)  # after which a call that nobody settled is thought lost


def call_open(*, facts: CallFacts, lease: timedelta = LEASE) -> None:
    """Record that a provider is about to be called. `lease` must be longer than the call may take: after it the
    sweeper settles the call as lost and free.
    """
    values = asdict(facts)
    prices = values.pop("prices")
    OpenCall.objects.create(
        **values,
        input_price=prices["input"],
        output_price=prices["output"],
        lease_until=facts.started_at + lease,
    )


def _settled_cost(event_id: UUID) -> Decimal:
    return UsageEvent.objects.values_list("cost_usd", flat=True).get(pk=event_id)


@transaction.atomic
def call_settle(*, event_id: UUID, outcome: CallOutcome) -> Decimal:
    """Turn an open call into its ledger row and answer its cost in US dollars.

    Settling again changes nothing and answers the same cost. Raises `UsageEvent.DoesNotExist` for a call
    that was never opened.
    """
    call = OpenCall.objects.select_for_update().filter(pk=event_id).first()
    if call is None:
        return _settled_cost(event_id)
    usage = outcome.usage
    cost = cost_usd(usage, Prices(input=call.input_price, output=call.output_price))
    facts = {field.name: getattr(call, field.name) for field in CallFields._meta.get_fields()}
    UsageEvent.objects.create(
        **facts,
        status=outcome.status,
        error_code=outcome.error_code,
        input_tokens=usage.input_tokens,
        cached_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        usage_source=usage.source,
        cost_usd=cost,
        first_token_at=outcome.first_token_at,
        ended_at=outcome.ended_at,
    )
    call.delete()
    return cost


def orphans_settle(*, now: datetime | None = None) -> int:
    """Settle the calls of processes that died, as `lost` and free of charge; answers how many."""
    now = now or timezone.now()
    lost = CallOutcome(
        status=CallStatus.LOST, usage=Usage(), first_token_at=None, ended_at=now, error_code="process_died"
    )
    expired = OpenCall.objects.filter(lease_until__lt=now).values_list("event_id", flat=True)
    for event_id in expired:
        call_settle(event_id=event_id, outcome=lost)
    return len(expired)
