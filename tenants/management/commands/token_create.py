from typing import Any

from django.core.management.base import CommandError, CommandParser

from tenants.cli import JsonCommand, scope_named
from tenants.people.models import User
from tenants.people.services import token_create
from tenants.scope import tenant_scope


class Command(JsonCommand):
    help = "Create an API token for a member; the token is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True)
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument(
            "--scopes", required=True, help="comma-separated: chat,knowledge,media,usage,admin"
        )

    def answer(self, **options: Any) -> dict[str, Any]:
        with tenant_scope(scope_named(options["tenant"])):
            user = User.objects.filter(email__iexact=options["email"]).first()
            if user is None:
                raise CommandError(f"unknown_member: nobody here has the address {options['email']!r}")
            scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
            row, raw = token_create(user=user, name=options["name"], scopes=scopes)
            return {"token": raw, "id": row.pk, "scopes": row.scopes}
