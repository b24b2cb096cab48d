"""The database wrapper that reads the tenant from the scope before every cursor.

django-tenants' own wrapper keeps the tenant on the connection; under Channels, where all sockets share one
connection, that answers one tenant from another's schema. Here the setters only move the scope.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django_tenants.postgresql_backend import base

from tenants.scope import PUBLIC, NoTenantScope, Scope, bind_scope, scope_or_none


class ScopedTenant:
    """What django-tenants expects of `connection.tenant`, read from the scope."""

    def __init__(self, scope: Scope) -> None:
        self.schema_name = scope.schema

    def get_tenant_type(self) -> None:
        return None


class DatabaseWrapper(base.DatabaseWrapper):
    include_public_schema = False
    search_path_set_schemas: tuple[str, ...] | None
    _connecting = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._constructing = True
        super().__init__(*args, **kwargs)
        self._constructing = False

    @property
    def schema_name(self) -> str | None:
        scope = scope_or_none()
        return scope.schema if scope else None

    @schema_name.setter
    def schema_name(self, value: str | None) -> None:
        """django-tenants assigns it when it changes tenants; the scope is the only truth."""

    @property
    def tenant(self) -> ScopedTenant | None:
        scope = scope_or_none()
        return ScopedTenant(scope) if scope else None

    @tenant.setter
    def tenant(self, value: object) -> None:
        """See `schema_name`."""

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None:
        """For django-tenants' migration commands. Application code enters `tenant_scope`."""
        if self._constructing:
            return  # a new connection belongs to nobody yet
        if tenant.schema_name == PUBLIC.schema:
            bind_scope(PUBLIC)
        else:
            bind_scope(Scope(PUBLIC.tenant_id, tenant.schema_name, "", "", ""))

    @contextmanager
    def _without_scope(self) -> Iterator[None]:
        before, self._connecting = self._connecting, True
        try:
            yield
        finally:
            self._connecting = before

    def connect(self) -> None:
        with self._without_scope():
            super().connect()

    def _handle_search_path(self, cursor: Any = None) -> None:
        if self._setting_search_path or self._connecting:
            return
        if scope_or_none() is None:
            raise NoTenantScope
        paths = tuple(self._get_cursor_search_paths())
        if paths == self.search_path_set_schemas:
            return
        super()._handle_search_path(cursor)
        if self.search_path_set_schemas is not None:
            self.search_path_set_schemas = paths
