"""The public schema's list of customers. Everything a customer owns lives in its own schema."""

import secrets
from uuid import UUID

from django.db import models
from django_tenants.models import DomainMixin, TenantMixin

from panal.kit.ids import uuid7
from tenants.scope import Scope

KEY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no look-alikes: people read tokens aloud
KEY_LENGTH = 8


def new_key() -> str:
    return "".join(secrets.choice(KEY_ALPHABET) for _ in range(KEY_LENGTH))


class Tenant(TenantMixin):
    """A customer, or a spare: a migrated schema waiting for one, so that sign-up takes a moment."""

    class Status(models.TextChoices):
        SPARE = "spare"
        ACTIVE = "active"
        SUSPENDED = "suspended"

    class Plan(models.TextChoices):
        FREE = "free"
        TEAM = "team"
        BUSINESS = "business"
        ENTERPRISE = "enterprise"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=KEY_LENGTH, unique=True, default=new_key)
    slug = models.CharField(max_length=40, unique=True, null=True)
    name = models.CharField(max_length=120, blank=True)
    plan = models.CharField(max_length=20, choices=Plan.choices, default=Plan.FREE)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.SPARE)
    created_at = models.DateTimeField(auto_now_add=True)
    claimed_at = models.DateTimeField(null=True)

    auto_create_schema = False
    auto_drop_schema = False

    def __str__(self) -> str:
        return self.slug or f"spare {self.key}"

    @property
    def scope(self) -> Scope:
        return Scope(
            tenant_id=self.id, schema=self.schema_name, slug=self.slug or "", key=self.key, plan=self.plan
        )


def schema_name_for(tenant_id: UUID) -> str:
    """Generated, never typed by anybody."""
    return f"t_{tenant_id.hex}"


class Domain(DomainMixin):
    """A customer's own host name. `<slug>.<base domain>` needs no row."""

    verified_at = models.DateTimeField(null=True)
