"""The platform owner's page on the base domain."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from billing.rollup.models import DailyTotal
from panal.owner.staff import platform_owner_create
from tenants.people.models import User
from tenants.scope import public_scope
from tests.fixtures.tenants import PASSWORD


@pytest.fixture
def staff(acme, globex):
    with public_scope():
        cache.clear()
        return platform_owner_create(email="root@panal.test", password=PASSWORD, name="Root")


@pytest.fixture
def client(staff):
    client = Client(HTTP_HOST="localhost")
    answer = client.post("/platform/sign-in/", {"email": staff.email, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/platform/")
    return client


@pytest.fixture
def used():
    """`used(acme, requests=5, days_ago=1)` -> one day of one workspace."""

    def make(scope, *, requests=5, days_ago=1, cost="0.5"):
        with public_scope():
            DailyTotal.objects.create(
                tenant_id=scope.tenant_id, day=timezone.now().date() - timedelta(days=days_ago), requests=requests,
                input_tokens=100, output_tokens=50, cost_usd=cost, active_users=2,
            )  # fmt: skip

    return make


def test_it_works(client, acme, globex, used):
    used(acme, requests=5)
    used(acme, requests=7, days_ago=3)
    used(globex, requests=900, days_ago=40)
    answer = client.get("/platform/")
    rows = {tenant.slug: (tenant, members) for tenant, members in answer.context["rows"]}
    tenant, members = rows["acme"]
    assert (tenant.requests, tenant.tokens, tenant.cost_usd, members) == (12, 300, 1, 4)
    assert rows["globex"][0].requests == 0
    assert answer.context["totals"].workspaces == 2
    assert answer.context["totals"].requests == 12
    assert "acme.localhost" in answer.content.decode()


@pytest.mark.parametrize(
    "sort", ["name", "-name", "slug", "plan", "created", "requests", "-tokens", "-cost", "active", "x"]
)
def test_sorting(client, acme, used, sort):
    used(acme)
    assert client.get("/platform/", {"sort": sort}).status_code == 200


def test_searching(client, acme):
    assert [tenant.slug for tenant, _ in client.get("/platform/?q=GLOB").context["rows"]] == ["globex"]
    assert client.get("/platform/", {"q": "\x00"}).status_code == 200
    assert "No workspace by that name" in client.get("/platform/?q=zzz").content.decode()


@pytest.mark.django_db(transaction=True)
def test_health_of_the_parts(client):
    shown = client.get("/platform/health/").content.decode()
    for part in ("Database", "Redis", "Worker", "Pools"):
        assert part in shown
    assert "Works with limits" in shown  # no worker runs in this test


@pytest.mark.parametrize("path", ["/platform/", "/platform/health/", "/platform/profile/"])
def test_strangers_are_sent_to_the_staffs_sign_in(acme, path):
    answer = Client(HTTP_HOST="localhost").get(path)
    assert answer["Location"] == f"/platform/sign-in/?next={path}"


@pytest.mark.parametrize("role", ["member", "viewer"])
@pytest.mark.parametrize("path", ["/platform/", "/platform/health/"])
def test_staff_without_the_right_are_refused(client, staff, role, path):
    with public_scope():
        User.objects.filter(pk=staff.pk).update(role=role)
    assert client.get(path).status_code == 403


def test_a_workspaces_owner_is_no_staff(browser, cast, staff):
    assert browser(cast.owner).get("/platform/", headers={"host": "localhost"}).status_code == 302
    answer = Client(HTTP_HOST="localhost").post(
        "/platform/sign-in/", {"email": cast.owner.email, "password": PASSWORD}
    )
    assert answer.status_code == 422


def test_staff_are_strangers_in_a_workspace(client):
    answer = client.get("/console/", headers={"host": "acme.localhost"})
    assert answer["Location"].startswith("/sign-in/")
    entered = Client(HTTP_HOST="acme.localhost").post(
        "/sign-in/", {"email": "root@panal.test", "password": PASSWORD}
    )
    assert entered.status_code == 422


def test_staff_have_a_profile_and_a_way_out(client):
    assert "root@panal.test" in client.get("/platform/profile/").content.decode()
    assert client.post("/platform/sign-out/")["Location"] == "/platform/sign-in/"
    assert client.get("/platform/").status_code == 302


def run(**options):
    out = StringIO()
    call_command("platform_owner_create", stdout=out, **options)
    return json.loads(out.getvalue())


def test_the_command_makes_staff(acme):
    first = run(email="One@panal.test", password=PASSWORD)
    assert (first["email"], first["role"]) == ("one@panal.test", "owner")
    assert run(email="two@panal.test", password=PASSWORD)["role"] == "admin"
    with pytest.raises(CommandError, match="email_taken"):
        run(email="ONE@panal.test", password=PASSWORD)
    with pytest.raises(CommandError, match="weak_password"):
        run(email="three@panal.test", password="short")
