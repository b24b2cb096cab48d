"""Every page × every role. The table is checked against the address tables: a page that is missing here fails."""

from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern

NOBODY = "stranger"
ROLES = (NOBODY, "viewer", "member", "admin", "owner")
EVERYBODY = {"viewer", "member", "admin", "owner"}
MEMBERS = {"member", "admin", "owner"}
MANAGERS = {"admin", "owner"}


@dataclass(frozen=True)
class Page:
    allowed: frozenset
    method: str = "get"


def page(allowed, method="get") -> Page:
    return Page(frozenset(allowed), method)


CONSOLE = {
    "console:overview": page(EVERYBODY),
    "console:members": page(MANAGERS),
    "console:member_new": page(MANAGERS, "post"),
    "console:member_role": page(MANAGERS, "post"),
    "console:member_active": page(MANAGERS, "post"),
    "console:member_link": page(MANAGERS, "post"),
    "console:member_remove": page(MANAGERS, "post"),
    "console:tokens": page(MEMBERS),
    "console:token_new": page(MEMBERS, "post"),
    "console:token_revoke": page(MEMBERS, "post"),
    "console:knowledge": page(EVERYBODY),
    "console:knowledge_new": page(MANAGERS, "post"),
    "console:knowledge_base": page(EVERYBODY),
    "console:knowledge_documents": page(EVERYBODY),
    "console:knowledge_search": page(EVERYBODY),
    "console:knowledge_edit": page(MANAGERS, "post"),
    "console:knowledge_delete": page(MANAGERS, "post"),
    "console:knowledge_upload": page(MANAGERS, "post"),
    "console:knowledge_retry": page(MANAGERS, "post"),
    "console:document": page(EVERYBODY),
    "console:document_retry": page(MANAGERS, "post"),
    "console:document_delete": page(MANAGERS, "post"),
    "console:models": page(EVERYBODY),
    "console:models_live": page(EVERYBODY),
    "console:usage": page(MEMBERS),
    "console:usage_csv": page(MEMBERS),
    "console:settings": page(MANAGERS),
    "profile": page(EVERYBODY),
    "password_change": page(EVERYBODY, "post"),
}
OPEN = {"home", "sign_in", "sign_out", "password_forgotten", "password_set", "handover", "schema", "api-docs"}
ELSEWHERE = ("chat",)  # the chat's own tests
PLATFORM = {"platform", "platform_health"}
SITE = {"landing", "sign_up", "sign_up_address", "sign_up_ready", "find_workspace", "robots"}


def named(resolver, prefix=""):
    """(name, pattern) of every page below; the API's routes are checked by their own table."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield f"{prefix}{entry.name}", entry
        elif str(entry.pattern) != "api/":
            inner = f"{prefix}{entry.namespace}:" if entry.namespace else prefix
            yield from named(entry, inner)


def address_of(name: str) -> str:
    pattern = dict(named(get_resolver("panal.urls")))[name].pattern
    words = {key: ("day" if key == "group" else uuid4()) for key in pattern.converters}
    return reverse(name, urlconf="panal.urls", kwargs=words)


def test_the_table_names_every_page_of_a_workspace():
    found = {name for name, _ in named(get_resolver("panal.urls")) if not name.startswith(ELSEWHERE)}
    assert found == CONSOLE.keys() | OPEN


def test_the_table_names_every_page_of_the_base_domain():
    found = {name for name, _ in named(get_resolver("panal.urls_public"))}
    assert found == SITE | PLATFORM | (OPEN - {"home"}) | {"profile", "password_change"}


def test_every_page_behind_the_sign_in_asks_the_policy():
    guarded = {**dict(named(get_resolver("panal.urls"))), **dict(named(get_resolver("panal.urls_public")))}
    without = {
        name for name in CONSOLE.keys() | PLATFORM if not hasattr(guarded[name].callback, "policy_action")
    }
    assert without == set()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", sorted(CONSOLE))
def test_access(browser, cast, name, role):
    wanted = CONSOLE[name]
    client = browser(getattr(cast, role)) if role != NOBODY else browser(host="acme.localhost")
    answer = getattr(client, wanted.method)(address_of(name))
    if role == NOBODY:
        assert answer.status_code == 302
        assert answer["Location"].startswith("/sign-in/?next=")
    elif role not in wanted.allowed:
        assert answer.status_code == 403
        assert "not open to you" in answer.content.decode()
    else:
        assert answer.status_code in {200, 302, 404, 422}


@pytest.mark.parametrize("name", sorted(name for name, entry in CONSOLE.items() if entry.method == "post"))
def test_what_changes_something_needs_a_post(browser, cast, name):
    assert browser(cast.owner).get(address_of(name)).status_code == 405


@pytest.mark.parametrize("name", sorted(name for name in CONSOLE if ":" in name))
def test_pages_are_never_the_base_domains(browser, acme, name):
    assert browser(host="localhost").get(address_of(name)).status_code == 404


@pytest.mark.parametrize("role", ["viewer", "member"])
def test_the_menu_shows_no_locked_doors(browser, cast, role):
    shown = browser(getattr(cast, role)).get("/console/knowledge/").content.decode()
    for name in ("members", "tokens", "usage", "settings", "models", "knowledge"):
        may = role in CONSOLE[f"console:{name}"].allowed
        assert (f'href="/console/{name}/"' in shown) is may


@pytest.mark.parametrize("role", ["viewer", "member"])
def test_the_overview_leads_others_to_the_knowledge(browser, cast, role):
    assert browser(getattr(cast, role)).get("/console/")["Location"] == "/console/knowledge/"
