"""`/api/usage/` and `/api/usage/events/`: sums by what is asked, one's own rows only where the role says so."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from billing.rollup.models import DailyTotal
from billing.rollup.services import rollup_tenant
from billing.services import call_open, call_settle
from tenants.scope import public_scope, tenant_scope
from tests.billing.test_ledger import facts, outcome


@pytest.fixture
def calls(cast, globex_cast):
    def record(actor, **changes):
        call = facts(actor, **changes)
        with tenant_scope(actor.scope):
            call_open(facts=call)
            call_settle(event_id=call.event_id, outcome=outcome(input_tokens=1000, output_tokens=500))

    record(cast.member)
    record(cast.member, model="large", feature="api")
    record(cast.owner, model="large")
    record(cast.owner, started_at=timezone.now() - timedelta(days=40))
    record(globex_cast.owner, model="foreign")


def test_sums_by_feature_and_model(calls, cast, api):
    body = api(cast.owner).get("/api/usage/?group_by=model").json()
    assert {(row["model"], row["requests"]) for row in body["rows"]} == {("large", 2), ("small", 1)}
    assert set(body["rows"][0]) == {
        "model",
        "requests",
        "input_tokens",
        "output_tokens",
        "cost_usd",
        "billed_usd",
    }
    assert body["totals"]["requests"] == 3
    assert Decimal(body["totals"]["cost_usd"]) == Decimal("0.00135")
    assert body["totals"]["billed_usd"] == body["totals"]["cost_usd"]


def test_a_member_sees_only_their_own(calls, cast, api):
    body = api(cast.member).get("/api/usage/?group_by=user").json()
    assert [(row["user"], row["requests"]) for row in body["rows"]] == [(str(cast.member.user_id), 2)]
    events = api(cast.member).get("/api/usage/events/").json()["results"]
    assert len(events) == 2
    assert all(event["user_id"] == str(cast.member.user_id) for event in events)


def test_a_viewer_sees_none(calls, cast, api):
    response = api(cast.viewer).get("/api/usage/")
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_a_token_without_the_scope_is_refused(calls, cast, api):
    response = api(cast.owner, "chat").get("/api/usage/")
    assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")


def test_a_stranger_must_sign_in(calls, api):
    response = api(None, host="acme.localhost").get("/api/usage/")
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_a_token_of_another_workspace_is_unknown_here(calls, globex_cast, api):
    response = api(globex_cast.owner, host="acme.localhost").get("/api/usage/")
    assert (response.status_code, response.json()["code"]) == (401, "invalid_api_key")


def test_on_the_base_domain_the_token_names_the_workspace(calls, globex_cast, api):
    body = api(globex_cast.owner, host="localhost").get("/api/usage/?group_by=model").json()
    assert [row["model"] for row in body["rows"]] == ["foreign"]


def test_the_period_is_the_callers(calls, cast, api):
    since = (timezone.now() - timedelta(days=60)).date().isoformat()
    assert api(cast.owner).get(f"/api/usage/?from={since}").json()["totals"]["requests"] == 4
    assert api(cast.owner).get(f"/api/usage/?to={since}&from=2020-01-01").json()["totals"]["requests"] == 0


def test_an_odd_distance_from_utc_is_a_moment_all_the_same(calls, cast, api):
    query = "from=2020-01-01T00:00:00%2B23:59:59.999999"
    assert api(cast.owner).get(f"/api/usage/?{query}").json()["totals"]["requests"] == 4


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("group_by=password", "invalid_group_by"),
        ("group_by=,", "invalid_group_by"),
        ("from=yesterday", "invalid_period"),
        ("from=2026-02-02&to=2026-01-01", "invalid_period"),
        ("from=2026-13-01", "invalid_period"),
        ("to=9999-12-31", "invalid_period"),
        ("from=0001-01-01T00:00:00%2B14:00", "invalid_period"),
    ],
)
def test_bad_questions_say_what_is_wrong(calls, cast, api, query, code):
    response = api(cast.owner).get(f"/api/usage/?{query}")
    assert (response.status_code, response.json()["code"]) == (422, code)
    assert response["Content-Type"] == "application/problem+json"


def test_events_are_paged_by_cursor(calls, cast, api):
    client = api(cast.owner)
    first = client.get("/api/usage/events/?limit=2").json()
    rest = client.get(first["next"]).json()
    assert len(first["results"]) == 2
    assert len(rest["results"]) == 1
    assert rest["next"] is None


def test_the_owner_of_the_platform_gets_daily_totals(calls, acme):
    rollup_tenant(acme)
    rollup_tenant(acme)
    with public_scope():
        today = DailyTotal.objects.get(tenant_id=acme.tenant_id, day=timezone.now().date())
        assert (today.requests, today.active_users, today.cost_usd) == (3, 2, Decimal("0.00135"))
