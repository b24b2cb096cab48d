"""`/api/chunks/<id>/passage/`: a cited passage with what stands around it."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from knowledge.models import Chunk
from knowledge.selectors import passage
from panal.kit.errors import NotFound
from tenants.api import PanalAPIView
from tenants.policy import Action


class PassageSerializer(serializers.Serializer[Any]):
    document_id = serializers.UUIDField()
    title = serializers.CharField()
    page = serializers.IntegerField(allow_null=True)
    before = serializers.CharField()
    text = serializers.CharField()
    after = serializers.CharField()


class ChunkPassage(PanalAPIView):
    policy = {"GET": Action.KNOWLEDGE_QUOTE}

    @extend_schema(responses=PassageSerializer, summary="A passage with its surroundings", tags=["knowledge"])
    def get(self, request: Request, chunk_id: UUID) -> Response:
        chunk = Chunk.objects.only("document_id", "start", "end").filter(pk=chunk_id).first()
        if chunk is None:
            raise NotFound
        return Response(PassageSerializer(passage(chunk.document_id, start=chunk.start, end=chunk.end)).data)
