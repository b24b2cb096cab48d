"""What the stress run has the Celery workers do: read rows of every app and hand back their marks."""

import json

from celery import shared_task
from django.core.cache import cache

from chat.models import Message
from knowledge.models import Document
from tenants.celery import TenantTask
from tenants.names import redis_key
from tenants.people.models import User
from tenants.redis import redis_sync
from tenants.scope import current_scope

READS = 20
QUEUE = "stress"  # other workers of the run do not know this task
RESULTS = ("stress", "results")


class Planned(RuntimeError):
    """A failing task between the others, as in real life."""


@shared_task(base=TenantTask)
def read_rows(expected_slug: str, *, fail: bool = False) -> None:
    """Push `[slug the task was sent for, slug of its scope, texts it read]` to the tenant's own list."""
    texts: list[str] = []
    for _ in range(READS // 4):
        texts += User.objects.values_list("email", flat=True)
        texts += Document.objects.values_list("title", flat=True)
        texts += Message.objects.order_by("-created_at").values_list("text", flat=True)[:20]
        texts.append(cache.get_or_set("stress-mark", lambda: current_scope().slug))
    if fail:
        raise Planned
    redis_sync().rpush(redis_key(*RESULTS), json.dumps([expected_slug, current_scope().slug, texts]))
