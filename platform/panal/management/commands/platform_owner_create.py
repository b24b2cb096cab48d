from typing import Any

from django.core.management.base import CommandParser

from panal.owner.staff import platform_owner_create
from tenants.cli import JsonCommand


class Command(JsonCommand):
    help = "Create somebody who may see the platform's own console at /platform/."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--password", required=True)
        parser.add_argument("--name", default="")

    def answer(self, **options: Any) -> dict[str, Any]:
        user = platform_owner_create(
            email=options["email"], password=options["password"], name=options["name"]
        )
        return {"id": user.pk, "email": user.email, "role": user.role}
