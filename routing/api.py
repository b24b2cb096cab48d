"""`/api/models/`: what a picker offers."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from routing.errors import BadModel
from routing.models import KINDS
from routing.selectors import models_visible
from tenants.api import PanalAPIView
from tenants.policy import Action


class ModelCardSerializer(serializers.Serializer[Any]):
    """Prices are US dollars per million tokens; `context` is in tokens."""

    name = serializers.CharField(help_text="Send it as `model`.")
    kind = serializers.ChoiceField(choices=KINDS)
    tier = serializers.CharField(help_text="`standard` or `premium`")
    pool = serializers.CharField(help_text="`cpu`, `gpu`, `external` or `builtin`")
    provider = serializers.CharField()
    context = serializers.IntegerField()  # type: ignore[assignment]  # DRF collects it, `self.context` stays
    input_price = serializers.DecimalField(max_digits=14, decimal_places=6, source="prices.input")
    output_price = serializers.DecimalField(max_digits=14, decimal_places=6, source="prices.output")
    available = serializers.BooleanField()
    reason = serializers.CharField(help_text="Why it is or is not available, one line.")
    builtin = serializers.BooleanField()
    own = serializers.BooleanField(help_text="It belongs to this workspace, not to the platform.")


class ModelListSerializer(serializers.Serializer[Any]):
    results = ModelCardSerializer(many=True)


class ModelsView(PanalAPIView):
    policy: ClassVar = {"GET": Action.MODELS_READ}

    @extend_schema(
        summary="Models this workspace may use, with live availability",
        parameters=[OpenApiParameter("kind", str, enum=list(KINDS), description="Only models of this kind.")],
        responses=ModelListSerializer,
        tags=["models"],
    )
    def get(self, request: Request) -> Response:
        kind = request.query_params.get("kind") or None
        if kind is not None and kind not in KINDS:
            raise BadModel(f"The kind must be one of {', '.join(KINDS)}.")
        cards = models_visible(scope=self.actor.scope, kind=kind)
        return Response(ModelListSerializer({"results": cards}).data)
