"""Turns whose process and frames are lost are given up; those that can be continued are handed on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chat import services, tasks
from chat.models import Message, Turn
from chat.turns import leases
from chat.turns.refs import TurnRef
from tenants.redis import redis_sync
from tenants.scope import tenant_scope


@pytest.fixture
def old_turn(cast, asked, acme):
    """A running turn of long ago that Redis knows nothing about."""
    redis_sync().delete(leases.running_key())
    opened = asked(cast.member)
    with tenant_scope(acme):
        Turn.objects.update(created_at=timezone.now() - timedelta(hours=1))
        services.turn_checkpoint(turn_id=opened.turn_id, text="as far as it came")
    return TurnRef(acme, opened.turn_id)


def settle(scope) -> int:
    with tenant_scope(scope):
        return tasks.turns_settle()


def test_a_lost_turn_keeps_its_checkpoint(old_turn, acme):
    assert settle(acme) == 1
    with tenant_scope(acme):
        answer = Message.objects.get(role="assistant")
        assert (answer.text, answer.status) == ("as far as it came", "interrupted")
        assert Turn.objects.get().status == "done"
    assert settle(acme) == 0


def test_a_turn_with_frames_goes_back_to_the_orphans(old_turn, acme):
    redis_sync().xadd(old_turn.stream, {"f": "{}"}, id="1-0")
    assert settle(acme) == 0
    assert redis_sync().zscore(leases.running_key(), old_turn.member) == 0
    with tenant_scope(acme):
        assert Turn.objects.get().status == "running"


def test_a_turn_with_a_lease_is_left_alone(old_turn, acme):
    redis_sync().set(old_turn.lease, "somebody", px=60_000)
    assert settle(acme) == 0
    with tenant_scope(acme):
        assert Turn.objects.get().status == "running"


def test_a_young_turn_is_left_alone(cast, asked, acme):
    asked(cast.member)
    assert settle(acme) == 0
