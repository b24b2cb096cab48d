"""Bearer token → actor, remembered for a second so that a stream of requests costs no queries."""

import hashlib
import time

from tenants import directory
from tenants.actors import Actor
from tenants.authentication import InvalidToken, actor_from_token
from tenants.middleware import bearer_of
from tenants.scope import in_public

REMEMBER_SECONDS = 1.0  # also the longest a revoked token still works
MAX_REMEMBERED = 10_000

_known: dict[tuple[bytes, str], tuple[float, Actor]] = {}


def _actor(raw: str, host: str) -> Actor:
    """On the base domain any token names its workspace; on a workspace's host only its own do."""
    actor = actor_from_token(raw)
    if not directory.is_public_host(host) and directory.resolve_host(host) != actor.scope:
        raise InvalidToken
    return actor


async def authenticate(authorization: str, host: str) -> Actor:
    """Raises `InvalidToken`, or `UnknownWorkspace` for a host that is none."""
    raw = bearer_of(authorization)
    if raw is None:
        raise InvalidToken("Send an API token: Authorization: Bearer pnl_…")
    key = (hashlib.sha256(raw.encode()).digest(), host)
    now = time.monotonic()
    known = _known.get(key)
    if known is not None and now - known[0] < REMEMBER_SECONDS:
        return known[1]
    actor = await in_public(_actor, raw, host)
    if len(_known) >= MAX_REMEMBERED:
        _known.clear()
    _known[key] = (now, actor)
    return actor


def forget_all() -> None:
    _known.clear()
