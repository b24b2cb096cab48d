"""What people do with their own account, and the letters that let them in."""

from uuid import UUID

from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string

from panal.kit.errors import NotFound
from tenants.actors import Actor
from tenants.people import throttle
from tenants.people.links import password_link, workspace_address
from tenants.people.models import User
from tenants.people.services import changeable_member, one_line
from tenants.people.tasks import mail_send
from tenants.policy import Action, require
from tenants.scope import current_scope


def _letter(
    name: str, *, user: User, subject: str, link: str, request: HttpRequest, sender: str = ""
) -> None:
    context = {
        "person": user,
        "link": link,
        "host": workspace_address(current_scope(), request),
        "sender": sender,
    }
    one_line = " ".join(subject.split())  # a line break in a name must not make a header
    mail_send.delay_on_commit(user.email, one_line, render_to_string(f"email/{name}.txt", context))


def user_of(actor: Actor) -> User:
    """The person behind an actor. Raises `NotFound` for the platform's own."""
    user = User.objects.filter(pk=actor.user_id).first() if actor.user_id else None
    if user is None:
        raise NotFound
    return user


@transaction.atomic
def profile_rename(*, user: User, name: str) -> User:
    user.name = one_line(name)
    user.save(update_fields=["name"])
    return user


@transaction.atomic
def password_set(*, user: User, password: str) -> User:
    """Ends every other session and every password link of this person."""
    user.set_password(password)
    user.save(update_fields=["password"])
    return user


def password_reset_request(*, email: str, request: HttpRequest) -> None:
    """Write to the member with this address; the answer is the same without one. Sending is left to the worker."""
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is not None:
        _letter(
            "password_reset",
            user=user,
            subject="Choose a new password",
            link=password_link(user, request),
            request=request,
        )


def member_invite(*, actor: Actor, user: User, request: HttpRequest) -> str:
    """Write to a member who has no password yet; answers the link, for the inviter to pass on as well.

    Raises `TooManyAttempts`: whoever signs up may write to strangers in our name, but not without end.
    """
    require(actor, Action.MEMBERS_MANAGE)
    throttle.INVITE_WORKSPACE.count("everybody")
    throttle.INVITE_ACCOUNT.count(user.email)
    link = password_link(user, request)
    subject = f"{actor.name} invited you to {workspace_address(actor.scope, request)}"
    _letter("invitation", user=user, subject=subject, link=link, request=request, sender=actor.name)
    return link


@transaction.atomic
def member_remove(*, actor: Actor, user_id: UUID) -> None:
    """Erase a member with their tokens and conversations. What they used stays in the ledger."""
    require(actor, Action.MEMBERS_MANAGE)
    changeable_member(user_id).delete()
