"""Making workspaces. Sign-up takes a ready schema from a pool of spares, so it takes a moment, not a migration."""

import re

from django.db import IntegrityError, transaction
from django.utils import timezone

from panal.kit.ids import uuid7
from tenants import directory
from tenants.errors import BadPlan, BadSlug, SlugTaken
from tenants.models import Tenant, schema_name_for
from tenants.people.models import User
from tenants.people.services import owner_create
from tenants.scope import Scope, public_scope, tenant_scope

SLUG = re.compile(r"^[a-z][a-z0-9-]{0,38}[a-z0-9]$")
RESERVED_SLUGS = frozenset(
    [
        "www",
        "api",
        "app",
        "admin",
        "platform",
        "mail",
        "smtp",
        "static",
        "assets",
        "media",
        "internal",
        "public",
        "status",
        "docs",
        "help",
        "support",
        "billing",
        "login",
        "signup",
        "account",
        "demo-data",
        "ns1",
        "ns2",
        "metrics",
        "health",
    ]
)
SPARE_TARGET = 3


def slug_clean(raw: str) -> str:
    """The address as it will be used. Raises `BadSlug` or `SlugTaken` (reserved names)."""
    slug = raw.strip().lower()
    if not SLUG.match(slug):
        raise BadSlug
    if slug in RESERVED_SLUGS:
        raise SlugTaken
    return slug


def spare_create() -> Tenant:
    """One migrated, empty schema, claimed by nobody. It is listed last, so that nobody claims it half made."""
    tenant_id = uuid7()
    tenant = Tenant(id=tenant_id, schema_name=schema_name_for(tenant_id))
    with public_scope():
        tenant.create_schema(check_if_exists=True, verbosity=0)
        tenant.save(force_insert=True)
    return tenant


def spare_pool_fill(*, target: int = SPARE_TARGET) -> int:
    """Bring the pool to `target` spares; answers how many it made."""
    with public_scope():
        missing: int = target - Tenant.objects.filter(status=Tenant.Status.SPARE).count()
    for _ in range(max(missing, 0)):
        spare_create()
    return max(missing, 0)


def _spare_claim(*, slug: str, name: str, plan: str) -> Tenant:
    spares = Tenant.objects.select_for_update(skip_locked=True).filter(status=Tenant.Status.SPARE)
    tenant: Tenant | None = spares.first()
    if tenant is None:
        raise LookupError
    tenant.slug, tenant.name, tenant.plan = slug, name, plan
    tenant.status = Tenant.Status.ACTIVE
    tenant.claimed_at = timezone.now()
    tenant.save(update_fields=["slug", "name", "plan", "status", "claimed_at"])
    return tenant


def _claim_with_owner(
    *, slug: str, name: str, plan: str, email: str, password: str, owner_name: str
) -> Scope:
    with public_scope(), transaction.atomic():
        try:
            with transaction.atomic():
                tenant = _spare_claim(slug=slug, name=name, plan=plan)
        except IntegrityError as error:
            raise SlugTaken from error
        with tenant_scope(tenant.scope):
            owner_create(email=email, password=password, name=owner_name)
        return tenant.scope


def tenant_create(
    *, slug: str, name: str, plan: str, owner_email: str, owner_password: str, owner_name: str = ""
) -> Scope:
    """A ready workspace with its owner, in one transaction.

    Raises `BadSlug`, `SlugTaken`, `BadPlan`, `BadEmail`, `WeakPassword`.
    """
    slug = slug_clean(slug)
    if plan not in Tenant.Plan.values:
        raise BadPlan
    with public_scope():
        if Tenant.objects.filter(slug=slug).exists():
            raise SlugTaken
    facts = {
        "slug": slug,
        "name": name.strip() or slug,
        "plan": plan,
        "email": owner_email,
        "password": owner_password,
        "owner_name": owner_name,
    }
    try:
        scope = _claim_with_owner(**facts)
    except LookupError:
        spare_create()
        scope = _claim_with_owner(**facts)
    directory.changed()
    return scope


def owner_of(scope: Scope) -> User:
    with tenant_scope(scope):
        return User.objects.get(role=User.Role.OWNER)
