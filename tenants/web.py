"""Access to HTML pages: sign in first, then the policy decides."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from panal.kit.errors import PanalError
from tenants.actors import Actor
from tenants.policy import Action, require

View = Callable[..., HttpResponse]


def actor_of(request: HttpRequest) -> Actor:
    """The actor of a request that passed `policy_required`."""
    return cast(Actor, request.actor)  # type: ignore[attr-defined]


def policy_required(action: Action) -> Callable[[View], View]:
    """Send strangers to the sign-in page, refuse those whose role does not allow `action` (403 page)."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if getattr(request, "actor", None) is None:
                return redirect_to_login(request.get_full_path())
            require(actor_of(request), action)
            return view(request, *args, **kwargs)

        guarded.policy_action = action  # type: ignore[attr-defined]
        return guarded

    return decorate


class ErrorPageMiddleware:
    """Turns a `PanalError` of a page into the page that explains it, so that no view builds one by hand."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        from django.shortcuts import render

        if not isinstance(exception, PanalError):
            return None
        return render(request, "errors/problem.html", {"error": exception}, status=exception.status)
