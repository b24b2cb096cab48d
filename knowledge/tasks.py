"""Background work: one task for each document, and the rescue of documents whose worker died."""

from uuid import UUID

from celery import current_task, shared_task

from knowledge import ingest
from tenants.celery import PublicTask, TenantTask, fan_out


@shared_task(base=TenantTask, acks_late=True, reject_on_worker_lost=True)
def document_process(document_id: str) -> None:
    """Idempotent: a document that is done, or in another worker's hands, is left alone."""
    delivery = current_task.request.delivery_info or {}
    # The queue delivers again only what a worker took and lost, so there is no live worker to wait for.
    ingest.document_ingest(document_id=UUID(document_id), steal=bool(delivery.get("redelivered")))


@shared_task(base=TenantTask)
def documents_rescue() -> int:
    """Send again what was left behind, for one tenant."""
    lost = ingest.documents_reclaim()
    for document_id in lost:
        document_process.delay(str(document_id))
    return len(lost)


@shared_task(base=PublicTask)
def documents_rescue_all() -> int:
    return fan_out(documents_rescue)
