"""API tokens: made here, shown once, revoked here."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from panal.console.forms import TokenForm
from panal.console.paging import page_of, sort_of
from panal.kit.errors import Invalid, NotFound
from tenants.people.accounts import user_of
from tenants.people.selectors import tokens_visible
from tenants.people.services import token_create, token_revoke
from tenants.policy import Action, can
from tenants.web import actor_of, policy_required

SORTS = {
    "name": "name",
    "created": "created_at",
    "used": "last_used_at",
    "ends": "expires_at",
    "owner": "user__email",
}


def _page(
    request: HttpRequest, *, form: TokenForm | None = None, token: str = "", name: str = "", status: int = 200
) -> HttpResponse:
    actor = actor_of(request)
    sort = sort_of(request, SORTS, "-created")
    context = {
        "page": page_of(request, tokens_visible(actor=actor).order_by(sort.field, "id")),
        "sort": sort.key,
        "form": form or TokenForm(actor=actor, initial={"scopes": ["chat"], "lifetime": "90"}),
        "everyone": can(actor, Action.TOKENS_MANAGE),
        "now": timezone.now(),
        "token": token,
        "token_name": name,
        "base_url": request.build_absolute_uri("/v1"),
    }
    return render(request, "console/tokens.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD"])
@policy_required(Action.TOKENS_OWN)
def tokens(request: HttpRequest) -> HttpResponse:
    return _page(request)


@never_cache
@require_POST
@policy_required(Action.TOKENS_OWN)
def token_new(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    form = TokenForm(request.POST, actor=actor)
    if not form.is_valid():
        return _page(request, form=form, status=Invalid.status)
    facts = form.cleaned_data
    row, raw = token_create(
        user=user_of(actor),
        name=facts["name"],
        scopes=facts["scopes"],
        expires_at=form.expires_at(),
    )
    return _page(request, token=raw, name=row.name)


@require_POST
@policy_required(Action.TOKENS_OWN)
def token_delete(request: HttpRequest, token_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    row = tokens_visible(actor=actor).filter(pk=token_id).first()
    if row is None:
        raise NotFound
    token_revoke(actor=actor, token_id=token_id)
    messages.success(request, f"The token “{row.name}” is revoked. Programs that use it stop working now.")
    return redirect("console:tokens")
