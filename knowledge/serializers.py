"""The shapes of CONTRACT 4: knowledge bases, documents, search."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from knowledge.models import Document, KnowledgeBase
from knowledge.parsing.text import clean
from knowledge.search import MAX_K


class CleanField(serializers.CharField):
    """Text whose NUL and other unstorable characters are replaced one for one, not refused: offsets stay."""

    def to_internal_value(self, data: Any) -> str:
        return clean(super().to_internal_value(data))


class KnowledgeBaseInput(serializers.Serializer[Any]):
    name = CleanField(trim_whitespace=True)
    language = CleanField(required=False, allow_blank=True)
    description = CleanField(required=False, allow_blank=True, max_length=10_000)


class DocumentCounts(serializers.Serializer[Any]):
    queued = serializers.IntegerField()
    parsing = serializers.IntegerField()
    embedding = serializers.IntegerField()
    ready = serializers.IntegerField()
    failed = serializers.IntegerField()


class KnowledgeBaseOutput(serializers.ModelSerializer[KnowledgeBase]):
    documents = serializers.SerializerMethodField()

    class Meta:
        model = KnowledgeBase
        fields = [
            "id",
            "name",
            "language",
            "description",
            "documents",
            "created_by",
            "created_at",
            "updated_at",
        ]

    @extend_schema_field(DocumentCounts)
    def get_documents(self, base: KnowledgeBase) -> dict[str, int]:
        counts: dict[str, int] = self.context["counts"][base.id]
        return counts


class DocumentError(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class DocumentOutput(serializers.ModelSerializer[Document]):
    """`error` tells of the latest upload; after a failed replacement the earlier content is still
    searched.
    """

    external_id = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    chunks = serializers.IntegerField(source="chunks_found")
    characters = serializers.IntegerField()
    filename = serializers.CharField()
    bytes = serializers.IntegerField()
    mime = serializers.CharField()

    class Meta:
        model = Document
        fields = [
            "id", "knowledge_base_id", "external_id", "title", "status", "error", "chunks", "characters",
            "filename", "mime", "bytes", "created_by", "created_at", "updated_at",
        ]  # fmt: skip

    def get_external_id(self, document: Document) -> str | None:
        return document.external_id or None

    @extend_schema_field(DocumentError(allow_null=True))
    def get_error(self, document: Document) -> dict[str, str] | None:
        if not document.error_code:
            return None
        return {"code": document.error_code, "detail": document.error_detail}


class TextInput(serializers.Serializer[Any]):
    external_id = CleanField(required=False, allow_blank=True, allow_null=True, max_length=200)
    title = CleanField(max_length=500)
    text = CleanField(trim_whitespace=False, allow_blank=True)


class FileInput(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True)
    external_id = CleanField(required=False, allow_blank=True, max_length=200)
    title = CleanField(required=False, allow_blank=True, max_length=500)


class SearchInput(serializers.Serializer[Any]):
    query = CleanField(max_length=8_000)
    k = serializers.IntegerField(min_value=1, max_value=MAX_K, default=10)


class HitOutput(serializers.Serializer[Any]):
    document_id = serializers.UUIDField()
    external_id = serializers.SerializerMethodField()
    title = serializers.CharField()
    chunk_id = serializers.UUIDField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    page = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()
    score = serializers.FloatField()

    def get_external_id(self, hit: Any) -> str | None:
        return hit.external_id or None


class Timing(serializers.Serializer[Any]):
    embed = serializers.FloatField(
        source="embed_ms", help_text="Milliseconds to turn the query into a vector."
    )
    search = serializers.FloatField(source="search_ms", help_text="Milliseconds of the search itself.")


class SearchOutput(serializers.Serializer[Any]):
    hits = HitOutput(many=True)
    timing_ms = Timing(source="*")


class TextOutput(serializers.Serializer[Any]):
    document_id = serializers.UUIDField()
    title = serializers.CharField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    characters = serializers.IntegerField(help_text="Length of the whole text.")
    page = serializers.IntegerField(allow_null=True)
    text = serializers.CharField()
