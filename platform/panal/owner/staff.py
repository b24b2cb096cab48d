"""People who run the platform: users of the public schema."""

from django.db import IntegrityError, transaction

from tenants.errors import EmailTaken
from tenants.people.models import User
from tenants.people.services import email_clean, password_check
from tenants.scope import public_scope


def platform_owner_create(*, email: str, password: str, name: str = "") -> User:
    """The first becomes the owner, later ones admins with the same rights. Raises `EmailTaken` and the checks'."""
    email = email_clean(email)
    password_check(password, email=email)
    with public_scope():
        first = not User.objects.filter(role=User.Role.OWNER).exists()
        role = User.Role.OWNER if first else User.Role.ADMIN
        try:
            with transaction.atomic():
                return User.objects.create_user(email=email, password=password, name=name.strip(), role=role)
        except IntegrityError as error:
            raise EmailTaken("There is already somebody with this e-mail.") from error
