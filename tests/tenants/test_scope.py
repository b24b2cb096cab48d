"""No query without a scope; a scope per context, whatever thread or task runs it."""

import asyncio
import threading

import pytest
from django.db import connection, connections

from tenants.names import cache_key, redis_key, storage_path
from tenants.people.models import User
from tenants.scope import NoTenantScope, current_scope, in_tenant, public_scope, tenant_scope


def emails() -> set[str]:
    return set(User.objects.values_list("email", flat=True))


def test_each_tenant_reads_its_own_rows(acme, globex):
    with tenant_scope(acme):
        assert "ana@acme.test" in emails()
    with tenant_scope(globex):
        assert "gina@globex.test" in emails()
        assert not any(email.endswith("acme.test") for email in emails())


def test_a_query_without_a_scope_raises(acme):
    with pytest.raises(NoTenantScope):
        User.objects.count()


def test_public_is_no_fallback(acme):
    with tenant_scope(acme), connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('tenants_tenant')")
        assert cursor.fetchone() == (None,)
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('billing_usageevent')")
        assert cursor.fetchone() == (None,)


def test_a_raw_thread_starts_without_a_scope(acme):
    seen: list[BaseException] = []

    def read() -> None:
        try:
            emails()
        except NoTenantScope as error:
            seen.append(error)
        finally:
            connections.close_all()

    with tenant_scope(acme):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    assert len(seen) == 1


@pytest.mark.parametrize("name", [redis_key, storage_path])
def test_names_refuse_without_a_scope(name, acme, globex):
    with pytest.raises(NoTenantScope):
        name("x")
    with tenant_scope(acme):
        ours = name("x")
    with tenant_scope(globex):
        assert name("x") != ours
    assert str(acme.tenant_id) in ours


def test_cache_keys_differ_by_tenant(acme, globex):
    with pytest.raises(NoTenantScope):
        cache_key("k", "", 1)
    with tenant_scope(acme):
        ours = cache_key("k", "", 1)
    with tenant_scope(globex):
        assert cache_key("k", "", 1) != ours


@pytest.mark.django_db(transaction=True)
async def test_interleaved_tasks_keep_their_tenants(acme, globex):
    async def read_often(scope) -> set[str]:
        seen: set[str] = set()
        for _ in range(20):
            seen |= await in_tenant(scope, emails)
            await asyncio.sleep(0)
        return seen

    results = await asyncio.gather(*(read_often(scope) for scope in (acme, globex) * 8))
    for scope, seen in zip((acme, globex) * 8, results, strict=True):
        assert seen
        assert all(email.endswith(f"{scope.slug}.test") for email in seen)


def test_scopes_nest_and_unwind(acme, globex):
    with tenant_scope(acme):
        with tenant_scope(globex):
            assert current_scope() == globex
        assert current_scope() == acme
        assert "ana@acme.test" in emails()
