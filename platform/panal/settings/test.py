"""Settings of the tests; `tests/conftest.py` sets the addresses of its own PostgreSQL and Redis."""

from panal.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
