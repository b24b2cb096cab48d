"""A turn's name and the names of what Redis keeps for it."""

from dataclasses import dataclass
from uuid import UUID

from tenants.directory import scope_of_id
from tenants.names import redis_key
from tenants.scope import Scope, public_scope, tenant_scope


@dataclass(frozen=True, slots=True)
class TurnRef:
    scope: Scope
    turn_id: UUID

    def _key(self, *parts: str) -> str:
        with tenant_scope(self.scope):
            return redis_key("turn", self.turn_id, *parts)

    @property
    def stream(self) -> str:
        return self._key()

    @property
    def lease(self) -> str:
        return self._key("lease")

    @property
    def stop_flag(self) -> str:
        return self._key("stop")

    @property
    def outcome(self) -> str:
        """How the answer ended, from the end of the generation until PostgreSQL has it."""
        return self._key("outcome")

    @property
    def member(self) -> str:
        """The turn in the platform-wide set of running turns."""
        return f"{self.scope.tenant_id}:{self.turn_id}"


def ref_of_member(member: str) -> TurnRef | None:
    """None for a tenant that is gone. Looks the tenant up: call it inside `in_public`."""
    tenant_id, _, turn_id = member.partition(":")
    scope = scope_of_id(UUID(tenant_id))
    return None if scope is None else TurnRef(scope, UUID(turn_id))


def platform_key(*parts: str) -> str:
    with public_scope():
        return redis_key("chat", *parts)
