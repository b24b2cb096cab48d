"""What a parsed file is, and every way in which parsing may fail."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Page:
    """Characters `start` to `end` of the text are page `number` (from 1)."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of `level` 1 to 9 whose line begins at character `start`."""

    start: int
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Parsed:
    text: str
    mime: str
    pages: tuple[Page, ...] = ()
    headings: tuple[Heading, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Parsed:
        return cls(
            text=data["text"],
            mime=data["mime"],
            pages=tuple(Page(**page) for page in data["pages"]),
            headings=tuple(Heading(**heading) for heading in data["headings"]),
        )


MAX_CHARACTERS = 5_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one parse may use. Sizes in bytes, times in seconds."""

    memory: int = 1024 * 1024 * 1024
    cpu_seconds: int = 60
    wall_seconds: float = 90.0
    output: int = 64 * 1024 * 1024
    characters: int = MAX_CHARACTERS
    pages: int = 5_000
    archive_members: int = 10_000
    archive_bytes: int = 400 * 1024 * 1024
    archive_ratio: int = 100

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


REASONS = {
    "document_empty": "The file is empty.",
    "document_without_text": "No text was found in this file.",
    "document_too_long": "The document holds more text than one document may: split it into parts.",
    "unsupported_type": "This kind of file cannot be read. Upload a .txt, .md, .pdf or .docx file.",
    "text_undecodable": "This file is not readable as text: it is binary or in an unknown encoding.",
    "pdf_damaged": "This is not a readable PDF: it is damaged, or another kind of file under that name.",
    "pdf_encrypted": "This PDF is protected by a password. Upload a copy without one.",
    "pdf_without_text": "This PDF holds pictures of pages but no text. Upload a copy with a text layer.",
    "pdf_too_many_pages": "This PDF has more pages than one document may: split it into parts.",
    "docx_damaged": "This is not a readable Word document: it is damaged, or another kind of file "
    "under that name.",
    "docx_encrypted": "This Word document is protected by a password, or in the old .doc format. "
    "Save it as .docx without a password.",
    "archive_bomb": "This file unpacks to far more than its size and was not opened.",
    "parse_timeout": "Reading this file took too long and was ended.",
    "parse_memory": "Reading this file needed too much memory and was ended.",
    "parse_output": "This file produced more output than one document may: split it into parts.",
    "processing_interrupted": "The processing of this document ended unexpectedly several times. Try again.",
    "parse_crashed": "The reader of this file ended unexpectedly. Try again; if it happens twice, "
    "the file is damaged.",
}


class ParseError(Exception):
    """A file that cannot become text: `code` is one of REASONS, `detail` the sentence for a person."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.detail = REASONS[code]
        super().__init__(self.detail)
