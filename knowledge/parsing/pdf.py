"""PDF by pypdf: text and pages, and headings from the document's own outline."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from knowledge.parsing.detect import PDF
from knowledge.parsing.model import Heading, Limits, Page, Parsed, ParseError
from knowledge.parsing.text import normalise

_SEPARATOR = "\n\n"
_OUTLINE_LIMIT = 5_000
_OUTLINE_DEPTH = 9
# A reader of strangers' files meets every exception Python has; these are the ones that must not be hidden.
_PASS_ON = (MemoryError, ParseError)

logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def parse_pdf(data: bytes, limits: Limits) -> Parsed:
    reader = _open(data)
    texts = _page_texts(reader, limits)
    if not any(text.strip() for text in texts):
        raise ParseError("pdf_without_text")
    pages, start = [], 0
    for number, text in enumerate(texts, start=1):
        pages.append(Page(number, start, start + len(text)))
        start += len(text) + len(_SEPARATOR)
    body = _SEPARATOR.join(texts)
    return Parsed(text=body, mime=PDF, pages=tuple(pages), headings=tuple(_headings(reader, body, pages)))


def _open(data: bytes) -> PdfReader:
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        # An empty password opens the many files that restrict printing and nothing else.
        if reader.is_encrypted and not reader.decrypt(""):
            raise ParseError("pdf_encrypted")
        if not len(reader.pages):
            raise ParseError("pdf_damaged")
    except _PASS_ON:
        raise
    except Exception as error:
        raise ParseError("pdf_damaged") from error
    return reader


def _page_texts(reader: PdfReader, limits: Limits) -> list[str]:
    if len(reader.pages) > limits.pages:
        raise ParseError("pdf_too_many_pages")
    texts, failures, characters = [], 0, 0
    for index in range(len(reader.pages)):
        try:
            text = normalise(reader.pages[index].extract_text())
        except _PASS_ON:
            raise
        except Exception:
            # One broken page does not take the others along.
            text, failures = "", failures + 1
        texts.append(text)
        characters += len(text) + len(_SEPARATOR)
        if characters > limits.characters:
            raise ParseError("document_too_long")
    if failures == len(texts):
        raise ParseError("pdf_damaged")
    return texts


def _headings(reader: PdfReader, body: str, pages: list[Page]) -> list[Heading]:
    try:
        entries = list(_outline(reader, reader.outline, 1))
    except _PASS_ON:
        raise
    except (PyPdfError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
        # The outline is a help for citations; a document is as readable without one.
        return []
    found = []
    for level, title, index in entries[:_OUTLINE_LIMIT]:
        if title and index is not None and 0 <= index < len(pages):
            page = pages[index]
            at = body.find(title, page.start, page.end)
            found.append(Heading(page.start if at < 0 else at, level, title))
    return sorted(found, key=lambda heading: heading.start)


def _outline(reader: PdfReader, items: list[Any], level: int) -> Iterator[tuple[int, str, int | None]]:
    for item in items:
        if isinstance(item, list):
            if level < _OUTLINE_DEPTH:
                yield from _outline(reader, item, level + 1)
        else:
            yield level, normalise(str(item.title)).strip()[:200], reader.get_destination_page_number(item)
