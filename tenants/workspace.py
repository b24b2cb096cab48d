"""The current workspace's own facts that pages show. The row lives in the public schema."""

from django.core.cache import cache

from panal.kit.errors import Invalid
from tenants.actors import Actor
from tenants.models import Tenant
from tenants.policy import Action, require
from tenants.scope import current_scope, public_scope

CACHE_KEY = "workspace-name"
CACHE_SECONDS = 300
LONGEST_NAME = 120


class BadWorkspaceName(Invalid):
    code = "invalid_name"
    detail = f"A workspace needs a name of 1 to {LONGEST_NAME} characters."


def workspace_name() -> str:
    """The name of the current scope's workspace, empty for the platform itself; kept in the cache."""
    scope = current_scope()
    if scope.is_public:
        return ""
    name = cache.get(CACHE_KEY)
    if name is None:
        with public_scope():
            name = Tenant.objects.values_list("name", flat=True).get(pk=scope.tenant_id)
        cache.set(CACHE_KEY, name, timeout=CACHE_SECONDS)
    return str(name)


def workspace_rename(*, actor: Actor, name: str) -> str:
    require(actor, Action.WORKSPACE_MANAGE)
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise BadWorkspaceName
    with public_scope():
        Tenant.objects.filter(pk=actor.scope.tenant_id).update(name=name)
    cache.delete(CACHE_KEY)
    return name
