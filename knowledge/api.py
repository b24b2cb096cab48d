"""The REST side of knowledge: parse, call a service or selector, render."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from knowledge import errors, selectors, serializers, services
from knowledge.models import Document, KnowledgeBase
from knowledge.search import search
from tenants.api import CursorPage, PanalAPIView
from tenants.parsers import JSONParser
from tenants.policy import Action

# A body of 500 texts, or a file with the marks around it; a longer one is refused before it is read.
MAX_BODY_BYTES = 64 * 1024 * 1024
READ = {"GET": Action.KNOWLEDGE_READ}


class NewestFirst(CursorPage):
    ordering = ("-created_at", "-id")


class KnowledgeBasesView(PanalAPIView):
    policy: ClassVar = {**READ, "POST": Action.KNOWLEDGE_WRITE}
    pagination_class = NewestFirst

    @extend_schema(responses=serializers.KnowledgeBaseOutput(many=True), operation_id="knowledge_bases_list")
    def get(self, request: Request) -> Response:
        pages = NewestFirst()
        page = pages.paginate_queryset(selectors.knowledge_bases_list(), request, view=self) or []
        return pages.get_paginated_response(_bases(page))

    @extend_schema(request=serializers.KnowledgeBaseInput, responses={201: serializers.KnowledgeBaseOutput})
    def post(self, request: Request) -> Response:
        values = _valid(serializers.KnowledgeBaseInput(data=request.data))
        base = services.knowledge_base_create(actor=self.actor, **values)
        return Response(_bases([base])[0], status=status.HTTP_201_CREATED)


class KnowledgeBaseView(PanalAPIView):
    policy: ClassVar = {**READ, "PATCH": Action.KNOWLEDGE_WRITE, "DELETE": Action.KNOWLEDGE_WRITE}

    @extend_schema(responses=serializers.KnowledgeBaseOutput)
    def get(self, request: Request, base_id: UUID) -> Response:
        return Response(_bases([selectors.knowledge_base_get(base_id)])[0])

    @extend_schema(request=serializers.KnowledgeBaseInput, responses=serializers.KnowledgeBaseOutput)
    def patch(self, request: Request, base_id: UUID) -> Response:
        values = _valid(serializers.KnowledgeBaseInput(data=request.data, partial=True))
        return Response(_bases([services.knowledge_base_update(knowledge_base_id=base_id, **values)])[0])

    @extend_schema(responses={204: None})
    def delete(self, request: Request, base_id: UUID) -> Response:
        services.knowledge_base_delete(knowledge_base_id=base_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DocumentsView(PanalAPIView):
    policy: ClassVar = {**READ, "POST": Action.KNOWLEDGE_WRITE}
    parser_classes = (JSONParser, MultiPartParser)
    pagination_class = NewestFirst

    @extend_schema(
        responses=serializers.DocumentOutput(many=True), operation_id="knowledge_base_documents_list"
    )
    def get(self, request: Request, base_id: UUID) -> Response:
        pages = NewestFirst()
        page = pages.paginate_queryset(selectors.documents_list(base_id), request, view=self) or []
        return pages.get_paginated_response(serializers.DocumentOutput(page, many=True).data)

    @extend_schema(
        request={
            "multipart/form-data": serializers.FileInput,
            "application/json": PolymorphicProxySerializer(
                component_name="TextOrTexts",
                serializers=[serializers.TextInput, serializers.TextInput(many=True)],
                resource_type_field_name=None,
                many=False,
            ),
        },
        responses={202: serializers.DocumentOutput},
        description="A file (multipart), one text (JSON object) or up to 500 texts (JSON list). "
        "The same external_id replaces: the old content is found until the new one is ready.",
    )
    def post(self, request: Request, base_id: UUID) -> Response:
        _refuse_oversize(request)
        if isinstance(request.data, list):
            added: Any = self._add_list(base_id, request.data)
        elif (request.content_type or "").startswith("multipart/"):
            added = self._add_file(base_id, request)
        else:
            added = self._add_text(base_id, request.data)
        return Response(added, status=status.HTTP_202_ACCEPTED)

    def _add_file(self, base_id: UUID, request: Request) -> Any:
        values = _valid(serializers.FileInput(data=request.data))
        file = values.pop("file")
        document = services.document_add_file(
            actor=self.actor, knowledge_base_id=base_id, file=file, filename=file.name, **values
        )
        return _documents([document])[0]

    def _add_text(self, base_id: UUID, data: Any) -> Any:
        values = _valid(serializers.TextInput(data=data))
        document = services.document_add_text(
            actor=self.actor,
            knowledge_base_id=base_id,
            title=values["title"],
            text=values["text"],
            external_id=values.get("external_id") or "",
        )
        return _documents([document])[0]

    def _add_list(self, base_id: UUID, data: list[Any]) -> Any:
        if not 1 <= len(data) <= services.MAX_BULK:
            raise errors.TooManyDocuments
        items = [
            services.TextItem(item["title"], item["text"], item.get("external_id") or "")
            for item in _valid(serializers.TextInput(data=data, many=True))
        ]
        added = services.documents_add_texts(actor=self.actor, knowledge_base_id=base_id, items=items)
        return _documents(added)


class DocumentView(PanalAPIView):
    policy: ClassVar = {**READ, "DELETE": Action.KNOWLEDGE_WRITE}

    @extend_schema(responses=serializers.DocumentOutput)
    def get(self, request: Request, document_id: UUID) -> Response:
        return Response(serializers.DocumentOutput(selectors.document_get(document_id)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, document_id: UUID) -> Response:
        services.document_delete(document_id=document_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DocumentRetryView(PanalAPIView):
    policy: ClassVar = {"POST": Action.KNOWLEDGE_WRITE}

    @extend_schema(request=None, responses={202: serializers.DocumentOutput})
    def post(self, request: Request, document_id: UUID) -> Response:
        document = services.document_retry(document_id=document_id)
        return Response(_documents([document])[0], status=status.HTTP_202_ACCEPTED)


class DocumentTextView(PanalAPIView):
    policy: ClassVar = READ

    @extend_schema(
        parameters=[
            OpenApiParameter("start", OpenApiTypes.INT, description="First character; default 0."),
            OpenApiParameter(
                "end", OpenApiTypes.INT, description="After the last one; at most 20,000 are answered."
            ),
        ],
        responses=serializers.TextOutput,
    )
    def get(self, request: Request, document_id: UUID) -> Response:
        start = _offset(request.query_params.get("start"))
        found = selectors.document_text(
            document_id, start=start or 0, end=_offset(request.query_params.get("end"))
        )
        return Response(serializers.TextOutput(found).data)


class SearchView(PanalAPIView):
    policy: ClassVar = {"POST": Action.KNOWLEDGE_READ}

    @extend_schema(request=serializers.SearchInput, responses=serializers.SearchOutput)
    def post(self, request: Request, base_id: UUID) -> Response:
        values = _valid(serializers.SearchInput(data=request.data))
        # A program sees the scores and sets its own floor.
        found = search(actor=self.actor, knowledge_base_ids=[base_id], floor=-1.0, **values)
        return Response(serializers.SearchOutput(found).data)


def _valid(serializer: Any) -> Any:
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def _bases(bases: Sequence[KnowledgeBase]) -> Any:
    counts = selectors.document_counts([base.id for base in bases])
    return serializers.KnowledgeBaseOutput(bases, many=True, context={"counts": counts}).data


def _documents(documents: Sequence[Document]) -> Any:
    described = selectors.documents_described([document.id for document in documents])
    return serializers.DocumentOutput(described, many=True).data


def _refuse_oversize(request: Request) -> None:
    length = request.headers.get("Content-Length", "")
    if length.isdigit() and int(length) > MAX_BODY_BYTES:
        raise errors.FileTooLarge


def _offset(raw: str | None) -> int | None:
    if raw is None or raw == "":
        return None
    if not raw.isascii() or not raw.isdigit() or len(raw) > 9:
        raise errors.BadRange
    return int(raw)
