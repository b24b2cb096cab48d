from typing import Any

from django.core.management.base import CommandParser

from billing.api import usage_report
from tenants.actors import system_actor
from tenants.cli import JsonCommand, scope_named
from tenants.scope import tenant_scope


class Command(JsonCommand):
    help = "What a workspace used and what it cost."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True)
        parser.add_argument("--from", default="", help="ISO 8601 date or time; default 30 days ago")
        parser.add_argument("--to", default="", help="ISO 8601 date (whole day) or time; default now")
        parser.add_argument("--group-by", default="feature,model")

    def answer(self, **options: Any) -> dict[str, Any]:
        scope = scope_named(options["tenant"])
        with tenant_scope(scope):
            return usage_report(actor=system_actor(scope), group_by=options["group_by"], params=options)
