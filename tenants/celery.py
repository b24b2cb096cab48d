"""Background tasks carry their tenant in a signed header and refuse to run without one."""

from typing import Any
from uuid import UUID

from celery import Task
from celery.contrib.django.task import DjangoTask
from django.core import signing
from django.db import connections

from tenants.directory import scope_of_id, snapshot
from tenants.scope import NoTenantScope, current_scope, public_scope, scope_or_none, tenant_scope

HEADER = "panal_tenant"
SALT = "panal.celery.tenant"


class UnknownTenant(RuntimeError):
    """The task's tenant was erased or suspended after the task was sent."""


class TenantTask(DjangoTask[Any, Any]):
    """Runs in the scope it was sent from. Send with `delay_on_commit` so that the rows it names exist."""

    abstract = True

    def apply_async(self, args: Any = None, kwargs: Any = None, **options: Any) -> Any:  # type: ignore[override]
        headers = dict(options.pop("headers", None) or {})
        headers.setdefault(HEADER, signing.dumps(str(current_scope().tenant_id), salt=SALT))
        return super().apply_async(args, kwargs, headers=headers, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.request.called_directly:
            current_scope()
            return super().__call__(*args, **kwargs)
        signed = getattr(self.request, HEADER, None) or (self.request.headers or {}).get(HEADER)
        if not signed:
            raise NoTenantScope
        scope = scope_of_id(UUID(signing.loads(signed, salt=SALT)))
        if scope is None:
            raise UnknownTenant
        with tenant_scope(scope):
            return super().__call__(*args, **kwargs)


class PublicTask(Task[Any, Any]):
    """Runs in the public scope: platform-wide work, and parents that fan out one task for each tenant."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if scope_or_none() is not None and not current_scope().is_public:
            raise RuntimeError("a platform task was called inside a tenant's scope")
        with public_scope():
            try:
                return super().__call__(*args, **kwargs)
            finally:
                if not self.request.called_directly:
                    connections.close_all()


def fan_out(task: Task[Any, Any]) -> int:
    """Send `task`, a `TenantTask` without arguments, for each tenant; answers how many."""
    scopes = list(snapshot().by_id.values())
    for scope in scopes:
        with tenant_scope(scope):
            task.delay()
    return len(scopes)
