"""Whose data a piece of code works on: the one place that says it, and the one place that crosses into sync code.

The tenant lives in a `ContextVar`, never on a connection, because Channels runs the sync work of all sockets on
one thread and one connection. `tenants.db` reads it before each cursor and refuses a query without a scope.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ParamSpec, TypeVar
from uuid import UUID

from asgiref.sync import sync_to_async

from panal.kit.env import env_int

P = ParamSpec("P")
R = TypeVar("R")

PUBLIC_SCHEMA = "public"


class NoTenantScope(RuntimeError):
    """Code touched tenant data, a key or a name without saying for which tenant. Always a defect."""

    def __init__(self) -> None:
        super().__init__("no tenant scope: enter tenant_scope(…), public_scope() or in_tenant(…) first")


@dataclass(frozen=True, slots=True)
class Scope:
    """One tenant, as little of it as every layer needs. `key` is its short name inside API tokens."""

    tenant_id: UUID
    schema: str
    slug: str
    key: str
    plan: str

    @property
    def is_public(self) -> bool:
        return self.schema == PUBLIC_SCHEMA


PUBLIC = Scope(tenant_id=UUID(int=0), schema=PUBLIC_SCHEMA, slug="", key="", plan="")

_scope: ContextVar[Scope | None] = ContextVar("tenant_scope", default=None)


def current_scope() -> Scope:
    """The scope this code runs in. Raises `NoTenantScope` where none was entered."""
    scope = _scope.get()
    if scope is None:
        raise NoTenantScope
    return scope


def scope_or_none() -> Scope | None:
    return _scope.get()


@contextmanager
def tenant_scope(scope: Scope) -> Iterator[Scope]:
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)


@contextmanager
def public_scope() -> Iterator[Scope]:
    """The platform's own tables (tenants, platform staff, platform-wide providers). Never a fallback."""
    with tenant_scope(PUBLIC) as scope:
        yield scope


def bind_scope(scope: Scope) -> None:
    """Enter a scope for the rest of this context: for a socket's task and django-tenants' own commands only."""
    _scope.set(scope)


# Bounded, so that a burst of sockets queues for threads rather than for database connections.
_threads = ThreadPoolExecutor(max_workers=env_int("PANAL_DB_THREADS", 16), thread_name_prefix="in_tenant")


async def in_tenant(scope: Scope, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run sync `fn` inside `scope` on a worker thread and give its database connection back at the end.

    The only crossing from async into sync code: scope and queries share one hop, so that no other coroutine
    can come between them and no connection is held across an `await`.
    """

    def hop() -> R:
        from django.db import connections

        with tenant_scope(scope):
            try:
                return fn(*args, **kwargs)
            finally:
                connections.close_all()

    return await sync_to_async(hop, thread_sensitive=False, executor=_threads)()


async def in_public(fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return await in_tenant(PUBLIC, fn, *args, **kwargs)
