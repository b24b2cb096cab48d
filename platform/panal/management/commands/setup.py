from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandParser

from panal.demo.services import demo_prepare
from panal.embedded.database import ensure_vector
from tenants.cli import JsonCommand
from tenants.models import Tenant
from tenants.scope import public_scope
from tenants.services import spare_pool_fill


class Command(JsonCommand):
    help = "Bring database, spare schemas and the demo workspace up to date; safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-demo",
            action="store_true",
            help="leave the demo workspace out: for an installation of your own",
        )

    def answer(self, **options: Any) -> dict[str, Any]:
        ensure_vector(settings.DATABASE_URL)
        quiet = {"verbosity": 0, "interactive": False}
        call_command("migrate_schemas", schema_name="public", **quiet)
        with public_scope():
            schemas = list(Tenant.objects.values_list("schema_name", flat=True))
        for schema in schemas:
            call_command("migrate_schemas", schema_name=schema, **quiet)
        spare_pool_fill()
        if options["no_demo"]:
            return {"url": _address(settings.PANAL_BASE_DOMAIN)}
        demo = demo_prepare()
        return {
            "url": _address(f"{demo.scope.slug}.{settings.PANAL_BASE_DOMAIN}"),
            "email": demo.email,
            "password": demo.password,
        }


def _address(host: str) -> str:
    """With a domain of its own Panal stands behind a proxy that speaks HTTPS on the usual port."""
    return f"https://{host}/" if settings.PANAL_HTTPS else f"http://{host}:{settings.PORT}/"
