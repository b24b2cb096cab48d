"""What people fill in in the console."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from tenants.actors import Actor
from tenants.people.models import User
from tenants.people.services import MEMBER_ROLES
from tenants.policy import ROLE_ACTIONS, TOKEN_SCOPES

ROLES = {
    User.Role.MEMBER: "Member: chats, reads the knowledge, uses the API",
    User.Role.ADMIN: "Admin: manages people, knowledge, models and costs",
    User.Role.VIEWER: "Viewer: reads only",
}
SCOPES = {
    "chat": "Chat: ask models, in the API and in conversations",
    "knowledge": "Knowledge: search, upload and delete documents",
    "media": "Media: list models for images and speech",
    "usage": "Usage: read figures and costs",
    "admin": "Admin: everything its owner may do",
}
YEARS = range(2000, 2100)  # so that no arithmetic leaves the calendar
LIFETIMES = {"30": "30 days", "90": "90 days", "365": "1 year", "": "No end"}


class MemberAddForm(forms.Form):
    email = forms.EmailField(
        label="E-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    name = forms.CharField(label="Name", max_length=120, required=False)
    role = forms.ChoiceField(choices=[(role.value, label) for role, label in ROLES.items()])


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=[(role, role) for role in sorted(MEMBER_ROLES)])


class TokenForm(forms.Form):
    name = forms.CharField(
        max_length=80, help_text="Where it is used, for example “CI” or “my laptop”.", label="Name"
    )
    scopes = forms.MultipleChoiceField(
        label="May do",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one."},
    )
    lifetime = forms.ChoiceField(
        label="Ends after", choices=list(LIFETIMES.items()), required=False, initial="90"
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = offered_scopes(actor)  # type: ignore[attr-defined]

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["lifetime"]
        return timezone.now() + timedelta(days=int(days)) if days else None


def offered_scopes(actor: Actor) -> list[tuple[str, str]]:
    """Scopes that would allow this person anything; `admin` only where it means more than the others together."""
    may = ROLE_ACTIONS.get(actor.role, frozenset())
    whole = TOKEN_SCOPES["admin"] <= may
    return [
        (key, label)
        for key, label in SCOPES.items()
        if (whole if key == "admin" else TOKEN_SCOPES[key] & may)
    ]


class KnowledgeBaseForm(forms.Form):
    name = forms.CharField(max_length=200)
    description = forms.CharField(
        max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}), label="What it is about"
    )


class TypedNameForm(forms.Form):
    """Deleting for good asks to type the name."""

    typed = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = name
        self.fields["typed"].label = f"Type “{name}” to delete it for good"

    def clean_typed(self) -> str:
        typed = str(self.cleaned_data["typed"])
        if typed.strip() != self.name.strip():
            raise forms.ValidationError("That is not its name.")
        return typed


class WorkspaceForm(forms.Form):
    name = forms.CharField(label="Workspace name", max_length=120)


class DaysForm(forms.Form):
    """A period of whole days."""

    first = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label="To", widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if any(day and day.year not in YEARS for day in (first, last)):
            raise forms.ValidationError("Choose days between 2000 and 2099.")
        if first and last and first > last:
            raise forms.ValidationError("The first day must not come after the last.")
        if first and last and last - first > timedelta(days=366):
            raise forms.ValidationError("A period has at most 366 days.")
        return cleaned
