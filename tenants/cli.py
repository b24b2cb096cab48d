"""The form of every management command: one JSON object on stdout, or one line on stderr and exit status 1."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from panal.kit.errors import PanalError
from tenants.directory import scope_of_slug
from tenants.scope import Scope


class JsonCommand(BaseCommand):
    """Subclasses implement `answer(**options)` and return what to print."""

    requires_system_checks: list[str] = []

    def answer(self, **options: Any) -> dict[str, Any]:
        raise NotImplementedError

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """A wrong argument raises instead of printing a page of usage and exiting with 2."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.called_from_command_line = False
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except CommandError as error:
            self.stderr.write(f"invalid_arguments: {error}")
            sys.exit(1)

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
