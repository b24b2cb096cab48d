"""One place turns a credential into an `Actor`: tokens and sessions, for HTTP, sockets and the data plane."""

from dataclasses import replace
from datetime import timedelta
from hmac import compare_digest
from importlib import import_module
from types import SimpleNamespace

from django.conf import settings
from django.contrib import auth
from django.utils import timezone

from panal.kit.errors import PanalError
from tenants.actors import Actor
from tenants.directory import scope_of_key
from tenants.people.models import ApiToken, User
from tenants.scope import Scope, tenant_scope
from tenants.tokens import digest_of, tenant_key_of

LAST_USED_STEP = timedelta(minutes=1)


class InvalidToken(PanalError):
    code = "invalid_api_key"
    status = 401
    detail = "The API token is unknown, expired or revoked."


def actor_of_user(user: User, scope: Scope) -> Actor:
    return Actor(scope=scope, user_id=user.pk, email=user.email, name=user.display_name, role=user.role)


def _note_use(token: ApiToken) -> None:
    """At most one write a minute and token."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > LAST_USED_STEP:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


def _token_row(raw: str) -> ApiToken:
    digest = digest_of(raw)
    token = ApiToken.objects.select_related("user").filter(digest=digest).first()
    if token is None or not compare_digest(token.digest, digest):
        raise InvalidToken
    expired = token.expires_at is not None and token.expires_at <= timezone.now()
    if expired or token.revoked_at is not None or not token.user.is_active:
        raise InvalidToken
    return token


def actor_from_token(raw: str) -> Actor:
    """The owner of a token, limited to its scopes. Finds the tenant by itself. Raises `InvalidToken`."""
    key = tenant_key_of(raw)
    scope = scope_of_key(key) if key else None
    if scope is None:
        raise InvalidToken
    with tenant_scope(scope):
        token = _token_row(raw)
        _note_use(token)
        person = actor_of_user(token.user, scope)
        return replace(person, token_id=token.pk, token_scopes=frozenset(token.scopes))


def actor_from_session(scope: Scope, session_key: str | None) -> Actor | None:
    """The signed-in person a session cookie names within `scope`, or None."""
    if not session_key:
        return None
    engine = import_module(settings.SESSION_ENGINE)
    with tenant_scope(scope):
        request = SimpleNamespace(session=engine.SessionStore(session_key))
        user = auth.get_user(request)  # type: ignore[arg-type]
        return actor_of_user(user, scope) if user.is_authenticated else None
