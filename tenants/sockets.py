"""Websockets enter their tenant's scope here: host, then session with a matching Origin, or bearer token."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.cookie import parse_cookie

from panal.kit.errors import Forbidden, Unauthenticated
from tenants import directory
from tenants.actors import Actor
from tenants.authentication import InvalidToken, actor_from_session, actor_from_token
from tenants.middleware import bearer_of
from tenants.scope import Scope, bind_scope, in_public, in_tenant


def header(scope: dict[str, Any], name: bytes) -> str:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return ""


def host_of(scope: dict[str, Any]) -> str:
    """The last `Host` header: a client that adds its own sends the address it connected to before it."""
    hosts = [value for key, value in scope["headers"] if key == b"host"]
    return str(hosts[-1].decode("latin-1")) if hosts else ""


async def workspace_of(scope: dict[str, Any]) -> Scope:
    """The tenant of the `Host` header. Raises `UnknownWorkspace`; the base domain is not a workspace either."""
    host = host_of(scope)
    found = directory.known_host(host)
    if found is None:
        found = await in_public(directory.resolve_host, host)
    if found.is_public:
        raise directory.UnknownWorkspace
    return found


def _same_origin(scope: dict[str, Any]) -> bool:
    origin = urlsplit(header(scope, b"origin"))
    return bool(origin.netloc) and origin.netloc.lower() == host_of(scope).lower()


async def _actor_of_token(raw: str, workspace: Scope) -> Actor:
    actor = await in_tenant(workspace, actor_from_token, raw)
    if actor.scope != workspace:
        raise InvalidToken
    return actor


async def actor_of_socket(scope: dict[str, Any]) -> Actor:
    """Who opened this socket; the scope is bound for the rest of the socket's task.

    Raises `UnknownWorkspace` (404), `InvalidToken` or `Unauthenticated` (401), `Forbidden` (403: foreign Origin).
    """
    workspace = await workspace_of(scope)
    bind_scope(workspace)
    raw = bearer_of(header(scope, b"authorization"))
    if raw is not None:
        return await _actor_of_token(raw, workspace)
    if not _same_origin(scope):
        raise Forbidden("This page may not open a socket here.")
    cookie = parse_cookie(header(scope, b"cookie")).get(settings.SESSION_COOKIE_NAME)
    actor = await in_tenant(workspace, actor_from_session, workspace, cookie)
    if actor is None:
        raise Unauthenticated
    return actor
