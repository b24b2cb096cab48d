"""Who acts: the same small fact for a session, a token, a socket or a background job."""

from dataclasses import dataclass
from uuid import UUID

from tenants.scope import Scope


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody inside one scope. With a token, rights are the token's scopes ∩ the role, judged at use."""

    scope: Scope
    user_id: UUID | None
    email: str
    name: str
    role: str
    token_id: UUID | None = None
    token_scopes: frozenset[str] | None = None

    @property
    def is_platform_staff(self) -> bool:
        return self.scope.is_public


def system_actor(scope: Scope) -> Actor:
    """The platform itself, for jobs nobody asked for."""
    return Actor(scope=scope, user_id=None, email="", name="Panal", role="system")
