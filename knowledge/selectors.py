"""What pages and API read of knowledge bases and documents."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, F, IntegerField, QuerySet, Value
from django.db.models.functions import Coalesce, Substr

from knowledge import errors
from knowledge.models import Document, KnowledgeBase, Version

MAX_TEXT = 20_000
CONTEXT = 600


@dataclass(frozen=True, slots=True)
class Passage:
    """A cited passage as a reader sees it: `before`, the marked `text`, `after`, all from one document."""

    document_id: UUID
    knowledge_base_id: UUID
    title: str
    filename: str
    mime: str
    page: int | None
    pages: int
    headings: tuple[str, ...]
    start: int
    end: int
    characters: int
    before: str
    text: str
    after: str


@dataclass(frozen=True, slots=True)
class TextRange:
    document_id: UUID
    title: str
    start: int
    end: int
    characters: int
    page: int | None
    text: str


def knowledge_bases_list() -> QuerySet[KnowledgeBase]:
    return KnowledgeBase.objects.all()


def knowledge_base_get(knowledge_base_id: UUID) -> KnowledgeBase:
    base = KnowledgeBase.objects.filter(id=knowledge_base_id).first()
    if base is None:
        raise errors.KnowledgeBaseNotFound
    return base


def document_counts(knowledge_base_ids: Iterable[UUID]) -> dict[UUID, dict[str, int]]:
    """Documents by status, every status named, for each knowledge base: one query for all of them."""
    counts = {base_id: dict.fromkeys(Document.Status.values, 0) for base_id in knowledge_base_ids}
    rows = (
        Document.objects.filter(knowledge_base__in=list(counts))
        .order_by()
        .values_list("knowledge_base", "status")
        .annotate(documents=Count("id"))
    )
    for base_id, status, documents in rows:
        counts[base_id][status] = documents
    return counts


def documents_list(knowledge_base_id: UUID) -> QuerySet[Document]:
    """The documents of one knowledge base, newest first, with `chunks`, `characters` and `filename`."""
    knowledge_base_get(knowledge_base_id)
    return _described(Document.objects.filter(knowledge_base=knowledge_base_id))


def documents_described(document_ids: Iterable[UUID]) -> list[Document]:
    """The named documents in the named order."""
    ids = list(document_ids)
    found = {document.id: document for document in _described(Document.objects.filter(id__in=ids))}
    return [found[document_id] for document_id in ids if document_id in found]


def document_get(document_id: UUID) -> Document:
    document = _described(Document.objects.filter(id=document_id)).first()
    if document is None:
        raise errors.DocumentNotFound
    return document


def document_text(document_id: UUID, *, start: int = 0, end: int | None = None) -> TextRange:
    """At most MAX_TEXT characters of the text that search sees, from `start`. Raises BadRange."""
    if start < 0 or (end is not None and end <= start):
        raise errors.BadRange
    version, document = _searched(document_id)
    stop = min(version.characters, start + MAX_TEXT, version.characters if end is None else end)
    stop = max(stop, min(start, version.characters))
    start = min(start, stop)
    return TextRange(
        document_id=document.id,
        title=document.title,
        start=start,
        end=stop,
        characters=version.characters,
        page=_page_at(version, start),
        text=_slice(version, start, stop),
    )


def passage(document_id: UUID, *, start: int, end: int, context: int = CONTEXT) -> Passage:
    """The passage `start` to `end` with about `context` characters around it. Raises DocumentNotFound,
    BadRange.
    """
    if start < 0 or end <= start:
        raise errors.BadRange
    version, document = _searched(document_id)
    end = min(end, start + MAX_TEXT, version.characters)
    start = min(start, end)
    left, right = max(0, start - context), min(version.characters, end + context)
    text = _slice(version, left, right)
    return Passage(
        document_id=document.id,
        knowledge_base_id=document.knowledge_base_id,
        title=document.title,
        filename=version.filename,
        mime=version.mime,
        page=_page_at(version, start),
        pages=len(version.pages),
        headings=_heading_path(version, start),
        start=start,
        end=end,
        characters=version.characters,
        before=text[: start - left],
        text=text[start - left : end - left],
        after=text[end - left :],
    )


def _described(documents: QuerySet[Document]) -> QuerySet[Document]:
    zero = Value(0, output_field=IntegerField())
    return documents.annotate(
        chunks_found=Coalesce(F("current__chunk_count"), zero),
        characters=Coalesce(F("current__characters"), F("pending__characters"), zero),
        filename=Coalesce(F("pending__filename"), F("current__filename"), Value("")),
        bytes=Coalesce(F("pending__bytes"), F("current__bytes"), zero),
        mime=Coalesce(F("current__mime"), F("pending__mime"), Value("")),
    )


def _searched(document_id: UUID) -> tuple[Version, Document]:
    """The version that search sees, without its text: that may be megabytes, and a reader wants a page."""
    document = Document.objects.filter(id=document_id).first()
    if document is None:
        raise errors.DocumentNotFound
    version_id = document.current_id or document.pending_id
    if version_id is None:
        raise errors.DocumentNotFound
    return Version.objects.defer("text").get(id=version_id), document


def _slice(version: Version, start: int, end: int) -> str:
    if end <= start:
        return ""
    cut = Version.objects.filter(id=version.id).values_list(Substr("text", start + 1, end - start), flat=True)
    return str(cut.first() or "")


def _page_at(version: Version, offset: int) -> int | None:
    if not version.pages:
        return None
    index = bisect_right([start for _, start, _ in version.pages], offset) - 1
    return int(version.pages[max(index, 0)][0])


def _heading_path(version: Version, offset: int) -> tuple[str, ...]:
    path: list[tuple[int, str]] = []
    for start, level, title in version.headings:
        if start > offset:
            break
        path = [item for item in path if item[0] < level]
        path.append((level, title))
    return tuple(title for _, title in path)
