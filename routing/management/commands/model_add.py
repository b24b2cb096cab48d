from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandParser

from routing.errors import BadModel
from routing.models import KINDS, TIERS, Provider
from routing.services import environment_providers_sync, model_add
from tenants.cli import JsonCommand, scope_named
from tenants.scope import PUBLIC, Scope, tenant_scope


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise BadModel("A price must be a number of US dollars per million tokens.") from error


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise BadModel("The context must be a whole number of tokens.") from error


class Command(JsonCommand):
    help = "Offer a model of a provider; repeating it updates it. Prices are US dollars per million tokens."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--provider", required=True, help="the provider's slug")
        parser.add_argument("--name", required=True)
        parser.add_argument("--kind", default="chat", help=", ".join(KINDS))
        parser.add_argument("--tier", default="standard", help=" or ".join(TIERS))
        parser.add_argument("--context", default="8192", help="tokens")
        parser.add_argument("--input-price", default="0")
        parser.add_argument("--output-price", default="0")
        parser.add_argument(
            "--tenant", help="the workspace whose provider it is, when it is not the platform's"
        )

    def _scope(self, options: dict[str, Any]) -> Scope:
        if options["tenant"]:
            return scope_named(options["tenant"])
        with tenant_scope(PUBLIC):
            environment_providers_sync()
            if Provider.objects.filter(slug=options["provider"]).exists():
                return PUBLIC
        return _owner_of(options["provider"]) or PUBLIC

    def answer(self, **options: Any) -> dict[str, Any]:
        scope = self._scope(options)
        with tenant_scope(scope):
            model = model_add(
                provider=options["provider"],
                name=options["name"],
                kind=options["kind"],
                tier=options["tier"],
                context=_whole(options["context"]),
                input_price=_decimal(options["input_price"]),
                output_price=_decimal(options["output_price"]),
            )
        return {
            "id": model.pk,
            "provider": options["provider"],
            "name": model.name,
            "kind": model.kind,
            "tier": model.tier,
            "context": model.context,
            "input_price": model.input_price,
            "output_price": model.output_price,
            "tenant": scope.slug or None,
        }


def _owner_of(slug: str) -> Scope | None:
    """The only workspace with a provider of this slug. Raises `BadModel` when several have one."""
    from tenants.directory import snapshot

    owners = []
    for scope in snapshot().by_id.values():
        with tenant_scope(scope):
            if Provider.objects.filter(slug=slug).exists():
                owners.append(scope)
    if len(owners) > 1:
        raise BadModel("Several workspaces have a provider of this name; say which with --tenant.")
    return owners[0] if owners else None
