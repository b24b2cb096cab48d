"""Sign-in by e-mail and password within the current scope."""

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from tenants.people.models import User


class EmailBackend(BaseBackend):
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        email = username or kwargs.get("email")
        if not email or password is None:
            return None
        # Stored in small letters. Matching without case would let `ſ` and `ı` pass for `s` and `i`, and each
        # spelling have attempts of its own.
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            User().set_password(password)  # the same work, so that time does not tell who is a member
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id: UUID) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()
