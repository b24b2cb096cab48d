"""Django's sessions, which look nothing up for a cookie that cannot be one of theirs."""

from typing import Any

from django.contrib.sessions.backends import cached_db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS

KEY_CHARACTERS = frozenset(VALID_KEY_CHARS)


class SessionStore(cached_db.SessionStore):
    def _validate_session_key(self, key: Any) -> bool:
        """PostgreSQL refuses some characters a cookie may hold (NUL); to us they name no session."""
        valid = super()._validate_session_key(key)  # type: ignore[misc]  # the stubs leave it out
        return bool(valid) and KEY_CHARACTERS.issuperset(key)
