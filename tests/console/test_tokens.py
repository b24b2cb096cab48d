"""The page of API tokens."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from tenants.people.models import ApiToken
from tenants.scope import tenant_scope


def create(client, **fields):
    return client.post("/console/tokens/new/", {"name": "ci", "scopes": ["chat"], "lifetime": "30", **fields})


def test_it_works(browser, api, cast):
    client = browser(cast.member)
    answer = create(client)
    raw = re.search(r'id="new-token-value"[^>]*>(pnl_\w+)<', answer.content.decode()).group(1)
    assert "no-store" in answer["Cache-Control"]
    assert raw not in client.get("/console/tokens/").content.decode()
    program = api(host="acme.localhost")
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {raw}")
    assert program.get("/api/me/").json()["token_scopes"] == ["chat"]
    with tenant_scope(cast.scope):
        ends = ApiToken.objects.get().expires_at
    assert timedelta(days=29) < ends - timezone.now() <= timedelta(days=30)


def test_a_token_may_have_no_end(browser, cast):
    create(browser(cast.member), lifetime="")
    with tenant_scope(cast.scope):
        assert ApiToken.objects.get().expires_at is None


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"scopes": []}, {"scopes": ["all"]}, {"lifetime": "9999"}, {"name": "x" * 81}]
)
def test_a_bad_token_is_refused_in_the_form(browser, cast, fields):
    answer = create(browser(cast.member), **fields)
    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()
    with tenant_scope(cast.scope):
        assert not ApiToken.objects.exists()


def test_admin_is_offered_to_those_who_are(browser, cast):
    assert 'value="admin"' not in browser(cast.member).get("/console/tokens/").content.decode()
    assert create(browser(cast.member), scopes=["admin"]).status_code == 422
    assert 'value="admin"' in browser(cast.admin).get("/console/tokens/").content.decode()


def test_members_see_their_own_and_managers_all(browser, cast):
    create(browser(cast.member), name="mine")
    create(browser(cast.owner), name="hers")
    shown = browser(cast.member).get("/console/tokens/").content.decode()
    assert "mine" in shown
    assert "hers" not in shown
    everything = browser(cast.admin).get("/console/tokens/").content.decode()
    assert "mine" in everything
    assert "hers" in everything


def test_revoking(browser, cast):
    client = browser(cast.member)
    create(client, name="mine")
    with tenant_scope(cast.scope):
        token = ApiToken.objects.get()
    shown = client.post(f"/console/tokens/{token.pk}/revoke/", follow=True).content.decode()
    assert "“mine” is revoked" in shown
    assert client.post(f"/console/tokens/{token.pk}/revoke/").status_code == 404


def test_others_tokens_are_not_found(browser, cast, globex_cast):
    create(browser(cast.owner))
    with tenant_scope(cast.scope):
        token = ApiToken.objects.get()
    assert browser(cast.member).post(f"/console/tokens/{token.pk}/revoke/").status_code == 404
    assert browser(globex_cast.owner).post(f"/console/tokens/{token.pk}/revoke/").status_code == 404
    with tenant_scope(cast.scope):
        assert ApiToken.objects.get().revoked_at is None


def test_hostile_names_are_shown_as_text(browser, cast):
    client = browser(cast.member)
    create(client, name="<script>alert(1)</script>")
    assert "<script>alert(1)" not in client.get("/console/tokens/").content.decode()


def test_no_tokens_yet(browser, cast):
    assert "No tokens yet" in browser(cast.member).get("/console/tokens/").content.decode()
