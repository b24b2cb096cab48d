"""The one policy function: every access, by session, token, socket or job, is decided here."""

from enum import StrEnum

from panal.kit.errors import Forbidden, InsufficientScope
from tenants.actors import Actor


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"
    SYSTEM = "system"


class Action(StrEnum):
    SELF = "self"  # one's own profile, password and preferences
    CHAT = "chat"  # ask, and manage one's own conversations
    CHAT_READ = "chat.read"
    KNOWLEDGE_QUOTE = "knowledge.quote"  # be answered from documents, and open the passage a citation names
    KNOWLEDGE_READ = "knowledge.read"  # list and search knowledge bases and their documents
    KNOWLEDGE_WRITE = "knowledge.write"
    MODELS_READ = "models.read"
    MODELS_MANAGE = "models.manage"
    USAGE_READ_OWN = "usage.read_own"
    USAGE_READ = "usage.read"
    TOKENS_OWN = "tokens.own"
    TOKENS_MANAGE = "tokens.manage"
    MEMBERS_READ = "members.read"
    MEMBERS_MANAGE = "members.manage"
    WORKSPACE_MANAGE = "workspace.manage"
    PLATFORM = "platform"  # the platform owner's console: staff of the public schema only


VIEWER_ACTIONS = frozenset(
    {Action.SELF, Action.CHAT_READ, Action.KNOWLEDGE_QUOTE, Action.KNOWLEDGE_READ, Action.MODELS_READ}
)
MEMBER_ACTIONS = VIEWER_ACTIONS | {Action.CHAT, Action.TOKENS_OWN, Action.USAGE_READ_OWN}
ADMIN_ACTIONS = MEMBER_ACTIONS | {
    Action.KNOWLEDGE_WRITE,
    Action.MODELS_MANAGE,
    Action.USAGE_READ,
    Action.TOKENS_MANAGE,
    Action.MEMBERS_READ,
    Action.MEMBERS_MANAGE,
    Action.WORKSPACE_MANAGE,
}

ROLE_ACTIONS: dict[str, frozenset[Action]] = {
    Role.OWNER: ADMIN_ACTIONS,
    Role.ADMIN: ADMIN_ACTIONS,
    Role.MEMBER: MEMBER_ACTIONS,
    Role.VIEWER: VIEWER_ACTIONS,
    Role.SYSTEM: ADMIN_ACTIONS,
}

PLATFORM_ROLE_ACTIONS: dict[str, frozenset[Action]] = {
    Role.OWNER: frozenset({Action.SELF, Action.PLATFORM}),
    Role.ADMIN: frozenset({Action.SELF, Action.PLATFORM}),
}

TOKEN_SCOPES: dict[str, frozenset[Action]] = {
    "chat": frozenset({Action.CHAT, Action.CHAT_READ, Action.KNOWLEDGE_QUOTE, Action.MODELS_READ}),
    "knowledge": frozenset({Action.KNOWLEDGE_QUOTE, Action.KNOWLEDGE_READ, Action.KNOWLEDGE_WRITE}),
    "media": frozenset({Action.MODELS_READ}),
    "usage": frozenset({Action.USAGE_READ_OWN, Action.USAGE_READ}),
    "admin": ADMIN_ACTIONS,
}


def role_allows(actor: Actor, action: Action) -> bool:
    table = PLATFORM_ROLE_ACTIONS if actor.is_platform_staff else ROLE_ACTIONS
    return action in table.get(actor.role, frozenset())


def token_allows(actor: Actor, action: Action) -> bool:
    if actor.token_scopes is None or action is Action.SELF:  # any credential may ask whose it is
        return True
    return any(action in TOKEN_SCOPES.get(scope, frozenset()) for scope in actor.token_scopes)


def can(actor: Actor, action: Action) -> bool:
    """Whether `actor` may do `action` in its own scope. Objects of others are never in that scope at all."""
    return role_allows(actor, action) and token_allows(actor, action)


def require(actor: Actor, action: Action) -> None:
    """Raise `Forbidden`, or `InsufficientScope` where the role would allow what the token does not."""
    if not role_allows(actor, action):
        raise Forbidden
    if not token_allows(actor, action):
        raise InsufficientScope
