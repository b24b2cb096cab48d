"""`/api/usage/`: what was used and what it cost."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing import selectors
from billing.models import UsageEvent
from panal.kit.errors import Invalid
from tenants.api import CursorPage, PanalAPIView
from tenants.policy import Action


class BadPeriod(Invalid):
    code = "invalid_period"
    detail = "from and to are ISO 8601 dates or times, and from lies before to."


class BadGroup(Invalid):
    code = "invalid_group_by"
    detail = f"group_by takes {', '.join(selectors.DIMENSIONS)}."


def _moment(raw: str, *, end: bool) -> datetime:
    """A date means its whole day: `to=2026-11-21` includes the 21st."""
    try:
        value = datetime.fromisoformat(raw)
        if len(raw) == len("2026-11-21"):
            value = datetime.combine(value.date(), time.min) + timedelta(days=1 if end else 0)
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:  # OverflowError: beyond the calendar's ends
        raise BadPeriod from error


def period_of(params: Any) -> tuple[datetime, datetime]:
    """`from` (inclusive) and `to` of a query string. Raises `BadPeriod`."""
    since, until = selectors.default_period()
    since = _moment(params["from"], end=False) if params.get("from") else since
    until = _moment(params["to"], end=True) if params.get("to") else until
    if since >= until:
        raise BadPeriod
    return since, until


def _dimensions(raw: str) -> list[str]:
    wanted = [part.strip() for part in raw.split(",") if part.strip()]
    if not wanted or any(part not in selectors.DIMENSIONS for part in wanted):
        raise BadGroup
    return list(dict.fromkeys(wanted))


class UsageSums(serializers.Serializer[Any]):
    requests = serializers.IntegerField()
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cost_usd = serializers.DecimalField(max_digits=24, decimal_places=12)
    billed_usd = serializers.DecimalField(max_digits=24, decimal_places=12, source="cost_usd")


class UsageRow(UsageSums):
    feature = serializers.CharField(required=False)
    model = serializers.CharField(required=False)
    pool = serializers.CharField(required=False)
    user = serializers.UUIDField(required=False, allow_null=True)
    token = serializers.UUIDField(required=False, allow_null=True)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Only the dimensions that were asked for: an absent one is not the same as an unknown user."""
        shown = super().to_representation(instance)
        return {name: value for name, value in shown.items() if name in instance or name == "billed_usd"}


class UsageReport(serializers.Serializer[Any]):
    rows = UsageRow(many=True)
    totals = UsageSums()


class UsageEventSerializer(serializers.ModelSerializer[UsageEvent]):
    id = serializers.UUIDField(source="event_id")

    class Meta:
        model = UsageEvent
        fields = [
            "id", "request_id", "feature", "user_id", "token_id", "conversation_id", "provider", "model",
            "pool", "tier", "status", "error_code", "input_tokens", "cached_tokens", "cache_write_tokens",
            "output_tokens", "reasoning_tokens", "usage_source", "input_price", "output_price", "cost_usd",
            "started_at", "first_token_at", "ended_at",
        ]  # fmt: skip


PERIOD = [
    OpenApiParameter("from", str, description="ISO 8601 date or time, inclusive; default 30 days ago"),
    OpenApiParameter("to", str, description="ISO 8601 date (whole day) or time, exclusive; default now"),
]


def usage_report(*, actor: Any, group_by: str, params: Any) -> dict[str, Any]:
    """`{rows, totals}` of CONTRACT 4, for the API and the management command."""
    since, until = period_of(params)
    rows = selectors.usage_by(actor=actor, dimensions=_dimensions(group_by), since=since, until=until)
    totals = selectors.usage_totals(actor=actor, since=since, until=until)
    return dict(UsageReport({"rows": rows, "totals": totals}).data)


class UsageView(PanalAPIView):
    policy: ClassVar = {"GET": Action.USAGE_READ_OWN}

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "group_by", str, description="comma-separated: feature, model, user, token, pool"
            ),
            *PERIOD,
        ],
        responses=UsageReport,
    )
    def get(self, request: Request) -> Response:
        group_by = request.query_params.get("group_by") or "feature,model"
        return Response(usage_report(actor=self.actor, group_by=group_by, params=request.query_params))


class EventPage(CursorPage):
    ordering = ("-started_at", "-event_id")


@extend_schema(parameters=PERIOD)
class UsageEventsView(PanalAPIView, generics.ListAPIView[UsageEvent]):
    policy: ClassVar = {"GET": Action.USAGE_READ_OWN}
    serializer_class = UsageEventSerializer
    pagination_class = EventPage
    queryset = UsageEvent.objects.none()

    def get_queryset(self) -> Any:
        since, until = period_of(self.request.query_params)
        events = selectors.events_visible(actor=self.actor)
        return events.filter(started_at__gte=since, started_at__lt=until)
