"""Which host, slug, token key or id means which tenant: a snapshot in memory, so that no request queries for it.

An unknown address costs no database work: a miss looks only at a version number in Redis, which every change
of the list raises. Without Redis the snapshot is read again every few seconds.
"""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import UUID

import redis
from django.conf import settings

from panal.kit.errors import NotFound
from tenants.models import Domain, Tenant
from tenants.redis import redis_sync
from tenants.scope import PUBLIC, Scope, public_scope

VERSION_KEY = "panal:directory:version"
CHECK_SECONDS = 1.0  # how long a snapshot is trusted without asking for the version
RELOAD_SECONDS = 5.0  # how long it is trusted when Redis does not answer
PUBLIC_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class UnknownWorkspace(NotFound):
    code = "unknown_workspace"
    detail = "There is no workspace at this address."


@dataclass
class Snapshot:
    version: bytes | None = None
    loaded_at: float = 0.0
    checked_at: float = 0.0
    by_slug: dict[str, Scope] = field(default_factory=dict)
    by_domain: dict[str, Scope] = field(default_factory=dict)
    by_key: dict[str, Scope] = field(default_factory=dict)
    by_id: dict[UUID, Scope] = field(default_factory=dict)


_snapshot = Snapshot()
_lock = threading.Lock()


def _load(version: bytes | None) -> Snapshot:
    now = time.monotonic()
    fresh = Snapshot(version=version, loaded_at=now, checked_at=now)
    with public_scope():
        for tenant in Tenant.objects.filter(status=Tenant.Status.ACTIVE):
            scope = tenant.scope
            fresh.by_slug[scope.slug] = scope
            fresh.by_key[scope.key] = scope
            fresh.by_id[scope.tenant_id] = scope
        for domain, tenant_id in Domain.objects.filter(verified_at__isnull=False).values_list(
            "domain", "tenant_id"
        ):
            if tenant_id in fresh.by_id:
                fresh.by_domain[domain.lower()] = fresh.by_id[tenant_id]
    return fresh


def _current_version() -> bytes | None:
    value = redis_sync().get(VERSION_KEY)
    return value if isinstance(value, bytes) else None


def _refresh() -> Snapshot:
    """Read the list again if it changed since the snapshot."""
    global _snapshot
    with _lock:
        now = time.monotonic()
        try:
            version = _current_version()
            stale = version != _snapshot.version or not _snapshot.loaded_at
        except redis.RedisError:
            version = None
            stale = now - _snapshot.loaded_at > RELOAD_SECONDS or not _snapshot.loaded_at
        if stale:
            _snapshot = _load(version)
        _snapshot.checked_at = now
        return _snapshot


def _is_fresh() -> bool:
    return time.monotonic() - _snapshot.checked_at < CHECK_SECONDS


def snapshot() -> Snapshot:
    return _snapshot if _is_fresh() else _refresh()


def changed() -> None:
    """Tell every process that the list of tenants changed. Call after the change is committed."""
    with suppress(redis.RedisError):  # without Redis the others follow within RELOAD_SECONDS
        redis_sync().incr(VERSION_KEY)
    with _lock:
        _snapshot.checked_at = 0.0
        _snapshot.loaded_at = 0.0


def bare_host(host: str) -> str:
    """`Acme.example.com:8000` -> `acme.example.com`; `[::1]:8000` -> `::1`."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")


def is_public_host(host: str) -> bool:
    return bare_host(host) in PUBLIC_HOSTS | {settings.PANAL_BASE_DOMAIN}


def _lookup(listed: Snapshot, host: str) -> Scope | None:
    slug, _, parent = host.partition(".")
    if parent in {settings.PANAL_BASE_DOMAIN, "localhost"}:
        return listed.by_slug.get(slug)
    return listed.by_domain.get(host)


def known_host(host: str) -> Scope | None:
    """Like `resolve_host`, from memory only: None where finding out needs I/O. For the event loop."""
    if is_public_host(host):
        return PUBLIC
    return _lookup(_snapshot, bare_host(host)) if _is_fresh() else None


def resolve_host(host: str) -> Scope:
    """The scope a `Host` header names: `PUBLIC` for the base domain. Raises `UnknownWorkspace`."""
    if is_public_host(host):
        return PUBLIC
    host = bare_host(host)
    scope = _lookup(snapshot(), host) or _lookup(_refresh(), host)
    if scope is None:
        raise UnknownWorkspace
    return scope


def scope_of_key(key: str) -> Scope | None:
    return snapshot().by_key.get(key) or _refresh().by_key.get(key)


def scope_of_id(tenant_id: UUID) -> Scope | None:
    return snapshot().by_id.get(tenant_id) or _refresh().by_id.get(tenant_id)


def scope_of_slug(slug: str) -> Scope | None:
    return snapshot().by_slug.get(slug) or _refresh().by_slug.get(slug)
