"""Which reader a file gets. The content decides; the name only chooses between kinds of plain text."""

from __future__ import annotations

from pathlib import PurePosixPath

from knowledge.parsing.model import ParseError

MARKDOWN = "text/markdown"
PLAIN = "text/plain"
PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

SUFFIXES = {
    ".txt": PLAIN,
    ".text": PLAIN,
    "": PLAIN,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".pdf": PDF,
    ".docx": DOCX,
}
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# The PDF specification allows the mark anywhere in the first kilobyte.
_PDF_WINDOW = 1024


def detect(data: bytes, name: str) -> str:
    """The media type whose reader should try this file; raises ParseError when none should."""
    if not data:
        raise ParseError("document_empty")
    suffix = PurePosixPath(name.lower()).suffix
    if b"%PDF-" in data[:_PDF_WINDOW]:
        return PDF
    if data.startswith(_ZIP) and (suffix == ".docx" or b"word/document.xml" in data):
        return DOCX
    if suffix == ".pdf":
        raise ParseError("pdf_damaged")
    if data.startswith(_OLE):
        raise ParseError("docx_encrypted")
    if suffix == ".docx":
        raise ParseError("docx_damaged")
    if suffix not in SUFFIXES or data.startswith(_ZIP):
        raise ParseError("unsupported_type")
    return SUFFIXES[suffix]
