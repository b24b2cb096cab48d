"""The form of every management command: one JSON object on stdout, or one line on stderr and exit status 1."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from panal.kit.errors import PanalError
from tenants.directory import scope_of_slug
from tenants.scope import Scope


class JsonCommand(BaseCommand):
    """Subclasses implement `answer(**options)` and return what to print."""

    requires_system_checks: list[str] = []

    def answer(self, **options: Any) -> dict[str, Any]:
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            result = self.answer(**options)
        except PanalError as error:
            raise CommandError(f"{error.code}: {error.detail}") from error
        self.stdout.write(json.dumps(result, default=str))


def scope_named(slug: str) -> Scope:
    scope = scope_of_slug(slug)
    if scope is None:
        raise CommandError(f"unknown_tenant: there is no workspace {slug!r}")
    return scope
