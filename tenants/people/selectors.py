"""Reads of the current scope's people and tokens."""

from django.db.models import QuerySet

from tenants.actors import Actor
from tenants.people.models import ApiToken, User
from tenants.policy import Action, can, require


def members_visible(*, actor: Actor) -> QuerySet[User]:
    require(actor, Action.MEMBERS_READ)
    return User.objects.all()


def tokens_visible(*, actor: Actor) -> QuerySet[ApiToken]:
    """Live tokens: everybody's for those who manage tokens, else one's own."""
    tokens = ApiToken.objects.filter(revoked_at__isnull=True).select_related("user")
    if can(actor, Action.TOKENS_MANAGE):
        return tokens
    require(actor, Action.TOKENS_OWN)
    return tokens.filter(user=actor.user_id)
