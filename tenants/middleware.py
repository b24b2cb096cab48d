"""HTTP requests enter their tenant's scope here, and nowhere else."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tenants import directory
from tenants.authentication import actor_of_user
from tenants.scope import Scope, public_scope, tenant_scope
from tenants.tokens import tenant_key_of

GetResponse = Callable[[HttpRequest], HttpResponse]
WORKSPACE_URLS = "panal.urls"
PUBLIC_URLS = "panal.urls_public"
TOKEN_PATHS = ("/api/", "/graphql/")  # on the base domain, a token alone names the workspace


def bearer_of(authorization: str) -> str | None:
    kind, _, value = authorization.partition(" ")
    return value.strip() if kind.lower() == "bearer" and value.strip() else None


def _scope_of_bearer(request: HttpRequest) -> Scope | None:
    raw = bearer_of(request.headers.get("Authorization", ""))
    key = tenant_key_of(raw) if raw else None
    return directory.scope_of_key(key) if key else None


def _request_scope(request: HttpRequest) -> Scope:
    scope = directory.resolve_host(request.META.get("HTTP_HOST", ""))
    if scope.is_public and request.path.startswith(TOKEN_PATHS):
        return _scope_of_bearer(request) or scope
    return scope


class TenantMiddleware:
    """Host header → scope for the whole request. An unknown address is a friendly 404 without database work."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            scope = _request_scope(request)
        except directory.UnknownWorkspace:
            with public_scope():
                request.urlconf = PUBLIC_URLS
                return render(request, "errors/unknown_workspace.html", status=404)
        request.workspace = scope  # type: ignore[attr-defined]
        request.urlconf = PUBLIC_URLS if scope.is_public else WORKSPACE_URLS
        with tenant_scope(scope):
            return self.get_response(request)


class ActorMiddleware:
    """`request.actor`: the signed-in person as an `Actor`, or None. Token calls get theirs in the API layer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated:
            request.actor = actor_of_user(user, request.workspace)  # type: ignore[attr-defined]
        else:
            request.actor = None  # type: ignore[attr-defined]
        return self.get_response(request)
