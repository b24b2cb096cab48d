"""What every template may use besides its own context."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from tenants.policy import Action, can
from tenants.workspace import workspace_name


def page(request: HttpRequest) -> dict[str, Any]:
    """`workspace`, `actor`, `allowed` (names of the actions the actor may do), `csp_nonce`, names and version."""
    actor = getattr(request, "actor", None)
    return {
        "workspace": getattr(request, "workspace", None),
        "workspace_name": workspace_name,  # called by the pages that show it
        "actor": actor,
        "allowed": {action.name.lower() for action in Action if actor is not None and can(actor, action)},
        "csp_nonce": getattr(request, "csp_nonce", ""),
        "base_domain": settings.PANAL_BASE_DOMAIN,
        "version": settings.VERSION,
    }
