"""Who may call the REST API: DRF's authentication and permission classes over the one policy."""

from typing import Any, cast

from django.core.exceptions import ImproperlyConfigured
from rest_framework import authentication, permissions
from rest_framework.request import Request

from tenants.actors import Actor
from tenants.authentication import InvalidToken, actor_from_token, actor_of_user
from tenants.middleware import bearer_of
from tenants.people.models import User
from tenants.policy import require


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer pnl_…`. A token of another workspace is as unknown as none."""

    def authenticate(self, request: Request) -> tuple[User, Actor] | None:
        raw = bearer_of(request.headers.get("Authorization", ""))
        if raw is None:
            return None
        actor = actor_from_token(raw)
        if actor.scope != request._request.workspace:  # type: ignore[attr-defined]
            raise InvalidToken
        request._request.actor = actor  # type: ignore[attr-defined]
        return User(pk=actor.user_id, email=actor.email, role=actor.role), actor

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session; writes need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, Actor] | None:
        found = super().authenticate(request)
        if found is None:
            return None
        user = cast(User, found[0])
        return user, actor_of_user(user, request._request.workspace)  # type: ignore[attr-defined]


class PolicyPermission(permissions.BasePermission):
    """Asks the policy for the action the view declares for this method."""

    def has_permission(self, request: Request, view: Any) -> bool:
        policy = getattr(view, "policy", None)
        if policy is None:
            raise ImproperlyConfigured(f"{type(view).__name__} declares no policy")
        if request.method == "OPTIONS":
            return request.auth is not None
        if request.auth is None:
            return False
        method = "GET" if request.method == "HEAD" else str(request.method)
        action = policy.get(method)
        if action is not None:
            require(cast(Actor, request.auth), action)
        return True  # a method without a policy has no handler either: 405
