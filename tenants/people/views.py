"""Signing in and out, passwords and one's own profile: on a workspace's host and, for staff, on the base domain."""

from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib import auth, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tenants.people import throttle
from tenants.people.accounts import password_reset_request, password_set, profile_rename
from tenants.people.forms import (
    PasswordChangeForm,
    PasswordForgottenForm,
    PasswordSetForm,
    ProfileForm,
    SignInForm,
)
from tenants.people.links import handover_user, password_link_user
from tenants.people.models import User
from tenants.people.throttle import TooManyAttempts
from tenants.policy import Action
from tenants.scope import current_scope
from tenants.web import policy_required

INVALID = 422
form_page = require_http_methods(["GET", "HEAD", "POST"])


def _home() -> str:
    return resolve_url("platform" if current_scope().is_public else settings.LOGIN_REDIRECT_URL)


def _destination(request: HttpRequest) -> str:
    """`next`, if it stays on this host; else the page people land on."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else _home()


def _count(
    request: HttpRequest, account: str, *, by_account: throttle.Limit, by_address: throttle.Limit
) -> None:
    by_address.count(throttle.address_of(request))
    by_account.count(account)


def _authenticate(request: HttpRequest, form: SignInForm) -> User | None:
    """The person, or None with the reason in the form. Raises `TooManyAttempts`."""
    email = form.cleaned_data["email"]
    pair = f"{email}|{throttle.address_of(request)}"
    throttle.SIGN_IN_PAIR.count(pair)
    _count(request, email, by_account=throttle.SIGN_IN_ACCOUNT, by_address=throttle.SIGN_IN_ADDRESS)
    user = auth.authenticate(request, username=email, password=form.cleaned_data["password"])
    if user is None:
        form.add_error(None, "The e-mail or the password is not right.")
        return None
    throttle.SIGN_IN_PAIR.forget(pair)
    return user


def _status(form: SignInForm | PasswordForgottenForm) -> int:
    return INVALID if form.errors else 200


def _wait_page(request: HttpRequest, template: str, form: object, error: TooManyAttempts) -> HttpResponse:
    context = {"form": form, "wait": error.detail, "next": request.POST.get("next", "")}
    response = render(request, template, context, status=error.status)
    response["Retry-After"] = str(error.retry_after)
    return response


@sensitive_post_parameters("password")
@never_cache
@form_page
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return HttpResponseRedirect(_destination(request))
    form = SignInForm(request.POST if request.method == "POST" else None)
    try:
        user = _authenticate(request, form) if form.is_valid() else None
    except TooManyAttempts as error:
        return _wait_page(request, "registration/sign_in.html", form, error)
    if user is not None:
        auth.login(request, user)
        return HttpResponseRedirect(_destination(request))
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return render(request, "registration/sign_in.html", {"form": form, "next": wanted}, status=_status(form))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return redirect("sign_in")


@never_cache
@form_page
def password_forgotten(request: HttpRequest) -> HttpResponse:
    form = PasswordForgottenForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"form": form, "sent": "sent" in request.GET}
        return render(request, "registration/password_forgotten.html", context, status=_status(form))
    email = form.cleaned_data["email"]
    try:
        _count(request, email, by_account=throttle.RESET_ACCOUNT, by_address=throttle.RESET_ADDRESS)
    except TooManyAttempts as error:
        return _wait_page(request, "registration/password_forgotten.html", form, error)
    password_reset_request(email=email, request=request)
    return redirect(f"{request.path}?sent")


@sensitive_post_parameters("password")
@never_cache
@form_page
def password_choose(request: HttpRequest, user_id: UUID, token: str) -> HttpResponse:
    """The page of `links.password_link`: choose a password and be signed in."""
    user = password_link_user(user_id, token)
    if user is None:
        return render(request, "registration/password_link_dead.html", status=404)
    form = PasswordSetForm(request.POST if request.method == "POST" else None, user=user)
    if not form.is_valid():
        context = {"form": form, "person": user}
        return render(
            request, "registration/password_set.html", context, status=INVALID if form.errors else 200
        )
    password_set(user=user, password=form.cleaned_data["password"])
    auth.login(request, user)
    messages.success(request, "Your password is set. Welcome.")
    return redirect(_home())


@never_cache
@require_GET
def handover(request: HttpRequest, token: str) -> HttpResponse:
    """The last step of sign-up: its one-time link signs the new owner in on the workspace's own host."""
    user = handover_user(token)
    if user is None:
        messages.info(request, "That link is no longer valid. Sign in with your e-mail and password.")
        return redirect("sign_in")
    auth.login(request, user)
    return redirect(_home())


def _profile_page(
    request: HttpRequest, *, profile: ProfileForm | None = None, password: PasswordChangeForm | None = None
) -> HttpResponse:
    user = cast(User, request.user)
    status = INVALID if profile or password else 200
    context = {
        "person": user,
        "form": profile or ProfileForm(initial={"name": user.name}),
        "password_form": password or PasswordChangeForm(user=user),
        "page_base": "platform/base.html" if current_scope().is_public else "console/base.html",
    }
    return render(request, "people/profile.html", context, status=status)


@form_page
@policy_required(Action.SELF)
def profile(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _profile_page(request)
    form = ProfileForm(request.POST)
    if not form.is_valid():
        return _profile_page(request, profile=form)
    profile_rename(user=cast(User, request.user), name=form.cleaned_data["name"])
    messages.success(request, "Your name is saved.")
    return redirect("profile")


@sensitive_post_parameters("password", "current")
@require_POST
@policy_required(Action.SELF)
def password_change(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    form = PasswordChangeForm(request.POST, user=user)
    if not form.is_valid():
        return _profile_page(request, password=form)
    password_set(user=user, password=form.cleaned_data["password"])
    auth.update_session_auth_hash(request, user)
    messages.success(request, "Your password is changed. Other devices are signed out.")
    return redirect("profile")
