"""Tasks run in the scope they were sent from, once for each tenant where they are fanned out."""

import pytest
from celery import shared_task

from tenants.celery import PublicTask, TenantTask, fan_out
from tenants.scope import NoTenantScope, current_scope, public_scope, tenant_scope

seen: list[str] = []


@shared_task(base=TenantTask)
def note_scope() -> None:
    seen.append(current_scope().slug)


@shared_task(base=PublicTask)
def note_public() -> None:
    seen.append(current_scope().schema)


@pytest.fixture(autouse=True)
def eager(settings):
    settings.CELERY_TASK_ALWAYS_EAGER = True
    seen.clear()


def test_once_for_each_tenant(acme, globex):
    with public_scope():
        assert fan_out(note_scope) == 2
        assert current_scope().is_public
    assert sorted(seen) == [acme.slug, globex.slug]


def test_a_tenants_task_is_not_sent_without_a_scope():
    with pytest.raises(NoTenantScope):
        note_scope.delay()
    assert seen == []


def test_a_platform_task_is_refused_inside_a_tenant(acme):
    with tenant_scope(acme), pytest.raises(RuntimeError, match="inside a tenant"):
        note_public.delay().get()
    note_public.delay()
    assert seen == ["public"]
