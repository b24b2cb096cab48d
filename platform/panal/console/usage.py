"""What was used and what it cost: figures, a chart by day, tables, and the same as CSV."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from billing.selectors import (
    Totals,
    names_of_tokens,
    names_of_users,
    usage_by,
    usage_daily,
    usage_totals,
)
from panal.console.charts import day_chart
from panal.console.forms import DaysForm
from panal.console.paging import page_of
from panal.console.periods import CHOICES, Period, custom_period, named_period
from panal.kit.errors import Invalid, NotFound
from panal.templatetags.figures import feature_name
from tenants.actors import Actor
from tenants.policy import Action, can
from tenants.web import actor_of, policy_required

GROUPS = {"model": "model", "feature": "feature", "user": "member", "token": "API token"}
ON_ONE_PAGE = ("model", "feature", "user")
TOP = 8
METRICS = {"cost": "Cost", "tokens": "Tokens", "requests": "Requests"}
LEFT = "Left the workspace"


@dataclass(frozen=True, slots=True)
class Asked:
    """The period the address asks for; `form` holds the errors of an own one."""

    period: Period
    form: DaysForm


def asked_period(request: HttpRequest) -> Asked:
    now = timezone.now()
    if not (request.GET.get("first") or request.GET.get("last")):
        period = named_period(request.GET.get("period", ""), now)
        days = {"first": period.since.date(), "last": period.until.date()}
        return Asked(period, DaysForm(initial=days))
    form = DaysForm(request.GET)
    if not form.is_valid():
        return Asked(named_period("", now), form)
    return Asked(custom_period(form.cleaned_data["first"], form.cleaned_data["last"]), form)


def metric_of(totals: Totals, metric: str) -> Decimal:
    if metric == "tokens":
        return Decimal(totals.input_tokens + totals.output_tokens)
    return Decimal(totals.requests) if metric == "requests" else totals.cost_usd


def named_rows(actor: Actor, group: str, period: Period) -> list[dict[str, Any]]:
    """Rows of one dimension, each with the `label` people know."""
    rows = usage_by(actor=actor, dimensions=[group], since=period.since, until=period.until)
    keys = [row[group] for row in rows]
    if group == "user":
        names: dict[Any, str] = {**names_of_users(keys), None: "Panal itself"}
    elif group == "token":
        names = {**names_of_tokens(keys), None: "Without a token (browser)"}
    elif group == "feature":
        names = {key: feature_name(key) for key in keys}
    else:
        names = {key: key for key in keys}
    return [{**row, "label": names.get(row[group], LEFT)} for row in rows]


def _tables(request: HttpRequest, actor: Actor, period: Period) -> dict[str, Any]:
    """All tables with their first rows, or one of them in full."""
    chosen = request.GET.get("by", "")
    if chosen in GROUPS:
        rows = named_rows(actor, chosen, period)
        return {"by": chosen, "heading": GROUPS[chosen], "page": page_of(request, rows)}
    tables = []
    for group in ON_ONE_PAGE:
        rows = named_rows(actor, group, period)
        tables.append(
            {"by": group, "heading": GROUPS[group], "rows": rows[:TOP], "more": max(len(rows) - TOP, 0)}
        )
    return {"by": "", "tables": tables}


def _chosen_metric(request: HttpRequest, totals: Totals) -> str:
    """What `?show=` names; else the cost, or the requests where nothing was charged."""
    wanted = request.GET.get("show", "")
    if wanted in METRICS:
        return wanted
    return "cost" if totals.cost_usd else "requests"


@require_http_methods(["GET", "HEAD"])
@policy_required(Action.USAGE_READ_OWN)
def usage(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    asked = asked_period(request)
    period = asked.period
    totals = usage_totals(actor=actor, since=period.since, until=period.until)
    metric = _chosen_metric(request, totals)
    daily = usage_daily(actor=actor, since=period.since, until=period.until)[: period.days]
    context = {
        "period": period,
        "periods": CHOICES,
        "days_form": asked.form,
        "metric": metric,
        "metrics": METRICS,
        "groups": GROUPS,
        "totals": totals,
        "before": usage_totals(actor=actor, since=period.before.since, until=period.before.until),
        "daily": daily,
        "chart": day_chart([(day, metric_of(of_day, metric)) for day, of_day in daily]),
        "everyone": can(actor, Action.USAGE_READ),
        **_tables(request, actor, period),
    }
    return render(request, "console/usage.html", context, status=Invalid.status if asked.form.errors else 200)


class _Echo:
    def write(self, value: str) -> str:
        return value


def safe_cell(value: Any) -> Any:
    """A spreadsheet must not take a name for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _csv_rows(actor: Actor, group: str, period: Period) -> Iterator[list[Any]]:
    figures = ["requests", "input_tokens", "output_tokens", "cost_usd"]
    if group == "day":
        yield ["day", *figures]
        for day, totals in usage_daily(actor=actor, since=period.since, until=period.until)[: period.days]:
            yield [day.isoformat(), *(getattr(totals, figure) for figure in figures)]
        return
    yield [group, "name", *figures]
    for row in named_rows(actor, group, period):
        yield [row[group], row["label"], *(row[figure] for figure in figures)]


def _csv(rows: Iterable[list[Any]]) -> list[str]:
    writer = csv.writer(_Echo())
    return [writer.writerow([safe_cell(cell) for cell in row]) for row in rows]


@require_http_methods(["GET", "HEAD"])
@policy_required(Action.USAGE_READ_OWN)
def usage_csv(request: HttpRequest, group: str) -> HttpResponse:
    """Costs with all their decimals. Read inside the request: a stream would outlive the workspace's scope."""
    if group not in {*GROUPS, "day"}:
        raise NotFound
    asked = asked_period(request)
    if asked.form.errors:
        raise Invalid("The period is not valid.")
    lines = _csv(_csv_rows(actor_of(request), group, asked.period))
    response = HttpResponse("".join(lines), content_type="text/csv; charset=utf-8")
    first, last = asked.period.since.date(), asked.period.until.date()
    response["Content-Disposition"] = f'attachment; filename="usage-by-{group}-{first}-{last}.csv"'
    return response
