from typing import Any

from django.core.management.base import CommandParser

from tenants.cli import JsonCommand
from tenants.services import tenant_create


class Command(JsonCommand):
    help = "Create a workspace with its owner."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--slug", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("--plan", default="free")
        parser.add_argument("--owner-email", required=True)
        parser.add_argument("--owner-password", required=True)

    def answer(self, **options: Any) -> dict[str, Any]:
        scope = tenant_create(
            slug=options["slug"],
            name=options["name"],
            plan=options["plan"],
            owner_email=options["owner_email"],
            owner_password=options["owner_password"],
        )
        return {"id": scope.tenant_id, "slug": scope.slug, "plan": scope.plan}
