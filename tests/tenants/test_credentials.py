"""Tokens and sessions: what makes an actor, and what no longer does."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tenants.authentication import InvalidToken, actor_from_session, actor_from_token
from tenants.people.models import ApiToken, User
from tenants.people.services import token_create, token_revoke
from tenants.policy import Action, can
from tenants.scope import tenant_scope
from tenants.tokens import new_token


def make_token(actor, *scopes, expires_at=None) -> tuple[ApiToken, str]:
    with tenant_scope(actor.scope):
        user = User.objects.get(pk=actor.user_id)
        return token_create(user=user, name="t", scopes=scopes, expires_at=expires_at)


def test_a_token_names_its_tenant_and_owner(cast, globex_cast):
    _, raw = make_token(cast.member, "chat")
    actor = actor_from_token(raw)
    assert (actor.scope, actor.user_id) == (cast.scope, cast.member.user_id)
    _, foreign = make_token(globex_cast.member, "chat")
    assert actor_from_token(foreign).scope == globex_cast.scope


def test_only_a_digest_is_kept(cast):
    row, raw = make_token(cast.member, "chat")
    secret = raw.rsplit("_", 1)[1]
    assert secret not in "".join(str(value) for value in vars(row).values())


def test_rights_are_scopes_and_role_together(cast):
    _, raw = make_token(cast.member, "admin")
    actor = actor_from_token(raw)
    assert can(actor, Action.CHAT)
    assert not can(actor, Action.MEMBERS_MANAGE)
    _, raw = make_token(cast.owner, "usage")
    assert can(actor_from_token(raw), Action.USAGE_READ)
    assert not can(actor_from_token(raw), Action.CHAT)


def test_rights_follow_the_role_of_today(cast):
    _, raw = make_token(cast.admin, "admin")
    with tenant_scope(cast.scope):
        User.objects.filter(pk=cast.admin.user_id).update(role="viewer")
    assert not can(actor_from_token(raw), Action.MEMBERS_MANAGE)


@pytest.mark.parametrize("end", ["revoked", "expired", "suspended"])
def test_a_token_that_ended_is_unknown(cast, end):
    expires = timezone.now() - timedelta(seconds=1) if end == "expired" else None
    row, raw = make_token(cast.member, "chat", expires_at=expires)
    with tenant_scope(cast.scope):
        if end == "revoked":
            token_revoke(actor=cast.member, token_id=row.pk)
        if end == "suspended":
            User.objects.filter(pk=cast.member.user_id).update(is_active=False)
    with pytest.raises(InvalidToken):
        actor_from_token(raw)


def test_a_token_with_another_tenants_key_is_unknown(cast, globex):
    _, raw = make_token(cast.member, "chat")
    with pytest.raises(InvalidToken):
        actor_from_token(raw.replace(cast.scope.key, globex.key))


@pytest.mark.parametrize(
    "raw", ["", "pnl_", "pnl_a_b_c", "sk-123", "pnl_x_y_z_w", "x" * 5000, "pnl_\x00_a_b"]
)
def test_junk_is_unknown(acme, raw):
    with pytest.raises(InvalidToken):
        actor_from_token(raw)


def test_tokens_do_not_repeat():
    assert len({new_token("abcdefgh").raw for _ in range(1000)}) == 1000


def test_a_session_is_worth_something_in_its_own_tenant_only(cast, globex, browser):
    key = browser(cast.member).cookies["panal_session"].value
    assert actor_from_session(cast.scope, key).user_id == cast.member.user_id
    assert actor_from_session(globex, key) is None
    assert actor_from_session(cast.scope, "nonsense") is None
    with tenant_scope(cast.scope):
        User.objects.filter(pk=cast.member.user_id).update(is_active=False)
    assert actor_from_session(cast.scope, key) is None
