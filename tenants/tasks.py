from celery import shared_task

from tenants.celery import PublicTask
from tenants.services import spare_pool_fill


@shared_task(base=PublicTask)
def spare_pool_keep_full() -> int:
    return spare_pool_fill()
