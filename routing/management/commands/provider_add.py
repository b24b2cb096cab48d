from typing import Any

from django.core.management.base import CommandParser

from routing.models import WIRES
from routing.offers import POOLS
from routing.services import provider_add
from tenants.cli import JsonCommand, scope_named
from tenants.scope import PUBLIC, tenant_scope


class Command(JsonCommand):
    help = "Add a provider for the platform or, with --tenant, for one workspace; repeating it updates it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--slug", required=True)
        parser.add_argument("--wire", required=True, help=" or ".join(WIRES))
        parser.add_argument("--url", required=True, help="the address before the format's own paths")
        parser.add_argument("--key", help="stored encrypted; left out: the stored key stays")
        parser.add_argument("--pool", required=True, help=", ".join(POOLS))
        parser.add_argument("--tenant", help="the workspace's slug; left out: every workspace may use it")

    def answer(self, **options: Any) -> dict[str, Any]:
        scope = scope_named(options["tenant"]) if options["tenant"] else PUBLIC
        with tenant_scope(scope):
            provider = provider_add(
                slug=options["slug"],
                wire=options["wire"],
                base_url=options["url"],
                pool=options["pool"],
                key=options["key"],
            )
        return {
            "id": provider.pk,
            "slug": provider.slug,
            "wire": provider.wire,
            "url": provider.base_url,
            "pool": provider.pool,
            "has_key": bool(provider.sealed_key),
            "tenant": scope.slug or None,
        }
