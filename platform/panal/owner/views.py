"""The platform owner's console on the base domain: workspaces, what they use, and how the parts are."""

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from panal.console.paging import page_of, sort_of, text_of
from panal.health import health_report
from panal.owner.selectors import DAYS, SORTS, members_of, platform_totals, tenants_list
from tenants.policy import Action
from tenants.services import SPARE_TARGET
from tenants.web import actor_of, policy_required

READ = require_http_methods(["GET", "HEAD"])


@READ
@policy_required(Action.PLATFORM)
def platform(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    search = text_of(request, "q")
    sort = sort_of(request, SORTS, "-cost")
    page = page_of(request, tenants_list(actor=actor, search=search).order_by(sort.field, "id"))
    members = members_of(list(page))
    context = {
        "page": page,
        "rows": [(tenant, members[tenant.pk]) for tenant in page],
        "search": search,
        "sort": sort.key,
        "days": DAYS,
        "totals": platform_totals(actor=actor),
        "spare_target": SPARE_TARGET,
    }
    return render(request, "platform/tenants.html", context)


@READ
@policy_required(Action.PLATFORM)
def health(request: HttpRequest) -> HttpResponse:
    """The state of the parts, which the page asks for again and again."""
    return render(request, "platform/_health.html", {"report": async_to_sync(health_report)()})
