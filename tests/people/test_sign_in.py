"""Signing in and out on a workspace's own host."""

import pytest
from django.core.cache import cache

from tenants.people.models import User
from tenants.scope import tenant_scope
from tests.fixtures.tenants import PASSWORD

WRONG = "The e-mail or the password is not right."


@pytest.fixture(autouse=True)
def no_attempts_yet(acme):
    with tenant_scope(acme):
        cache.clear()


def sign_in(client, email, password=PASSWORD, **fields):
    return client.post("/sign-in/", {"email": email, "password": password, **fields})


def test_it_works(browser, cast):
    client = browser(host="acme.localhost")
    answer = sign_in(client, cast.member.email)
    assert (answer.status_code, answer["Location"]) == (302, "/chat/")
    assert client.get("/profile/").status_code == 200


def test_the_address_is_not_case_sensitive(browser, cast):
    assert sign_in(browser(host="acme.localhost"), cast.member.email.upper()).status_code == 302


def test_a_wrong_password_and_an_unknown_address_read_the_same(browser, cast):
    client = browser(host="acme.localhost")
    wrong = sign_in(client, cast.member.email, "not the password")
    unknown = sign_in(client, "nobody@acme.test", "not the password")
    assert wrong.status_code == unknown.status_code == 422
    assert WRONG in wrong.content.decode()
    assert WRONG in unknown.content.decode()


def test_empty_fields_are_named(browser, cast):
    answer = sign_in(browser(host="acme.localhost"), "", "")
    assert answer.status_code == 422
    assert answer.content.decode().count("This field is required.") == 2


def test_a_member_of_another_workspace_is_a_stranger(browser, cast, globex_cast):
    assert sign_in(browser(host="acme.localhost"), globex_cast.owner.email).status_code == 422


def test_a_session_does_not_open_another_workspace(browser, cast, globex):
    client = browser(cast.owner)
    answer = client.get("/profile/", headers={"host": "globex.localhost"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


def test_a_suspended_member_stays_out(browser, cast):
    inside = browser(cast.member)
    with tenant_scope(cast.scope):
        User.objects.filter(pk=cast.member.user_id).update(is_active=False)
    assert sign_in(browser(host="acme.localhost"), cast.member.email).status_code == 422
    assert inside.get("/profile/").status_code == 302


@pytest.mark.parametrize(
    ("wanted", "goes_to"),
    [
        ("/console/usage/?period=7d", "/console/usage/?period=7d"),
        ("https://evil.test/", "/chat/"),
        ("//evil.test/", "/chat/"),
        ("http://globex.localhost/", "/chat/"),
        ("javascript:alert(1)", "/chat/"),
        ("nowhere", "nowhere"),
        ("sign_out", "sign_out"),
    ],
)
def test_next_stays_on_this_host(browser, cast, wanted, goes_to):
    answer = sign_in(browser(host="acme.localhost"), cast.member.email, next=wanted)
    assert answer["Location"] == goes_to


def test_a_page_sends_a_stranger_to_sign_in_and_back(browser, cast):
    client = browser(host="acme.localhost")
    asked = client.get("/console/tokens/?sort=name")
    assert asked["Location"] == "/sign-in/?next=/console/tokens/%3Fsort%3Dname"
    page = client.get(asked["Location"]).content.decode()
    assert 'value="/console/tokens/?sort=name"' in page


def test_sign_out_needs_a_post(browser, cast):
    client = browser(cast.member)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").status_code == 302
    assert client.get("/profile/").status_code == 302


def test_too_many_attempts_say_how_long_to_wait(browser, cast):
    client = browser(host="acme.localhost")
    statuses = [sign_in(client, cast.member.email, "not the password").status_code for _ in range(10)]
    assert statuses == [422] * 10
    answer = sign_in(client, cast.member.email)  # the right one, too late
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 900
    assert "Too many attempts. Try again in" in answer.content.decode()
    assert sign_in(client, cast.owner.email).status_code == 302  # others may still come in


def test_a_stranger_elsewhere_does_not_keep_the_owner_out(browser, cast, globex_cast):
    client = browser(host="acme.localhost")
    for n in range(4):
        client.defaults["REMOTE_ADDR"] = f"203.0.113.{n}"
        assert {sign_in(client, cast.owner.email, "a guess").status_code for _ in range(10)} == {422}
        assert sign_in(client, cast.owner.email, "a guess").status_code == 429
    client.defaults["REMOTE_ADDR"] = "198.51.100.7"
    assert sign_in(client, cast.owner.email).status_code == 302


def test_guesses_from_everywhere_together_have_an_end(browser, cast):
    client = browser(host="acme.localhost")
    for n in range(10):
        client.defaults["REMOTE_ADDR"] = f"203.0.113.{n}"
        assert {sign_in(client, cast.owner.email, "a guess").status_code for _ in range(10)} == {422}
    client.defaults["REMOTE_ADDR"] = "203.0.113.99"
    assert sign_in(client, cast.owner.email, "a guess").status_code == 429


def test_another_spelling_of_an_address_has_no_attempts_of_its_own(browser, cast):
    """PostgreSQL takes `ſ` for an `S` where case does not count."""
    with tenant_scope(cast.scope):
        User.objects.filter(pk=cast.member.user_id).update(email="susi@acme.test")
    client = browser(host="acme.localhost")
    assert sign_in(client, "ſuſi@acme.teſt").status_code == 422
    assert sign_in(client, "suſi@acme.test").status_code == 422
    assert sign_in(client, "SuSI@acme.test").status_code == 302


@pytest.mark.parametrize("key", ["a" * 32 + "\\000", "A" * 32, "a" * 31 + "\\377", "short"])
def test_a_cookie_that_can_be_no_session_is_none(browser, cast, key):
    for path, status in (("/chat/", 302), ("/api/me/", 401)):
        client = browser(host="acme.localhost")
        assert client.get(path, headers={"cookie": f'panal_session="{key}"'}).status_code == status


def test_signing_in_forgets_the_failed_attempts(browser, cast):
    client = browser(host="acme.localhost")
    for _ in range(9):
        sign_in(client, cast.member.email, "not the password")
    assert sign_in(client, cast.member.email).status_code == 302
    client.post("/sign-out/")
    assert sign_in(client, cast.member.email, "not the password").status_code == 422


def test_one_network_address_cannot_try_everybody(browser, cast):
    client = browser(host="acme.localhost")
    statuses = {sign_in(client, f"person{n}@acme.test", "x").status_code for n in range(60)}
    assert statuses == {422}
    assert sign_in(client, "one-more@acme.test", "x").status_code == 429


def test_forms_need_the_csrf_token(cast):
    from django.test import Client

    client = Client(HTTP_HOST="acme.localhost", enforce_csrf_checks=True)
    answer = sign_in(client, cast.member.email)
    assert answer.status_code == 403
    assert "reload the page" in answer.content.decode()
