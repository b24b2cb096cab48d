"""Forgotten passwords, invitations and changing one's own password."""

import re

import pytest
from django.core import mail
from django.core.cache import cache

from tenants.people.models import User
from tenants.people.services import member_add
from tenants.scope import tenant_scope
from tests.fixtures.tenants import PASSWORD

NEW = "a fresh and longer one 7"


@pytest.fixture(autouse=True)
def no_attempts_yet(acme, settings):
    settings.CELERY_TASK_ALWAYS_EAGER = True
    with tenant_scope(acme):
        cache.clear()


@pytest.fixture
def at_once(django_capture_on_commit_callbacks, acme):
    """Letters leave after the commit; a test's own transaction never commits."""

    def run(fn):
        with tenant_scope(acme), django_capture_on_commit_callbacks(execute=True):
            return fn()

    return run


def link_in(message) -> str:
    return re.search(r"http://acme\.localhost(/password/\S+)", message.body).group(1)


def ask(client, email):
    return client.post("/password/", {"email": email}, follow=True)


def test_it_works(browser, cast, at_once):
    client = browser(host="acme.localhost")
    page = at_once(lambda: ask(client, cast.member.email))
    assert page.status_code == 200
    [message] = mail.outbox
    assert message.to == [cast.member.email]
    link = link_in(message)
    assert client.get(link).status_code == 200
    assert client.post(link, {"password": NEW}).status_code == 302
    assert client.get("/profile/").status_code == 200
    with tenant_scope(cast.scope):
        assert User.objects.get(pk=cast.member.user_id).check_password(NEW)


def test_the_answer_does_not_tell_who_is_a_member(browser, cast, at_once):
    known = at_once(lambda: ask(browser(host="acme.localhost"), cast.member.email))
    unknown = at_once(lambda: ask(browser(host="acme.localhost"), "nobody@acme.test"))
    assert (known.status_code, known.redirect_chain) == (unknown.status_code, unknown.redirect_chain)
    assert len(mail.outbox) == 1


def test_a_letter_names_the_workspaces_own_host_whatever_the_request_says(browser, cast, at_once, settings):
    settings.PANAL_BASE_DOMAIN = "panal.example"
    at_once(lambda: ask(browser(host="acme.localhost"), cast.member.email))
    assert "http://acme.panal.example/password/" in mail.outbox[0].body
    assert "localhost" not in mail.outbox[0].body


def test_a_link_works_once(browser, cast, at_once):
    at_once(lambda: ask(browser(host="acme.localhost"), cast.member.email))
    link = link_in(mail.outbox[0])
    assert browser(host="acme.localhost").post(link, {"password": NEW}).status_code == 302
    again = browser(host="acme.localhost").get(link)
    assert again.status_code == 404
    assert "no longer" in again.content.decode()


def test_a_link_of_one_workspace_is_nothing_in_another(browser, cast, globex, at_once):
    at_once(lambda: ask(browser(host="acme.localhost"), cast.member.email))
    assert browser(host="globex.localhost").get(link_in(mail.outbox[0])).status_code == 404


def test_an_invented_link_is_refused(browser, cast):
    assert browser(host="acme.localhost").get(f"/password/{cast.member.user_id}/abc-def/").status_code == 404


def test_a_weak_password_is_refused_at_the_field(browser, cast, at_once):
    at_once(lambda: ask(browser(host="acme.localhost"), cast.member.email))
    client = browser(host="acme.localhost")
    answer = client.post(link_in(mail.outbox[0]), {"password": "short"})
    assert answer.status_code == 422
    assert "too short" in answer.content.decode()
    assert client.get("/profile/").status_code == 302


def test_asking_too_often_is_refused(browser, cast, at_once):
    client = browser(host="acme.localhost")
    for _ in range(5):
        at_once(lambda: ask(client, cast.member.email))
    assert client.post("/password/", {"email": cast.member.email}).status_code == 429
    assert len(mail.outbox) == 5


def test_a_line_break_in_a_name_makes_no_header(api, cast, at_once):
    from tenants.authentication import actor_of_user
    from tenants.people.accounts import member_invite

    with tenant_scope(cast.scope):
        owner = User.objects.get(pk=cast.owner.user_id)
        owner.name = "Ana\nBcc: all@evil.test"
        invited = member_add(actor=cast.owner, email="new@acme.test")
        request = api(cast.owner).get("/api/me/").wsgi_request
        at_once(lambda: member_invite(actor=actor_of_user(owner, cast.scope), user=invited, request=request))
    assert "\n" not in mail.outbox[0].subject
    assert mail.outbox[0].message()["Bcc"] is None


def test_changing_ones_password_signs_other_devices_out(browser, cast):
    here, elsewhere = browser(cast.member), browser(cast.member)
    answer = here.post("/profile/password/", {"current": PASSWORD, "password": NEW})
    assert answer.status_code == 302
    assert here.get("/profile/").status_code == 200
    assert elsewhere.get("/profile/").status_code == 302


def test_changing_needs_the_current_password(browser, cast):
    answer = browser(cast.member).post("/profile/password/", {"current": "no", "password": NEW})
    assert answer.status_code == 422
    assert "not your current password" in answer.content.decode()


def test_a_name_is_saved_and_escaped(browser, cast):
    client = browser(cast.member)
    assert client.post("/profile/", {"name": "<script>alert(1)</script>"}).status_code == 302
    page = client.get("/profile/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_name_too_long_is_refused(browser, cast):
    assert browser(cast.member).post("/profile/", {"name": "x" * 121}).status_code == 422
