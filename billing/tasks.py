"""Regular work on the ledgers."""

from celery import shared_task

from billing.rollup.services import rollup_tenant
from billing.services import orphans_settle
from tenants.celery import PublicTask, TenantTask, fan_out
from tenants.scope import current_scope


@shared_task(base=TenantTask)
def ledger_keep() -> None:
    """Settle what dead processes left, then refresh the owner's totals, for one tenant."""
    orphans_settle()
    rollup_tenant(current_scope())


@shared_task(base=PublicTask)
def ledgers_keep() -> int:
    return fan_out(ledger_keep)
