"""Every route says which action it needs; a route that does not is a failure here, not a hole there."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tenants.policy import ROLE_ACTIONS, TOKEN_SCOPES, Action, Role, can

# Pages for people who are not signed in yet, and the API's own description.
OPEN_PREFIXES = ("sign-", "password", "welcome", "api/schema/", "api/docs/")


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, path)
        elif isinstance(entry, URLPattern):
            yield path, entry.callback


ROUTES = list(patterns(get_resolver("panal.urls")))
API = [route for route in ROUTES if route[0].startswith("api/")]
PAGES = [route for route in ROUTES if not route[0].startswith("api/")]
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.mark.parametrize(("path", "callback"), API)
def test_every_api_view_declares_its_policy(path, callback):
    if path.startswith(OPEN_PREFIXES):
        return
    policy = callback.view_class.policy
    handlers = {method.upper() for method in METHODS if hasattr(callback.view_class, method)}
    assert set(policy) == handlers
    assert all(isinstance(action, Action) for action in policy.values())


@pytest.mark.parametrize(("path", "callback"), PAGES)
def test_every_page_declares_its_policy(path, callback):
    if path == "" or path.startswith(OPEN_PREFIXES):
        return
    assert isinstance(getattr(callback, "policy_action", None), Action), path


def test_the_api_describes_itself_without_a_warning(db):
    from django.core.management import call_command

    call_command("spectacular", validate=True, fail_on_warn=True, urlconf="panal.urls", file="/dev/null")


EXPECTED = {
    # action: owner, admin, member, viewer
    Action.SELF: (True, True, True, True),
    Action.CHAT: (True, True, True, False),
    Action.CHAT_READ: (True, True, True, True),
    Action.KNOWLEDGE_QUOTE: (True, True, True, True),
    Action.KNOWLEDGE_READ: (True, True, True, True),
    Action.KNOWLEDGE_WRITE: (True, True, False, False),
    Action.MODELS_READ: (True, True, True, True),
    Action.MODELS_MANAGE: (True, True, False, False),
    Action.USAGE_READ_OWN: (True, True, True, False),
    Action.USAGE_READ: (True, True, False, False),
    Action.TOKENS_OWN: (True, True, True, False),
    Action.TOKENS_MANAGE: (True, True, False, False),
    Action.MEMBERS_READ: (True, True, False, False),
    Action.MEMBERS_MANAGE: (True, True, False, False),
    Action.WORKSPACE_MANAGE: (True, True, False, False),
    Action.PLATFORM: (False, False, False, False),
}


@pytest.mark.parametrize("action", Action)
def test_the_table_of_roles(action, cast):
    assert tuple(can(actor, action) for actor in cast) == EXPECTED[action]


def test_a_workspace_never_reaches_the_platforms_console(cast, globex_cast):
    assert not any(can(actor, Action.PLATFORM) for actor in (*cast, *globex_cast))
    assert all(Action.PLATFORM not in actions for actions in ROLE_ACTIONS.values())
    assert all(Action.PLATFORM not in actions for actions in TOKEN_SCOPES.values())
    assert set(ROLE_ACTIONS) == set(Role)
