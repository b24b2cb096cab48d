import time

from celery import shared_task

from panal.health import WORKER_SEEN_KEY
from tenants.celery import PublicTask
from tenants.redis import redis_sync


@shared_task(base=PublicTask, expires=30)
def worker_seen() -> None:
    """Proof that scheduler, queue and worker all work, for `/health`."""
    redis_sync().set(WORKER_SEEN_KEY, time.time())
