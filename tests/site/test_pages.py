"""The public site, and the pages for when something is wrong."""

import pytest
from django.test import Client


@pytest.fixture
def visitor(acme):
    return Client(HTTP_HOST="localhost:8000")


@pytest.mark.parametrize("path", ["/", "/sign-up/", "/find/", "/robots.txt", "/platform/sign-in/"])
def test_public_pages_open_to_everybody(visitor, path):
    assert visitor.get(path).status_code == 200


def test_the_landing_page_leads_to_sign_up(visitor):
    page = visitor.get("/").content.decode()
    assert 'href="/sign-up/"' in page
    assert 'base_url="http://localhost:8000/v1"' in page


@pytest.mark.parametrize("typed", ["acme", "Acme", "acme.localhost", "http://acme.localhost:8000/chat/"])
def test_finding_a_workspace(visitor, typed):
    page = visitor.post("/find/", {"slug": typed}).content.decode()
    assert "url=http://acme.localhost:8000/sign-in/" in page


@pytest.mark.parametrize("typed", ["nowhere", "", "a b", "<script>"])
def test_not_finding_one(visitor, typed):
    answer = visitor.post("/find/", {"slug": typed})
    assert answer.status_code == 422
    assert "<script>" + "</" not in answer.content.decode()


@pytest.mark.parametrize("host", ["nowhere.localhost", "a.b.localhost", "nowhere.localhost:8000"])
def test_an_unknown_workspace_is_a_friendly_404_without_queries(visitor, count_queries, host):
    visitor.get("/", headers={"host": host})  # the list of workspaces may be read once
    with count_queries() as queries:
        answer = visitor.get("/console/", headers={"host": host})
    assert answer.status_code == 404
    assert len(queries) == 0
    page = answer.content.decode()
    assert "no workspace at this address" in page
    port = ":8000" if host.endswith(":8000") else ""
    assert f'href="http://localhost{port}/find/"' in page


def test_an_unknown_page(visitor):
    answer = visitor.get("/nothing/here/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_an_unknown_page_of_a_workspace(browser, cast):
    assert "There is nothing here" in browser(cast.viewer).get("/nothing/").content.decode()


def test_a_defect_shows_a_calm_page_without_details(browser, cast, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("postgres://panal:hunter2@db")

    monkeypatch.setattr("tenants.people.views.ProfileForm", broken)
    client = browser(cast.viewer)
    client.raise_request_exception = False
    answer = client.get("/profile/")
    assert answer.status_code == 500
    page = answer.content.decode()
    assert "Something went wrong on our side" in page
    assert "hunter2" not in page
    assert "RuntimeError" not in page


def test_a_defect_of_the_api_is_a_problem(api, cast, monkeypatch):
    monkeypatch.setattr("tenants.people.api.can", lambda *_: 1 / 0)
    client = api(cast.viewer)
    client.raise_request_exception = False
    answer = client.get("/api/me/")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")


@pytest.mark.parametrize("path", ["/", "/sign-up/", "/find/"])
def test_pages_carry_the_security_headers(visitor, path):
    answer = visitor.get(path)
    policy = answer["Content-Security-Policy"]
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert nonce
    assert f'nonce="{nonce}"' in answer.content.decode()
    assert "unsafe-inline" not in policy
    assert "connect-src 'self' ws://localhost:8000 wss://localhost:8000;" in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_workspace_host_has_no_public_site(browser, cast):
    assert browser(host="acme.localhost").get("/sign-up/").status_code == 404
    assert browser(host="acme.localhost").get("/platform/").status_code == 404
