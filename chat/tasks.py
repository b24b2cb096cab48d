"""Regular work: turns nobody can continue, conversations whose undo period is over."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from chat import selectors, services
from chat.turns import leases
from chat.turns.refs import TurnRef
from tenants.celery import PublicTask, TenantTask, fan_out
from tenants.redis import redis_sync
from tenants.scope import current_scope

UNKNOWN_AFTER = timedelta(minutes=2)  # a turn Redis knows nothing about for so long has lost its process


def turns_settle() -> int:
    """Put running turns back on the list of orphans, or give up those whose frames are lost; answers how many."""
    settled = 0
    for turn_id in selectors.turns_running(before=timezone.now() - UNKNOWN_AFTER):
        ref = TurnRef(current_scope(), turn_id)
        client = redis_sync()
        if client.exists(ref.lease) or client.zscore(leases.running_key(), ref.member) is not None:
            continue
        if client.exists(ref.stream):
            client.zadd(leases.running_key(), {ref.member: 0})
        else:
            settled += services.turn_interrupt(turn_id=turn_id)
    return settled


@shared_task(base=TenantTask)
def chat_keep() -> None:
    turns_settle()
    services.conversations_purge()


@shared_task(base=PublicTask)
def chats_keep() -> int:
    return fan_out(chat_keep)
