"""What a workspace knows: its knowledge bases, their documents, and the chunks that search finds."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from pgvector.django import HnswIndex, VectorField

from knowledge.minilm import DIMENSION
from panal.kit.ids import uuid7


class KnowledgeBase(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    # A BCP 47 tag; empty means that the documents may be in any language.
    language = models.CharField(max_length=20, blank=True)
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.name


class Document(models.Model):
    """A document keeps its id while its content is replaced.

    `current` is what search sees; `pending` is what is being read to take its place. `status` and `error`
    tell of the latest upload: after a failed replacement it is `failed` and `current` is still searched.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        PARSING = "parsing"
        EMBEDDING = "embedding"
        READY = "ready"
        FAILED = "failed"

    WORKING: ClassVar = (Status.QUEUED, Status.PARSING, Status.EMBEDDING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    knowledge_base = models.ForeignKey(KnowledgeBase, on_delete=models.CASCADE, related_name="documents")
    external_id = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=500)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.CharField(max_length=500, blank=True)
    current = models.OneToOneField("Version", on_delete=models.SET_NULL, null=True, related_name="current_of")
    pending = models.OneToOneField("Version", on_delete=models.SET_NULL, null=True, related_name="pending_of")
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    # Who works on `pending`. Whoever took the latest lease may finish; everybody else finds it changed and
    # stops.
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["knowledge_base", "external_id"],
                condition=~Q(external_id=""),
                name="document_external_id_once",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["knowledge_base", "created_at", "id"], name="document_by_time"),
            models.Index(
                fields=["lease_until"],
                condition=Q(status__in=["queued", "parsing", "embedding"]),
                name="document_in_work",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Version(models.Model):
    """One content of a document: the upload, and the text read from it. Offsets are characters of `text`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="versions")
    title = models.CharField(max_length=500)
    filename = models.CharField(max_length=255, blank=True)
    # The name of the upload in the file storage; empty for text sent as JSON, which arrives as `text`.
    stored_as = models.CharField(max_length=300, blank=True)
    mime = models.CharField(max_length=100, blank=True)
    bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    text = models.TextField(blank=True)
    characters = models.PositiveIntegerField(default=0)
    chunk_count = models.PositiveIntegerField(default=0)
    # [[number, start, end], …] and [[start, level, title], …]
    pages = models.JSONField(default=list)
    headings = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.title} ({self.created_at:%Y-%m-%d %H:%M})"


class Chunk(models.Model):
    """A passage of a document's current version: `text` is `version.text[start:end]`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Kept beside the document's own, so that the vector index is filtered without a join.
    knowledge_base = models.ForeignKey(KnowledgeBase, on_delete=models.CASCADE, related_name="+")
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="chunks")
    ordinal = models.PositiveIntegerField()
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    page = models.PositiveIntegerField(null=True)
    headings = models.JSONField(default=list)
    tokens = models.PositiveIntegerField()
    text = models.TextField()
    embedding: Any = VectorField(dimensions=DIMENSION)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["document", "ordinal"], name="chunk_ordinal_once")
        ]
        indexes: ClassVar = [
            HnswIndex(
                name="chunk_embedding_hnsw",
                fields=["embedding"],
                m=16,
                ef_construction=64,
                opclasses=["vector_cosine_ops"],
            )
        ]

    def __str__(self) -> str:
        return f"{self.document_id}#{self.ordinal}"
