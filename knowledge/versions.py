"""Taking a version away, with the upload it was read from."""

from __future__ import annotations

from functools import partial

from django.core.files.storage import default_storage
from django.db import transaction

from knowledge.models import Version


def upload_remove(stored_as: str) -> None:
    """Remove a stored upload once the change that no longer needs it is committed."""
    if stored_as:
        transaction.on_commit(partial(default_storage.delete, stored_as))


def version_remove(version: Version) -> None:
    upload_remove(version.stored_as)
    version.delete()
