"""The workspace's own settings."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from panal.console.forms import WorkspaceForm
from panal.kit.errors import Invalid, PanalError
from tenants.policy import Action
from tenants.web import actor_of, policy_required
from tenants.workspace import workspace_name, workspace_rename


@require_http_methods(["GET", "HEAD", "POST"])
@policy_required(Action.WORKSPACE_MANAGE)
def settings(request: HttpRequest) -> HttpResponse:
    form = WorkspaceForm(
        request.POST if request.method == "POST" else None, initial={"name": workspace_name()}
    )
    if form.is_valid():
        try:
            workspace_rename(actor=actor_of(request), name=form.cleaned_data["name"])
        except PanalError as error:
            form.add_error("name", error.detail)
        else:
            messages.success(request, "The name is saved.")
            return redirect("console:settings")
    return render(
        request, "console/settings.html", {"form": form}, status=Invalid.status if form.errors else 200
    )
