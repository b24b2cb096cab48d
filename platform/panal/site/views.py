"""The public site: what Panal is, making a workspace, finding one; and the pages for when something is wrong."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from panal.kit.errors import Forbidden, NotFound, PanalError
from panal.problems import CONTENT_TYPE, problem
from panal.site.addresses import is_free, suggestions
from panal.site.forms import FindForm, SignUpForm
from tenants import directory
from tenants.people import throttle
from tenants.people.links import handover_tenant, handover_token, workspace_url
from tenants.scope import Scope
from tenants.services import owner_of, slug_clean, tenant_create

INVALID = 422
page = require_http_methods(["GET", "HEAD", "POST"])


@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    return render(request, "public/landing.html")


def _sign_up(form: SignUpForm) -> Scope | None:
    """The new workspace, or None with the reason in the form."""
    facts = form.cleaned_data
    try:
        return tenant_create(
            slug=facts["slug"],
            name=facts["workspace"],
            plan="free",
            owner_email=facts["email"],
            owner_password=facts["password"],
            owner_name=facts["name"],
        )
    except PanalError as error:
        form.refuse(error)
        return None


def _sign_up_page(
    request: HttpRequest, form: SignUpForm, *, status: int = 200, wait: str = ""
) -> HttpResponse:
    context = {"form": form, "wait": wait, **_address_context(form["slug"].value() or "")}
    return render(request, "public/sign_up.html", context, status=status)


@sensitive_post_parameters("password")
@never_cache
@page
def sign_up(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _sign_up_page(request, SignUpForm())
    form = SignUpForm(request.POST)
    if not form.is_valid():
        return _sign_up_page(request, form, status=INVALID)
    try:
        throttle.SIGN_UP_ADDRESS.count(throttle.address_of(request))
    except throttle.TooManyAttempts as error:
        return _sign_up_page(request, form, status=error.status, wait=error.detail)
    scope = _sign_up(form)
    if scope is None:
        return _sign_up_page(request, form, status=INVALID)
    return redirect("sign_up_ready", handover_token(scope, owner_of(scope)))


def _address_context(wish: str) -> dict[str, object]:
    """What the address field says about `wish` while somebody types."""
    if not wish:
        return {"slug": "", "state": "empty", "hint": "", "suggestions": []}
    try:
        slug = slug_clean(wish)
    except PanalError as error:
        return {"slug": wish, "state": error.code, "hint": error.detail, "suggestions": suggestions(wish)}
    if is_free(slug):
        return {"slug": slug, "state": "free", "hint": "This address is free.", "suggestions": []}
    hint = "This address is already taken."
    return {"slug": slug, "state": "slug_taken", "hint": hint, "suggestions": suggestions(wish)}


@never_cache
@require_GET
def sign_up_address(request: HttpRequest) -> HttpResponse:
    """The address field for what is typed as `slug`; follows the name `workspace` until somebody types an own one."""
    wish = request.GET.get("slug", "").strip()[:80]
    name = request.GET.get("workspace", "").strip()[:120]
    untouched = not wish or wish == request.GET.get("proposed")
    if not name or not untouched:
        return render(request, "public/_address.html", _address_context(wish))
    wish = suggestions(name)[0]
    return render(request, "public/_address.html", {**_address_context(wish), "proposed": wish})


@never_cache
@require_GET
def sign_up_ready(request: HttpRequest, token: str) -> HttpResponse:
    """Leads on to the new workspace by itself. A page, because a form may not redirect to another host (CSP)."""
    tenant_id = handover_tenant(token)
    scope = directory.scope_of_id(tenant_id) if tenant_id else None
    if scope is None:
        raise Http404
    context = {
        "target": workspace_url(scope, request, f"/welcome/{token}/"),
        "slug": scope.slug,
        "fresh": True,
    }
    return render(request, "public/continue.html", context)


def _slug_in(typed: str) -> str:
    """`https://acme.example.com/chat/` and `Acme` alike -> `acme`."""
    bare = typed.strip().lower().removeprefix("https://").removeprefix("http://")
    return bare.split("/")[0].split(":")[0].split(".")[0]


@page
def find_workspace(request: HttpRequest) -> HttpResponse:
    form = FindForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "public/find.html", {"form": form}, status=INVALID if form.errors else 200)
    scope = directory.scope_of_slug(_slug_in(form.cleaned_data["slug"]))
    if scope is None:
        form.add_error(
            "slug", "There is no workspace at this address. Check the spelling, or ask a colleague."
        )
        return render(request, "public/find.html", {"form": form}, status=INVALID)
    context = {"target": workspace_url(scope, request, "/sign-in/"), "slug": scope.slug}
    return render(request, "public/continue.html", context)


@require_GET
def robots(request: HttpRequest) -> HttpResponse:
    lines = [
        "User-agent: *",
        "Disallow: /platform/",
        "Disallow: /api/",
        "Disallow: /sign-up/ready/",
        "Allow: /",
        "",
    ]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith(("/api/", "/graphql/"))


def _error_page(request: HttpRequest, error: PanalError) -> HttpResponse:
    if _is_api(request):
        body = problem(code=error.code, status=error.status, detail=error.detail)
        return JsonResponse(body, status=error.status, content_type=CONTENT_TYPE)
    return render(request, "errors/problem.html", {"error": error}, status=error.status)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error_page(request, NotFound())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open for very long, or came from elsewhere."""
    detail = "This form is too old or came from another site. Go back, reload the page and try again."
    return _error_page(request, Forbidden(detail))


def server_error(request: HttpRequest) -> HttpResponse:
    """Uses neither the database, the session nor the request's context: one of them may be what broke."""
    if _is_api(request):
        detail = "Something went wrong on our side. It has been noted."
        body = problem(code="internal_error", status=500, detail=detail)
        return JsonResponse(body, status=500, content_type=CONTENT_TYPE)
    html = render_to_string("errors/server_error.html", {"csp_nonce": getattr(request, "csp_nonce", "")})
    return HttpResponse(html, status=500)
