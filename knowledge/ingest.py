"""One pending version becomes what search sees: read → cut → embed → swap.

A worker holds a lease while it works and renews it as it goes. Whoever takes the lease later wins, so the
same document may be delivered twice, or a dead worker's document taken over, and exactly one of them swaps.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from knowledge import chunking, embedding
from knowledge.models import Chunk, Document, Version
from knowledge.parsing.model import Heading, Page, ParseError
from knowledge.parsing.run import parse
from knowledge.versions import version_remove
from panal.kit.ids import uuid7

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=45)
RENEW_SECONDS = 10.0
# How long a queued document may wait in the queue before it is thought lost and sent again.
QUEUE_PATIENCE = timedelta(minutes=10)
MAX_ATTEMPTS = 5
KEPT = "The previous version is still in use."


class LeaseLost(Exception):
    """The document was deleted, replaced or taken over: whatever this worker has is no longer wanted."""


class Lease:
    """The right to finish one document, renewed by `keep`."""

    def __init__(self, document_id: UUID) -> None:
        self.document_id = document_id
        self.id = uuid7()
        self._renewed = time.monotonic()

    def take(self, *, steal: bool) -> bool:
        now = timezone.now()
        waiting = Document.objects.filter(
            id=self.document_id, status__in=Document.WORKING, pending__isnull=False
        )
        if not steal:
            waiting = waiting.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now))
        return bool(
            waiting.update(lease=self.id, lease_until=now + LEASE, attempts=F("attempts") + 1, updated_at=now)
        )

    def keep(self) -> None:
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            self.update(lease_until=timezone.now() + LEASE)
            self._renewed = time.monotonic()

    def update(self, **values: object) -> None:
        """Write to the document as the holder of the lease; raises LeaseLost."""
        if not Document.objects.filter(id=self.document_id, lease=self.id).update(
            **values, updated_at=timezone.now()
        ):
            raise LeaseLost

    def lock(self) -> Document:
        document = Document.objects.select_for_update().filter(id=self.document_id, lease=self.id).first()
        if document is None:
            raise LeaseLost
        return document


def document_ingest(*, document_id: UUID, steal: bool = False) -> None:
    """Bring a document's pending version into search, or write down why that is impossible.

    `steal` takes over from a worker known to be dead. Every other exception leaves the lease to run out; the
    rescue then tries again, up to MAX_ATTEMPTS.
    """
    lease = Lease(document_id)
    if not lease.take(steal=steal):
        return
    try:
        version = _pending(lease)
        _read(version, lease)
        chunks = _embed(version, lease)
        _publish(version, chunks, lease)
    except ParseError as error:
        _fail(lease, error.code, error.detail)
    except LeaseLost:
        logger.info("document %s: no longer wanted by this worker", document_id)


def documents_reclaim() -> list[UUID]:
    """The documents that a killed worker or a lost queue left behind, freed for the next worker."""
    now = timezone.now()
    lost = Document.objects.filter(status__in=Document.WORKING, pending__isnull=False).filter(
        Q(lease_until__lt=now) | Q(lease_until__isnull=True, updated_at__lt=now - QUEUE_PATIENCE)
    )
    with transaction.atomic():
        ids = list(lost.select_for_update(skip_locked=True).values_list("id", flat=True)[:500])
        # Touched, so that the next round finds them only if this one is lost as well.
        Document.objects.filter(id__in=ids).update(lease=None, lease_until=None, updated_at=now)
    return ids


def _pending(lease: Lease) -> Version:
    document = Document.objects.select_related("pending").filter(id=lease.document_id, lease=lease.id).first()
    if document is None or document.pending is None:
        raise LeaseLost
    if document.attempts > MAX_ATTEMPTS:
        raise ParseError("processing_interrupted")
    return document.pending


def _read(version: Version, lease: Lease) -> None:
    """The version's text, pages and headings; already there when an earlier worker died after this step."""
    if version.characters:
        return
    lease.update(status=Document.Status.PARSING)
    with default_storage.open(version.stored_as, "rb") as upload:
        parsed = parse(upload, version.filename, tick=lease.keep)
    version.text, version.mime, version.characters = parsed.text, parsed.mime, len(parsed.text)
    version.pages = [[page.number, page.start, page.end] for page in parsed.pages]
    version.headings = [[heading.start, heading.level, heading.title] for heading in parsed.headings]
    with transaction.atomic():
        lease.lock()
        version.save(update_fields=["text", "mime", "characters", "pages", "headings"])


def _embed(version: Version, lease: Lease) -> list[Chunk]:
    lease.update(status=Document.Status.EMBEDDING)
    document = Document.objects.select_related("current").defer("current__text").get(id=lease.document_id)
    model = embedding.embedder()
    title = model.shorten(version.title, embedding.TITLE_TOKENS)
    pieces = _pieces(version, model, title)
    if not pieces:
        raise ParseError("document_without_text")
    vector_of = _vectors(document, version, model, title)
    chunks = []
    for ordinal, piece in enumerate(pieces):
        text = version.text[piece.start : piece.end]
        chunks.append(
            Chunk(
                knowledge_base_id=document.knowledge_base_id,
                document=document,
                ordinal=ordinal,
                start=piece.start,
                end=piece.end,
                page=piece.page,
                headings=list(piece.headings),
                tokens=piece.tokens,
                text=text,
                embedding=vector_of(text),
            )
        )
        lease.keep()
    return chunks


def _pieces(version: Version, model: embedding.Embedder, title: str) -> list[chunking.Piece]:
    return chunking.split(
        version.text,
        model.token_offsets,
        headings=[Heading(*heading) for heading in version.headings],
        pages=[Page(*page) for page in version.pages],
        size=embedding.body_tokens(model.count(title)),
    )


def _vectors(
    document: Document, version: Version, model: embedding.Embedder, title: str
) -> Callable[[str], embedding.Vector]:
    """A passage that the replaced version held under the same title keeps its vector."""
    known: dict[str, embedding.Vector] = {}
    if document.current is not None and document.current.title == version.title:
        known = dict(Chunk.objects.filter(document=document).values_list("text", "embedding"))

    def vector_of(text: str) -> embedding.Vector:
        kept = known.get(text)
        return model.embed([embedding.document_input(title, text)])[0] if kept is None else kept

    return vector_of


@transaction.atomic
def _publish(version: Version, chunks: list[Chunk], lease: Lease) -> None:
    """The swap: whoever searches sees the old content whole or the new one whole."""
    document = lease.lock()
    Chunk.objects.filter(document=document).delete()
    Chunk.objects.bulk_create(chunks, batch_size=500)
    version.chunk_count = len(chunks)
    version.save(update_fields=["chunk_count"])
    replaced = document.current
    document.current, document.pending = version, None
    document.title = version.title
    document.status = Document.Status.READY
    document.error_code = document.error_detail = ""
    document.lease = document.lease_until = None
    document.attempts = 0
    document.save()
    if replaced is not None:
        version_remove(replaced)


@transaction.atomic
def _fail(lease: Lease, code: str, detail: str) -> None:
    try:
        document = lease.lock()
    except LeaseLost:
        return
    document.status = Document.Status.FAILED
    document.error_code = code
    document.error_detail = f"{detail} {KEPT}" if document.current_id else detail
    document.lease = document.lease_until = None
    document.save()
