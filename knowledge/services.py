"""Changes to knowledge bases and documents. The slow part of a change is left to `knowledge.ingest`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from knowledge import errors
from knowledge.models import Chunk, Document, KnowledgeBase, Version
from knowledge.parsing.detect import MARKDOWN, PLAIN
from knowledge.parsing.model import MAX_CHARACTERS
from knowledge.parsing.plain import looks_like_markdown, markdown_headings
from knowledge.parsing.text import clean
from knowledge.tasks import document_process
from knowledge.versions import upload_remove, version_remove
from panal.kit.ids import uuid7
from tenants.actors import Actor
from tenants.names import storage_path

MAX_FILE_BYTES = 50 * 1024 * 1024
MAX_BULK = 500
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class TextItem:
    """One document of a bulk upload."""

    title: str
    text: str
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class _Content:
    """What a new version is made of: a stored upload, or text that needs no reading."""

    title: str
    sha256: str
    size: int
    filename: str = ""
    stored_as: str = ""
    text: str = ""
    mime: str = ""
    headings: list[list[int | str]] = field(default_factory=list)
    version_id: UUID | None = None


@transaction.atomic
def knowledge_base_create(
    *, actor: Actor, name: str, language: str = "", description: str = ""
) -> KnowledgeBase:
    """Raises BadName, BadLanguage."""
    return KnowledgeBase.objects.create(
        name=_name(name),
        language=_language(language),
        description=clean(description),
        created_by=actor.user_id,
    )


@transaction.atomic
def knowledge_base_update(
    *,
    knowledge_base_id: UUID,
    name: str | None = None,
    language: str | None = None,
    description: str | None = None,
) -> KnowledgeBase:
    """Change what is given. Raises KnowledgeBaseNotFound, BadName, BadLanguage."""
    base = _lock_base(knowledge_base_id)
    if name is not None:
        base.name = _name(name)
    if language is not None:
        base.language = _language(language)
    if description is not None:
        base.description = clean(description)
    base.save()
    return base


@transaction.atomic
def knowledge_base_delete(*, knowledge_base_id: UUID) -> None:
    """Remove a knowledge base with its documents, chunks and stored files. Raises KnowledgeBaseNotFound."""
    base = _lock_base(knowledge_base_id)
    _remove_documents(Document.objects.filter(knowledge_base=base))
    base.delete()


def document_add_file(
    *,
    actor: Actor,
    knowledge_base_id: UUID,
    file: File[Any],
    filename: str,
    external_id: str = "",
    title: str = "",
) -> Document:
    """Keep the upload and have it read in the background.

    The same `external_id` replaces: the old content is found until the new one is ready. Content that is
    already there starts no work. Raises KnowledgeBaseNotFound, FileTooLarge, TextMissing, BadExternalId.
    """
    if file.size > MAX_FILE_BYTES:
        raise errors.FileTooLarge
    if file.size == 0:
        raise errors.TextMissing("The file is empty.")
    filename = _filename(filename)
    external_id = _external_id(external_id)
    _exists(knowledge_base_id)
    version_id = uuid7()
    content = _Content(
        title=_title(title) or filename,
        sha256=_sha256(file),
        size=file.size,
        filename=filename,
        stored_as=default_storage.save(storage_path("knowledge", version_id), file),
        version_id=version_id,
    )
    try:
        with transaction.atomic():
            base = _lock_base(knowledge_base_id)
            document = _submit(actor, base, external_id, content)
    except Exception:
        default_storage.delete(content.stored_as)
        raise
    if document.pending_id != version_id:
        default_storage.delete(content.stored_as)
    return document


def document_add_text(
    *, actor: Actor, knowledge_base_id: UUID, title: str, text: str, external_id: str = ""
) -> Document:
    """Like `document_add_file`, for text. Also raises TextTooLong."""
    item = TextItem(title=title, text=text, external_id=external_id)
    return documents_add_texts(actor=actor, knowledge_base_id=knowledge_base_id, items=[item])[0]


@transaction.atomic
def documents_add_texts(
    *, actor: Actor, knowledge_base_id: UUID, items: Sequence[TextItem]
) -> list[Document]:
    """Add or replace up to 500 texts: all, or, when one is not acceptable, none."""
    if not 1 <= len(items) <= MAX_BULK:
        raise errors.TooManyDocuments
    named = [_external_id(item.external_id) for item in items]
    if len(set(filter(None, named))) < len(list(filter(None, named))):
        raise errors.DuplicateExternalId
    contents = [_text_content(item) for item in items]
    base = _lock_base(knowledge_base_id)
    return [
        _submit(actor, base, external_id, content)
        for external_id, content in zip(named, contents, strict=True)
    ]


@transaction.atomic
def document_delete(*, document_id: UUID) -> None:
    """Remove a document, its chunks and its stored files; work in progress on it stops. Raises
    DocumentNotFound.
    """
    _lock_document(document_id)
    _remove_documents(Document.objects.filter(id=document_id))


@transaction.atomic
def document_retry(*, document_id: UUID) -> Document:
    """Read a failed upload again. Raises DocumentNotFound, NothingToRetry."""
    document = _lock_document(document_id)
    if document.status != Document.Status.FAILED or document.pending_id is None:
        raise errors.NothingToRetry
    _queue(document)
    return document


def _submit(actor: Actor, base: KnowledgeBase, external_id: str, content: _Content) -> Document:
    """Make `content` the pending version of the document it belongs to. The base is locked by the caller."""
    document = _find(base, external_id)
    if document is None:
        document = Document.objects.create(
            knowledge_base=base, external_id=external_id, title=content.title, created_by=actor.user_id
        )
    elif _holds(document, content):
        return document
    superseded = document.pending
    document.pending = Version.objects.create(
        id=content.version_id or uuid7(),
        document=document,
        title=content.title,
        filename=content.filename,
        stored_as=content.stored_as,
        mime=content.mime,
        headings=content.headings,
        bytes=content.size,
        sha256=content.sha256,
        text=content.text,
        characters=len(content.text),
    )
    _queue(document)
    if superseded is not None:
        version_remove(superseded)
    return document


def _find(base: KnowledgeBase, external_id: str) -> Document | None:
    if not external_id:
        return None
    return (
        Document.objects.select_for_update(of=("self",))
        .select_related("current", "pending")
        .defer("current__text", "pending__text")
        .filter(knowledge_base=base, external_id=external_id)
        .first()
    )


def _holds(document: Document, content: _Content) -> bool:
    """Whether this very content is already searched, or already on its way."""
    if document.status == Document.Status.FAILED:
        return False
    latest = document.pending or document.current
    wanted = (content.sha256, content.title, content.filename)
    return latest is not None and (latest.sha256, latest.title, latest.filename) == wanted


def _queue(document: Document) -> None:
    document.status = Document.Status.QUEUED
    document.error_code = document.error_detail = ""
    document.lease = document.lease_until = None
    document.attempts = 0
    document.save()
    # Robust: the document is accepted even while the queue is away, and the rescue sends it later.
    transaction.on_commit(partial(document_process.delay, str(document.id)), robust=True)


def _remove_documents(documents: Any) -> None:
    ids = list(documents.values_list("id", flat=True))
    versions = Version.objects.filter(document__in=ids)
    for name in versions.exclude(stored_as="").values_list("stored_as", flat=True):
        upload_remove(name)
    Chunk.objects.filter(document__in=ids).delete()
    Document.objects.filter(id__in=ids).update(current=None, pending=None, lease=None)
    versions.delete()
    Document.objects.filter(id__in=ids).delete()


def _exists(knowledge_base_id: UUID) -> None:
    if not KnowledgeBase.objects.filter(id=knowledge_base_id).exists():
        raise errors.KnowledgeBaseNotFound


def _lock_base(knowledge_base_id: UUID) -> KnowledgeBase:
    """The lock orders uploads of one base among themselves and against its deletion."""
    base = KnowledgeBase.objects.select_for_update(no_key=True).filter(id=knowledge_base_id).first()
    if base is None:
        raise errors.KnowledgeBaseNotFound
    return base


def _lock_document(document_id: UUID) -> Document:
    document = Document.objects.select_for_update().filter(id=document_id).first()
    if document is None:
        raise errors.DocumentNotFound
    return document


def _text_content(item: TextItem) -> _Content:
    if len(item.text) > MAX_CHARACTERS:
        raise errors.TextTooLong
    text = clean(item.text)
    if not text.strip():
        raise errors.TextMissing
    title = _title(item.title)
    if not title:
        raise errors.TitleMissing
    data = text.encode()
    markdown = looks_like_markdown(text)
    return _Content(
        title=title,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        text=text,
        mime=MARKDOWN if markdown else PLAIN,
        headings=[[h.start, h.level, h.title] for h in markdown_headings(text)] if markdown else [],
    )


def _sha256(file: File[Any]) -> str:
    digest = hashlib.sha256()
    for block in file.chunks():
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def _name(name: str) -> str:
    name = " ".join(clean(name).split())
    if not 1 <= len(name) <= 200:
        raise errors.BadName
    return name


def _language(language: str) -> str:
    language = language.strip()
    if language and (len(language) > 20 or not _LANGUAGE.fullmatch(language)):
        raise errors.BadLanguage
    return language


def _external_id(external_id: str) -> str:
    external_id = clean(external_id).strip()
    if len(external_id) > 200:
        raise errors.BadExternalId
    return external_id


def _title(title: str) -> str:
    return " ".join(clean(title).split())[:500]


def _filename(filename: str) -> str:
    """The last part of what the browser sent: a label, never used as a path."""
    name = " ".join(clean(filename).replace("\\", "/").split())
    name = PurePosixPath(name).name or "file"
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix[:20]
    return name if len(name) <= 255 else stem[: 255 - len(suffix)] + suffix
