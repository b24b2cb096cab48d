"""Changes to the people of the current scope and to their tokens."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from panal.kit.errors import NotFound
from tenants.actors import Actor
from tenants.errors import BadEmail, BadRole, BadScopes, EmailTaken, OwnerProtected, WeakPassword
from tenants.people.models import ApiToken, User
from tenants.policy import TOKEN_SCOPES, Action, can, require
from tenants.scope import current_scope
from tenants.tokens import new_token

MEMBER_ROLES = frozenset({User.Role.ADMIN, User.Role.MEMBER, User.Role.VIEWER})


def email_clean(raw: str) -> str:
    email = raw.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise BadEmail from error
    return email


def password_check(password: str, *, email: str = "") -> None:
    """Raises `WeakPassword` with the first reason."""
    try:
        validate_password(password, user=User(email=email))
    except ValidationError as error:
        raise WeakPassword(error.messages[0]) from error


def one_line(name: str) -> str:
    """A name stands in letters to others: it must not add lines of its own."""
    return " ".join(name.split())


def owner_create(*, email: str, password: str, name: str = "") -> User:
    email = email_clean(email)
    password_check(password, email=email)
    return User.objects.create_user(email=email, password=password, name=one_line(name), role=User.Role.OWNER)


@transaction.atomic
def member_add(*, actor: Actor, email: str, name: str = "", role: str = User.Role.MEMBER) -> User:
    """A member without a password yet: they set one by the link of `people.links.password_link`."""
    require(actor, Action.MEMBERS_MANAGE)
    if role not in MEMBER_ROLES:
        raise BadRole
    try:
        with transaction.atomic():
            return User.objects.create_user(
                email=email_clean(email), password=None, name=one_line(name), role=role
            )
    except IntegrityError as error:
        raise EmailTaken from error


def changeable_member(user_id: UUID) -> User:
    """The member, locked. Raises `NotFound`, and `OwnerProtected` for the owner."""
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound
    if user.role == User.Role.OWNER:
        raise OwnerProtected
    return user


@transaction.atomic
def member_set_role(*, actor: Actor, user_id: UUID, role: str) -> User:
    require(actor, Action.MEMBERS_MANAGE)
    if role not in MEMBER_ROLES:
        raise BadRole
    user = changeable_member(user_id)
    user.role = role
    user.save(update_fields=["role"])
    return user


@transaction.atomic
def member_set_active(*, actor: Actor, user_id: UUID, active: bool) -> User:
    """Suspend or restore. A suspended person's sessions and tokens stop working at once."""
    require(actor, Action.MEMBERS_MANAGE)
    user = changeable_member(user_id)
    user.is_active = active
    user.save(update_fields=["is_active"])
    return user


@transaction.atomic
def token_create(
    *, user: User, name: str, scopes: Iterable[str], expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """The row and the token itself, which is never readable again. Raises `BadScopes`."""
    wanted = sorted(set(scopes))
    if not wanted or any(scope not in TOKEN_SCOPES for scope in wanted):
        raise BadScopes
    made = new_token(current_scope().key)
    row = ApiToken.objects.create(
        user=user,
        name=name.strip() or "token",
        prefix=made.prefix,
        digest=made.digest,
        scopes=wanted,
        expires_at=expires_at,
    )
    return row, made.raw


@transaction.atomic
def token_revoke(*, actor: Actor, token_id: UUID) -> None:
    """One's own token, or anybody's with the right to manage tokens. Others' are not found."""
    tokens = ApiToken.objects.filter(pk=token_id, revoked_at__isnull=True)
    if not can(actor, Action.TOKENS_MANAGE):
        require(actor, Action.TOKENS_OWN)
        tokens = tokens.filter(user=actor.user_id)
    if not tokens.update(revoked_at=timezone.now()):
        raise NotFound
