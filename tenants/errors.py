"""What can go wrong with workspaces, people and tokens."""

from panal.kit.errors import Conflict, Forbidden, Invalid


class SlugTaken(Conflict):
    code = "slug_taken"
    detail = "This address is already taken."


class BadSlug(Invalid):
    code = "invalid_slug"
    detail = "An address has 2 to 40 letters, digits or hyphens and starts with a letter."


class BadEmail(Invalid):
    code = "invalid_email"
    detail = "This is not an e-mail address."


class WeakPassword(Invalid):
    code = "weak_password"
    detail = "Choose a longer or less common password."


class EmailTaken(Conflict):
    code = "email_taken"
    detail = "This person is already a member."


class BadRole(Invalid):
    code = "invalid_role"
    detail = "The role must be admin, member or viewer."


class OwnerProtected(Forbidden):
    code = "owner_protected"
    detail = "The owner of a workspace cannot be changed or removed here."


class BadScopes(Invalid):
    code = "invalid_scopes"
    detail = "Scopes are chat, knowledge, media, usage and admin."


class BadPlan(Invalid):
    code = "invalid_plan"
    detail = "Plans are free, team, business and enterprise."
