from celery import shared_task

from billing.rollup.services import rollup_tenant
from billing.services import orphans_settle
from tenants.celery import PublicTask, TenantTask
from tenants.directory import snapshot
from tenants.scope import current_scope, tenant_scope


@shared_task(base=TenantTask)
def ledger_keep() -> None:
    """Settle what dead processes left, then refresh the owner's totals, for one tenant."""
    orphans_settle()
    rollup_tenant(current_scope())


@shared_task(base=PublicTask)
def ledgers_keep() -> int:
    """Fan out one task for each tenant."""
    scopes = list(snapshot().by_id.values())
    for scope in scopes:
        with tenant_scope(scope):
            ledger_keep.delay()
    return len(scopes)
