"""A visitor makes a workspace and lands in it, signed in."""

import re
import time

import pytest
from django.core.cache import cache
from django.test import Client

from tenants import directory
from tenants.people.models import User
from tenants.scope import public_scope, tenant_scope
from tenants.services import spare_create

FACTS = {
    "workspace": "Initech GmbH",
    "slug": "initech",
    "name": "Ida",
    "email": "Ida@Initech.test",
    "password": "a long enough passphrase",
}


@pytest.fixture(autouse=True)
def no_attempts_yet(acme):
    with public_scope():
        cache.clear()


@pytest.fixture
def visitor():
    return Client(HTTP_HOST="localhost:8000")


def errors_in(answer) -> str:
    return " ".join(re.findall(r'field-error">.*?</svg>(.*?)</p>', answer.content.decode(), re.DOTALL))


@pytest.mark.django_db(transaction=True)
def test_it_works(visitor):
    spare_create()
    started = time.perf_counter()
    answer = visitor.post("/sign-up/", FACTS, follow=True)
    seconds = time.perf_counter() - started
    assert answer.status_code == 200
    assert seconds < 2
    target = re.search(
        r'http-equiv="refresh" content="0;url=(http://initech\.localhost:8000(/welcome/[^"]+))"',
        answer.content.decode(),
    )
    assert target is not None

    owner = Client(HTTP_HOST="initech.localhost:8000")
    arrived = owner.get(target.group(2))
    assert (arrived.status_code, arrived["Location"]) == (302, "/chat/")
    page = owner.get("/console/").content.decode()
    assert "Initech GmbH" in page
    scope = directory.scope_of_slug("initech")
    with tenant_scope(scope):
        user = User.objects.get()
    assert (user.email, user.name, user.role) == ("ida@initech.test", "Ida", "owner")

    somebody = Client(HTTP_HOST="initech.localhost:8000")
    again = somebody.get(target.group(2))
    assert again["Location"] == "/sign-in/"
    assert somebody.get("/profile/").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_it_works_with_an_empty_pool(visitor, acme):
    assert visitor.post("/sign-up/", FACTS).status_code == 302
    assert directory.scope_of_slug("initech") is not None


@pytest.mark.django_db(transaction=True)
def test_a_hand_over_link_ends_soon(visitor, monkeypatch):
    spare_create()
    location = visitor.post("/sign-up/", FACTS)["Location"]
    token = location.rstrip("/").rpartition("/")[2]
    monkeypatch.setattr("tenants.people.links.HANDOVER_SECONDS", -1)
    assert visitor.get(location).status_code == 404
    owner = Client(HTTP_HOST="initech.localhost")
    assert owner.get(f"/welcome/{token}/")["Location"] == "/sign-in/"


@pytest.mark.django_db(transaction=True)
def test_a_hand_over_link_opens_its_own_workspace_only(visitor, acme):
    spare_create()
    token = visitor.post("/sign-up/", FACTS)["Location"].rstrip("/").rpartition("/")[2]
    stranger = Client(HTTP_HOST="acme.localhost")
    assert stranger.get(f"/welcome/{token}/")["Location"] == "/sign-in/"
    assert stranger.get("/profile/").status_code == 302


@pytest.mark.parametrize(
    ("slug", "said"),
    [
        ("acme", "already taken"),
        ("ACME", "already taken"),
        ("admin", "already taken"),
        ("www", "already taken"),
        ("x", "2 to 40 letters"),
        ("has space", "2 to 40 letters"),
        ("-dash", "2 to 40 letters"),
        ("dash-", "2 to 40 letters"),
        ("a.b", "2 to 40 letters"),
        ("ümlaut", "2 to 40 letters"),
        ("", "required"),
    ],
)
def test_a_bad_address_is_refused_with_what_was_typed_kept(visitor, acme, slug, said):
    answer = visitor.post("/sign-up/", {**FACTS, "slug": slug})
    assert answer.status_code == 422
    assert said in errors_in(answer)
    page = answer.content.decode()
    assert "Initech GmbH" in page
    assert FACTS["password"] not in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("email", "nonsense", "valid email"),
        ("email", "", "required"),
        ("password", "short", "too short"),
        ("password", "1234567890123", "entirely numeric"),
        ("password", "Ida@Initech.test", "too similar"),
        ("workspace", "", "required"),
        ("workspace", "x" * 121, "at most 120"),
        ("name", "", "required"),
    ],
)
def test_bad_fields_are_named(visitor, acme, field, value, said):
    answer = visitor.post("/sign-up/", {**FACTS, field: value})
    assert answer.status_code == 422
    assert said in errors_in(answer)


def test_two_at_once_cannot_have_one_address(visitor, acme, monkeypatch):
    """The second passes the form's check and fails at the claim."""
    monkeypatch.setattr("panal.site.forms.is_free", lambda slug: True)
    answer = visitor.post("/sign-up/", {**FACTS, "slug": "acme"})
    assert answer.status_code == 422
    assert "already taken" in answer.content.decode()


def test_too_many_sign_ups_have_to_wait(visitor, acme, monkeypatch):
    monkeypatch.setattr("panal.site.views._sign_up", lambda form: None)
    statuses = {visitor.post("/sign-up/", FACTS).status_code for _ in range(20)}
    assert statuses == {422}
    answer = visitor.post("/sign-up/", FACTS)
    assert answer.status_code == 429
    assert "Too many attempts" in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"slug": "brand-new"}, "This address is free."),
        ({"slug": "acme"}, "This address is already taken."),
        ({"slug": "no good"}, "2 to 40 letters"),
        ({"workspace": "Müller & Söhne"}, 'value="muller-sohne"'),
        ({"workspace": "Acme"}, 'value="acme-team"'),
        ({"workspace": "東京"}, 'value="workspace"'),
        ({"workspace": "Another name", "slug": "my-own"}, 'value="my-own"'),
        ({"workspace": "New name", "slug": "old", "proposed": "old"}, 'value="new-name"'),
        ({}, "Letters, digits and hyphens."),
    ],
)
def test_the_address_field_answers_while_typing(visitor, acme, query, said):
    assert said in visitor.get("/sign-up/address/", query).content.decode()


def test_suggestions_are_free_and_valid(acme):
    from panal.site.addresses import suggestions
    from tenants.services import slug_clean

    for wish in ("acme", "admin", "", "x" * 80, "<script>", "9 lives", "--"):
        found = suggestions(wish)
        assert 1 <= len(found) <= 3
        assert "acme" not in found
        assert all(slug_clean(slug) == slug for slug in found)


def test_what_is_typed_comes_back_escaped(visitor, acme):
    hostile = '"><script>alert(1)</script>'
    page = visitor.post("/sign-up/", {**FACTS, "workspace": hostile, "slug": hostile}).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in visitor.get("/sign-up/address/", {"slug": hostile}).content.decode()
