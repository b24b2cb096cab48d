"""The Content-Security-Policy of every page: scripts by nonce only."""

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

API_DOCS = "/api/docs/"  # Swagger's page starts itself with an inline script and style


def _policy(nonce: str, *, host: str, inline: bool) -> str:
    own = "'self' 'unsafe-inline'" if inline else f"'self' 'nonce-{nonce}'"
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src {own}",
            f"style-src {own}",
            "img-src 'self' data: blob:",
            f"connect-src 'self' ws://{host} wss://{host}",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


class ContentSecurityPolicyMiddleware:
    """Gives templates `request.csp_nonce` and answers with the policy that names it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        nonce = secrets.token_urlsafe(16)
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        response = self.get_response(request)
        policy = _policy(nonce, host=request.get_host(), inline=request.path == API_DOCS)
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
