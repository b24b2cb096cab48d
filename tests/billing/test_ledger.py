"""One row for every call, whoever settles it and however often; rows are never changed."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from billing.models import OpenCall, UsageEvent
from billing.services import call_open, call_settle, orphans_settle
from billing.vocabulary import CallFacts, CallOutcome, CallStatus, Prices, Usage, cost_usd
from panal.kit.ids import uuid7
from tenants.scope import tenant_scope

PRICES = Prices(input=Decimal("0.15"), output=Decimal("0.60"))


def facts(actor=None, **changes) -> CallFacts:
    call = CallFacts(
        event_id=uuid7(), request_id=uuid7(), feature="chat", user_id=actor.user_id if actor else None,
        token_id=None, conversation_id=None, provider="lab", model="small", pool="external", tier="standard",
        prices=PRICES, started_at=timezone.now(),
    )  # fmt: skip
    return replace(call, **changes)


def outcome(status=CallStatus.OK, **usage) -> CallOutcome:
    return CallOutcome(status=status, usage=Usage(**usage), first_token_at=None, ended_at=timezone.now())


def test_a_call_leaves_one_row_with_its_cost(acme, globex, cast):
    call = facts(cast.member)
    with tenant_scope(acme):
        call_open(facts=call)
        assert call_settle(
            event_id=call.event_id, outcome=outcome(input_tokens=1000, output_tokens=500)
        ) == Decimal("0.00045")
        row = UsageEvent.objects.get()
        assert (row.event_id, row.cost_usd, row.user_id) == (
            call.event_id,
            Decimal("0.00045"),
            cast.member.user_id,
        )
        assert not OpenCall.objects.exists()
    with tenant_scope(globex):
        assert not UsageEvent.objects.exists()


def test_settling_twice_changes_nothing(acme):
    call = facts()
    with tenant_scope(acme):
        call_open(facts=call)
        first = call_settle(event_id=call.event_id, outcome=outcome(output_tokens=10))
        again = call_settle(event_id=call.event_id, outcome=outcome(CallStatus.ERROR, output_tokens=99_999))
        assert first == again
        assert UsageEvent.objects.get().output_tokens == 10


def test_a_call_never_opened_cannot_be_settled(acme):
    with tenant_scope(acme), pytest.raises(UsageEvent.DoesNotExist):
        call_settle(event_id=uuid7(), outcome=outcome())


def test_rows_are_never_changed_or_removed(acme):
    call = facts()
    with tenant_scope(acme):
        call_open(facts=call)
        call_settle(event_id=call.event_id, outcome=outcome())
        row = UsageEvent.objects.get()
        with pytest.raises(TypeError):
            row.save()
        with pytest.raises(TypeError):
            row.delete()


def test_what_a_dead_process_left_is_settled_as_lost(acme):
    old, young = facts(started_at=timezone.now() - timedelta(hours=2)), facts()
    patient = facts(started_at=old.started_at)
    with tenant_scope(acme):
        call_open(facts=old)
        call_open(facts=young)
        call_open(facts=patient, lease=timedelta(hours=3))
        assert orphans_settle() == 1
        assert orphans_settle() == 0
        row = UsageEvent.objects.get()
        assert (row.event_id, row.status, row.cost_usd) == (old.event_id, "lost", 0)
        assert {call.event_id for call in OpenCall.objects.all()} == {young.event_id, patient.event_id}


tokens = st.integers(min_value=0, max_value=10_000_000)
prices = st.decimals(min_value=0, max_value=1000, places=8)


@given(tokens, tokens, tokens, tokens, tokens, prices, prices)
def test_cost_is_exact_and_grows_with_each_class(
    fresh, cached, written, out, thought, input_price, output_price
):
    usage = Usage(fresh, cached, written, out, thought)
    price = Prices(input=input_price, output=output_price)
    exact = ((fresh + cached + written) * input_price + (out + thought) * output_price) / 1_000_000
    assert abs(cost_usd(usage, price) - exact) <= Decimal("0.0000000000005")
    assert cost_usd(replace(usage, output_tokens=out + 1), price) >= cost_usd(usage, price)
