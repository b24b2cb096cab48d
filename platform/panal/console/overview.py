"""The first page of the console: how the workspace is doing, or what to do first."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from billing.selectors import active_users, last_call_at, usage_daily, usage_totals
from knowledge.models import Document
from panal.console.charts import day_chart
from panal.console.models import connected, pools_of
from panal.console.periods import named_period
from panal.console.usage import metric_of
from routing.catalog import models_for
from tenants.actors import Actor
from tenants.people.models import ApiToken, User
from tenants.policy import Action, can
from tenants.web import actor_of, policy_required

RECENT = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do in a new workspace."""

    done: bool
    title: str
    text: str
    url_name: str
    action: str


def _steps(*, models: bool, documents: bool, people: bool, asked: bool, token: bool) -> list[Step]:
    return [
        Step(
            documents,
            "Give it something to know",
            "Upload documents. Answers will quote and cite them.",
            "console:knowledge",
            "Add documents",
        ),
        Step(
            asked,
            "Ask the first question",
            "It works right now, even before a model is connected.",
            "chat",
            "Open the chat",
        ),
        Step(
            models,
            "Connect a model",
            "Your own Ollama servers, or a provider you have a key for.",
            "console:models",
            "See how",
        ),
        Step(
            people, "Invite a colleague", "They get a link to choose a password.", "console:members", "Invite"
        ),
        Step(
            token,
            "Let a program ask",
            "The official OpenAI clients work with a token of yours.",
            "console:tokens",
            "Create a token",
        ),
    ]


def _first_steps(*, asked: bool, models: bool) -> list[Step]:
    return _steps(
        models=models,
        documents=Document.objects.filter(status=Document.Status.READY).exists(),
        people=User.objects.count() > 1,
        asked=asked,
        token=ApiToken.objects.filter(revoked_at__isnull=True).exists(),
    )


def _figures(actor: Actor) -> dict[str, object]:
    period = named_period("30d", timezone.now())
    before = period.before
    daily = usage_daily(actor=actor, since=period.since, until=period.until)[: period.days]
    return {
        "period": period,
        "totals": usage_totals(actor=actor, since=period.since, until=period.until),
        "before": usage_totals(actor=actor, since=before.since, until=before.until),
        "people": active_users(actor=actor, since=period.since, until=period.until),
        "people_before": active_users(actor=actor, since=before.since, until=before.until),
        "daily": daily,
        "chart": day_chart([(day, metric_of(day_totals, "requests")) for day, day_totals in daily]),
    }


@require_http_methods(["GET", "HEAD"])
@policy_required(Action.SELF)
def overview(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    if not can(actor, Action.USAGE_READ):
        return redirect("console:knowledge")
    figures = _figures(actor)
    cards = models_for(actor.scope)
    steps = _first_steps(asked=last_call_at() is not None, models=connected(cards))
    recent = Document.objects.select_related("knowledge_base").order_by("-updated_at", "-id")[:RECENT]
    context = {
        **figures,
        "pools": pools_of(cards),
        "documents": recent,
        "steps": steps,
        "steps_done": sum(step.done for step in steps),
    }
    return render(request, "console/overview.html", context)
