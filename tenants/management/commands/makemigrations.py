from typing import Any

from django.core.management.commands import makemigrations

from tenants.scope import public_scope


class Command(makemigrations.Command):
    """Django's own, which looks at the database and therefore needs a scope."""

    def handle(self, *app_labels: Any, **options: Any) -> Any:
        with public_scope():
            return super().handle(*app_labels, **options)
