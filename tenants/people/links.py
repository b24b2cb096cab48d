"""Links that let somebody in once: choosing a password, and stepping from sign-up into the new workspace."""

import secrets
from uuid import UUID

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse

from tenants.people.models import User
from tenants.scope import Scope, current_scope

HANDOVER_SALT = "panal.handover"
HANDOVER_SECONDS = 120


def password_link(user: User, request: HttpRequest) -> str:
    """The address where `user` may choose a password. Dies with use and after 3 days.

    Its host is the workspace's own, never what the request claims: others cause letters to be sent too.
    """
    path = reverse("password_set", args=[user.pk, default_token_generator.make_token(user)])
    return workspace_url(current_scope(), request, path)


def password_link_user(user_id: UUID, token: str) -> User | None:
    """The active user of the current scope whom the link names, or None when it is used, old or false."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not default_token_generator.check_token(user, token):
        return None
    return user


def host_of(scope: Scope) -> str:
    base: str = settings.PANAL_BASE_DOMAIN
    return base if scope.is_public else f"{scope.slug}.{base}"


def workspace_address(scope: Scope, request: HttpRequest) -> str:
    """The workspace's own host, at the port this request came to."""
    _, _, port = request.get_host().rpartition(":")
    return f"{host_of(scope)}:{port}" if port.isdigit() else host_of(scope)


def workspace_url(scope: Scope, request: HttpRequest, path: str = "/") -> str:
    return f"{request.scheme}://{workspace_address(scope, request)}{path}"


def handover_token(scope: Scope, user: User) -> str:
    """Names one person of one workspace; `handover_user` accepts it once, within two minutes."""
    facts = {"tenant": str(scope.tenant_id), "user": str(user.pk), "once": secrets.token_urlsafe(12)}
    return signing.dumps(facts, salt=HANDOVER_SALT)


def handover_tenant(token: str) -> UUID | None:
    """Which workspace a token leads to, without using it up."""
    try:
        return UUID(signing.loads(token, salt=HANDOVER_SALT, max_age=HANDOVER_SECONDS)["tenant"])
    except (signing.BadSignature, KeyError, ValueError):
        return None


def handover_user(token: str) -> User | None:
    """The user the token names, the first time and in the current scope only."""
    if handover_tenant(token) != current_scope().tenant_id:
        return None
    facts = signing.loads(token, salt=HANDOVER_SALT)
    if not cache.add(f"handover:{facts['once']}", 1, timeout=HANDOVER_SECONDS * 2):
        return None
    return User.objects.filter(pk=facts["user"], is_active=True).first()
