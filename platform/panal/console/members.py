"""People of the workspace: who is in, what they may do."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from panal.console.forms import ROLES, MemberAddForm, RoleForm
from panal.console.notices import undoable
from panal.console.paging import page_of, sort_of, text_of
from panal.kit.errors import Invalid, NotFound, PanalError
from tenants.people.accounts import member_invite, member_remove
from tenants.people.links import password_link
from tenants.people.models import User
from tenants.people.selectors import members_visible
from tenants.people.services import member_add, member_set_active, member_set_role
from tenants.policy import Action
from tenants.web import actor_of, policy_required

SORTS = {"email": "email", "name": "name", "role": "role", "last": "last_login", "since": "created_at"}


def _member(request: HttpRequest, user_id: UUID) -> User:
    user = members_visible(actor=actor_of(request)).filter(pk=user_id).first()
    if user is None:
        raise NotFound
    return user


def _page(
    request: HttpRequest,
    *,
    form: MemberAddForm | None = None,
    invited: User | None = None,
    link: str = "",
    status: int = 200,
) -> HttpResponse:
    people = members_visible(actor=actor_of(request))
    search = text_of(request, "q")
    if search:
        people = people.filter(Q(email__icontains=search) | Q(name__icontains=search))
    sort = sort_of(request, SORTS, "email")
    context = {
        "page": page_of(request, people.order_by(sort.field, "id")),
        "search": search,
        "sort": sort.key,
        "form": form or MemberAddForm(),
        "roles": [(role.value, label.partition(":")[0]) for role, label in ROLES.items()],
        "invited": invited,
        "link": link,
    }
    return render(request, "console/members.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD"])
@policy_required(Action.MEMBERS_READ)
def members(request: HttpRequest) -> HttpResponse:
    return _page(request)


@never_cache
@require_POST
@policy_required(Action.MEMBERS_MANAGE)
def member_new(request: HttpRequest) -> HttpResponse:
    form = MemberAddForm(request.POST)
    if not form.is_valid():
        return _page(request, form=form, status=Invalid.status)
    actor = actor_of(request)
    try:
        with transaction.atomic():
            user = member_add(actor=actor, **form.cleaned_data)
            link = member_invite(actor=actor, user=user, request=request)
    except PanalError as error:
        form.add_error("email", error.detail)
        return _page(request, form=form, status=Invalid.status)
    return _page(request, invited=user, link=link)


@require_POST
@policy_required(Action.MEMBERS_MANAGE)
def member_role(request: HttpRequest, user_id: UUID) -> HttpResponse:
    before = _member(request, user_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise Invalid("The role must be admin, member or viewer.")
    user = member_set_role(actor=actor_of(request), user_id=user_id, role=form.cleaned_data["role"])
    undoable(
        request,
        f"{user.display_name} is now {user.get_role_display().lower()}.",
        reverse("console:member_role", args=[user_id]),
        role=before.role,
    )
    return redirect("console:members")


@require_POST
@policy_required(Action.MEMBERS_MANAGE)
def member_active(request: HttpRequest, user_id: UUID) -> HttpResponse:
    active = request.POST.get("active") == "1"
    user = member_set_active(actor=actor_of(request), user_id=user_id, active=active)
    said = f"{user.display_name} may come in again." if active else f"{user.display_name} is suspended."
    undoable(request, said, reverse("console:member_active", args=[user_id]), active="0" if active else "1")
    return redirect("console:members")


@never_cache
@require_POST
@policy_required(Action.MEMBERS_MANAGE)
def member_link(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """A new link to choose a password, shown to the manager once; for people who never came in."""
    user = _member(request, user_id)
    if user.has_usable_password():
        raise Invalid("This person has a password and can ask for a new one at the sign-in page.")
    return _page(request, invited=user, link=password_link(user, request))


@require_POST
@policy_required(Action.MEMBERS_MANAGE)
def member_delete(request: HttpRequest, user_id: UUID) -> HttpResponse:
    user = _member(request, user_id)
    member_remove(actor=actor_of(request), user_id=user_id)
    messages.success(request, f"{user.display_name} is removed.")
    return redirect("console:members")
