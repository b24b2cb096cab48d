"""Addresses: known ones without a query, unknown ones without any database work."""

import pytest
from django.db import connection
from django.test import Client

from tenants import directory
from tenants.models import Domain, Tenant
from tenants.scope import PUBLIC, public_scope


def test_hosts_name_their_workspace(acme, globex):
    assert directory.resolve_host("acme.localhost:8000") == acme
    assert directory.resolve_host("GLOBEX.localhost.") == globex
    assert directory.resolve_host("localhost:8000") == PUBLIC
    assert directory.resolve_host("127.0.0.1") == PUBLIC
    assert directory.resolve_host("[::1]:8000") == PUBLIC


@pytest.mark.parametrize(
    "host", ["nobody.localhost", "a.acme.localhost", "acme.example.com", "", "acme.localhost.evil"]
)
def test_other_hosts_name_none(acme, host):
    with pytest.raises(directory.UnknownWorkspace):
        directory.resolve_host(host)


def test_an_unknown_address_costs_no_database_work(acme):
    directory.snapshot()
    connection.force_debug_cursor = True
    before = len(connection.queries_log)
    response = Client(HTTP_HOST="nobody.localhost").get("/")
    assert len(connection.queries_log) == before
    assert response.status_code == 404
    assert b"workspace" in response.content.lower()


def test_a_verified_domain_is_found_and_an_unverified_one_is_not(acme):
    from django.utils import timezone

    with public_scope():
        Domain.objects.create(domain="ai.acme.test", tenant_id=acme.tenant_id, verified_at=timezone.now())
        Domain.objects.create(domain="claimed.acme.test", tenant_id=acme.tenant_id, is_primary=False)
    directory.changed()
    assert directory.resolve_host("ai.acme.test") == acme
    with pytest.raises(directory.UnknownWorkspace):
        directory.resolve_host("claimed.acme.test")


def test_a_suspended_workspace_is_gone(acme):
    with public_scope():
        Tenant.objects.filter(pk=acme.tenant_id).update(status=Tenant.Status.SUSPENDED)
    directory.changed()
    with pytest.raises(directory.UnknownWorkspace):
        directory.resolve_host("acme.localhost")


@pytest.fixture(autouse=True)
def forget():
    yield
    directory.changed()
