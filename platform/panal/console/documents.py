"""Reading one document, at the passage somebody cited."""

import re
from dataclasses import dataclass, replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from knowledge.models import Chunk
from knowledge.selectors import MAX_TEXT, TextRange, document_get, document_text
from panal.kit.errors import Invalid
from tenants.policy import Action
from tenants.web import policy_required

LEAD = 4_000  # characters shown before a cited passage
NEAR = 300  # how far from its ends a text is cut at a space
SPACE = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Window:
    """What of the text is shown: `marked` is the passage, and empty when none was asked for."""

    before: str
    marked: str
    after: str
    start: int
    end: int
    characters: int

    @property
    def earlier(self) -> int | None:
        return max(self.start - MAX_TEXT, 0) if self.start > 0 else None

    @property
    def later(self) -> int | None:
        return self.end if self.end < self.characters else None


def _uuid(raw: str) -> UUID | None:
    try:
        return UUID(raw)
    except ValueError:
        return None


def _offset(raw: str) -> int:
    if not raw:
        return 0
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 9):
        raise Invalid("The position in the document is a number.")
    return int(raw)


def _whole_words(document_id: UUID, start: int) -> TextRange:
    """The text from `start`, without a cut word at either end."""
    found = document_text(document_id, start=max(start - 1, 0))
    text = found.text
    head = SPACE.search(text[:NEAR]) if start > 0 else None
    skipped = head.end() if head else 0
    tail = list(SPACE.finditer(text[-NEAR:])) if found.end < found.characters else []
    kept = len(text) - len(text[-NEAR:]) + tail[-1].end() if tail else len(text)
    return replace(found, start=found.start + skipped, end=found.start + kept, text=text[skipped:kept])


def _window(found: TextRange, chunk: Chunk | None) -> Window:
    text = found.text
    first, last = (chunk.start - found.start, chunk.end - found.start) if chunk else (len(text), len(text))
    return Window(
        before=text[:first],
        marked=text[first:last],
        after=text[last:],
        start=found.start,
        end=found.end,
        characters=found.characters,
    )


@require_http_methods(["GET", "HEAD"])
@policy_required(Action.KNOWLEDGE_READ)
def document(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """`?chunk=` opens the passage, `?start=` turns pages of a long text."""
    found = document_get(document_id)
    wanted = request.GET.get("chunk", "")
    chunk_id = _uuid(wanted)
    chunk = (
        Chunk.objects.defer("embedding").filter(pk=chunk_id, document_id=document_id).first()
        if chunk_id
        else None
    )
    start = max(chunk.start - LEAD, 0) if chunk else _offset(request.GET.get("start", ""))
    context = {
        "document": found,
        "base": found.knowledge_base,
        "chunk": chunk,
        "passage_gone": bool(wanted) and chunk is None,
        "window": _window(_whole_words(document_id, start), chunk),
    }
    return render(request, "console/document.html", context)
