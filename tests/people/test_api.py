"""`/api/me/`, `/api/members/` and `/api/tokens/`."""

import pytest
from django.core import mail
from django.core.cache import cache

from tenants.people.models import User
from tenants.scope import tenant_scope


@pytest.fixture(autouse=True)
def letters_at_once(settings):
    settings.CELERY_TASK_ALWAYS_EAGER = True


@pytest.fixture(autouse=True)
def no_attempts_yet(acme):
    with tenant_scope(acme):
        cache.clear()


def test_me(api, cast):
    body = api(cast.member, "chat").get("/api/me/").json()
    assert (body["email"], body["role"], body["workspace"]) == (cast.member.email, "member", "acme")
    assert body["token_scopes"] == ["chat"]
    assert "chat" in body["allowed"]
    assert "members.read" not in body["allowed"]


def test_me_needs_a_credential(api, cast):
    answer = api(host="acme.localhost").get("/api/me/")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_members_are_listed_in_pages(api, cast):
    body = api(cast.admin).get("/api/members/?limit=3").json()
    assert len(body["results"]) == 3
    rest = api(cast.admin).get(body["next"].partition("localhost")[2]).json()
    assert len(rest["results"]) == 1
    assert rest["next"] is None
    emails = {row["email"] for row in [*body["results"], *rest["results"]]}
    assert emails == {actor.email for actor in cast}


def test_a_member_is_added_and_written_to(api, cast, django_capture_on_commit_callbacks):
    with tenant_scope(cast.scope), django_capture_on_commit_callbacks(execute=True):
        answer = api(cast.admin).post("/api/members/", {"email": "New@Acme.test", "role": "viewer"})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["email"], body["role"], body["is_active"]) == ("new@acme.test", "viewer", True)
    assert body["password_link"].startswith("http://acme.localhost/password/")
    assert body["password_link"] in mail.outbox[0].body
    again = api(cast.admin).post("/api/members/", {"email": "new@acme.test"})
    assert (again.status_code, again.json()["code"]) == (409, "email_taken")


@pytest.mark.parametrize(
    "body", [{}, {"email": "no"}, {"email": "a@b.test", "role": "owner"}, {"email": ["a"]}, []]
)
def test_a_bad_member_is_refused(api, cast, body):
    answer = api(cast.admin).post("/api/members/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_a_member_is_changed(api, cast):
    client = api(cast.admin)
    path = f"/api/members/{cast.viewer.user_id}/"
    assert client.patch(path, {"role": "admin"}, format="json").json()["role"] == "admin"
    assert client.patch(path, {"is_active": False}, format="json").json()["is_active"] is False
    assert client.get(path).json()["role"] == "admin"


def test_a_suspended_member_has_no_tokens_any_more(api, cast):
    theirs = api(cast.viewer)
    assert theirs.get("/api/me/").status_code == 200
    api(cast.admin).patch(f"/api/members/{cast.viewer.user_id}/", {"is_active": False}, format="json")
    assert theirs.get("/api/me/").status_code == 401


def test_a_member_is_removed(api, cast):
    path = f"/api/members/{cast.viewer.user_id}/"
    assert api(cast.admin).delete(path).status_code == 204
    assert api(cast.admin).get(path).status_code == 404
    with tenant_scope(cast.scope):
        assert not User.objects.filter(pk=cast.viewer.user_id).exists()


def test_the_owner_is_protected(api, cast):
    path = f"/api/members/{cast.owner.user_id}/"
    for answer in (
        api(cast.admin).patch(path, {"role": "viewer"}, format="json"),
        api(cast.admin).patch(path, {"is_active": False}, format="json"),
        api(cast.admin).delete(path),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "owner_protected")


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_somebody_of_another_workspace_is_not_found(api, cast, globex_cast, method):
    answer = getattr(api(cast.owner), method)(f"/api/members/{globex_cast.viewer.user_id}/", format="json")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("role", ["member", "viewer"])
@pytest.mark.parametrize(("method", "path"), [("get", ""), ("post", ""), ("patch", "id"), ("delete", "id")])
def test_others_may_not_manage_members(api, cast, role, method, path):
    url = "/api/members/" + (f"{cast.viewer.user_id}/" if path else "")
    answer = getattr(api(getattr(cast, role), session=True), method)(url, {}, format="json")
    assert answer.status_code == 403


def test_a_token_is_shown_once(api, cast):
    client = api(cast.member, session=True)
    made = client.post("/api/tokens/", {"name": "ci", "scopes": ["chat"]}, format="json")
    assert made.status_code == 201
    raw = made.json()["token"]
    assert raw.startswith("pnl_")
    listed = client.get("/api/tokens/").json()["results"]
    assert [row["name"] for row in listed] == ["ci"]
    assert raw not in client.get("/api/tokens/").content.decode()
    program = api(host="acme.localhost")
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {raw}")
    assert program.get("/api/me/").json()["token_scopes"] == ["chat"]


def test_a_revoked_token_is_nothing(api, cast):
    client = api(cast.member, session=True)
    made = client.post("/api/tokens/", {"name": "ci", "scopes": ["chat"]}, format="json").json()
    program = api(host="acme.localhost")
    program.credentials(HTTP_AUTHORIZATION=f"Bearer {made['token']}")
    assert client.delete(f"/api/tokens/{made['id']}/").status_code == 204
    assert (program.get("/api/me/").status_code, program.get("/api/me/").json()["code"]) == (
        401,
        "invalid_api_key",
    )
    assert client.delete(f"/api/tokens/{made['id']}/").status_code == 404


@pytest.mark.parametrize(
    "body", [{"scopes": ["chat"]}, {"name": "x", "scopes": []}, {"name": "x", "scopes": ["all"]}]
)
def test_a_bad_token_is_refused(api, cast, body):
    assert api(cast.member, session=True).post("/api/tokens/", body, format="json").status_code == 422


def test_members_see_their_own_tokens_and_managers_all(api, cast):
    theirs = api(cast.member, session=True)
    made = theirs.post("/api/tokens/", {"name": "mine", "scopes": ["chat"]}, format="json").json()
    api(cast.owner, session=True).post("/api/tokens/", {"name": "hers", "scopes": ["admin"]}, format="json")
    assert {row["name"] for row in theirs.get("/api/tokens/").json()["results"]} == {"mine"}
    managers = api(cast.admin, session=True)
    assert {row["name"] for row in managers.get("/api/tokens/").json()["results"]} == {"mine", "hers"}
    hers = next(row for row in managers.get("/api/tokens/").json()["results"] if row["name"] == "hers")
    assert theirs.delete(f"/api/tokens/{hers['id']}/").status_code == 404
    assert managers.delete(f"/api/tokens/{made['id']}/").status_code == 204


def test_a_token_without_the_scope_says_so(api, cast):
    answer = api(cast.owner, "chat").get("/api/tokens/")
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


def test_a_token_opens_its_own_workspace_only(api, cast, globex, token):
    elsewhere = api(host="globex.localhost")
    elsewhere.credentials(HTTP_AUTHORIZATION=f"Bearer {token(cast.owner)}")
    assert elsewhere.get("/api/members/").status_code == 401


def test_the_base_domain_finds_the_workspace_by_token(api, cast, token):
    client = api(host="localhost")
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token(cast.owner)}")
    assert client.get("/api/me/").json()["workspace"] == "acme"


def test_writes_of_a_session_need_the_csrf_token(cast):
    from rest_framework.test import APIClient

    from tests.fixtures.tenants import PASSWORD

    client = APIClient(enforce_csrf_checks=True, HTTP_HOST="acme.localhost")
    with tenant_scope(cast.scope):
        client.login(username=cast.member.email, password=PASSWORD)
    answer = client.post("/api/tokens/", {"name": "x", "scopes": ["chat"]}, format="json")
    assert answer.status_code == 403


def test_broken_json_is_a_problem(api, cast):
    answer = api(cast.owner).post("/api/members/", b"{", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


def test_an_unknown_path_is_a_problem(api, cast):
    answer = api(cast.owner).get("/api/nothing/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not_found"


def test_invitations_to_one_address_have_an_end(api, cast):
    """Whoever signs up may write to strangers in the platform's name: not over and over."""
    client = api(cast.owner)
    for _ in range(5):
        added = client.post("/api/members/", {"email": "again@acme.test"}, format="json").json()
        assert client.delete(f"/api/members/{added['id']}/").status_code == 204
    answer = client.post("/api/members/", {"email": "again@acme.test"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert int(answer["Retry-After"]) > 0
    with tenant_scope(cast.scope):
        assert not User.objects.filter(email="again@acme.test").exists()


def test_names_add_no_lines_to_a_letter(api, cast):
    mischief = "Bees\n\nYour account is locked: http://evil.test/"
    added = api(cast.owner).post("/api/members/", {"email": "x@acme.test", "name": mischief}, format="json")
    assert added.json()["name"] == "Bees Your account is locked: http://evil.test/"
