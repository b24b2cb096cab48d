from django import forms
from django.contrib.auth.password_validation import validate_password

from panal.kit.errors import PanalError
from panal.site.addresses import is_free
from tenants.errors import SlugTaken
from tenants.people.forms import PASSWORD_HELP
from tenants.people.models import User
from tenants.services import slug_clean


class SignUpForm(forms.Form):
    workspace = forms.CharField(
        label="Workspace name",
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "organization", "autofocus": True}),
    )
    slug = forms.CharField(
        label="Address",
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    name = forms.CharField(
        label="Your name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label="Work e-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        strip=False,
        max_length=512,
        help_text=PASSWORD_HELP,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_slug(self) -> str:
        try:
            slug = slug_clean(self.cleaned_data["slug"])
            if not is_free(slug):
                raise SlugTaken
        except PanalError as error:
            raise forms.ValidationError(error.detail, code=error.code) from error
        return slug

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        person = User(email=self.cleaned_data.get("email", ""), name=self.cleaned_data.get("name", ""))
        validate_password(password, person)
        return password

    def refuse(self, error: PanalError) -> None:
        """Show an error of the service at the field it belongs to."""
        fields = {
            "slug_taken": "slug",
            "invalid_slug": "slug",
            "invalid_email": "email",
            "weak_password": "password",
        }
        self.add_error(fields.get(error.code), error.detail)


class FindForm(forms.Form):
    slug = forms.CharField(
        label="Workspace address",
        max_length=80,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
