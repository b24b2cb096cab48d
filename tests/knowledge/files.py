"""Files as strangers upload them, good and bad, made on the spot."""

from __future__ import annotations

import io
import zipfile

from docx import Document
from fpdf import FPDF
from pypdf import PdfReader, PdfWriter

CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
)
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def pdf(*pages: str, outline: bool = False) -> bytes:
    document = FPDF()
    document.set_font("Helvetica", size=12)
    for number, text in enumerate(pages, start=1):
        document.add_page()
        if outline:
            document.start_section(f"Part {number}")
        document.multi_cell(0, 8, text)
    return bytes(document.output())


def encrypted_pdf(password: str, text: str = "The vault code is 4711.") -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf(text))))
    writer.encrypt(user_password=password, owner_password="owner", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def scanned_pdf() -> bytes:
    document = FPDF()
    document.add_page()
    document.rect(10, 10, 100, 100, style="F")
    return bytes(document.output())


def docx() -> bytes:
    document = Document()
    document.add_heading("Travel policy", level=1)
    document.add_paragraph("Book trains before flights.")
    document.add_heading("Hotels", level=2)
    document.add_paragraph("A night may cost 140 euros.")
    table = document.add_table(rows=2, cols=2)
    for row, cells in zip(table.rows, (("City", "Limit"), ("Graz", "120")), strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    document.add_paragraph("Ask your lead when in doubt.")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def docx_with_body(body: bytes) -> bytes:
    return archive({"[Content_Types].xml": CONTENT_TYPES.encode(), "word/document.xml": body})


def word_body(text: str) -> str:
    return (
        f'<w:document xmlns:w="{WORD}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>'
    )


def zip_bomb_docx(megabytes: int = 100) -> bytes:
    return docx_with_body(b" " * (megabytes * 1024 * 1024))


def many_paragraphs_docx(count: int) -> bytes:
    start = f'<w:document xmlns:w="{WORD}"><w:body>'.encode()
    return docx_with_body(start + b"<w:p/>" * count + b"</w:body></w:document>")


def nested_zip(depth: int = 4) -> bytes:
    inner = archive({"zeros": bytes(10 * 1024 * 1024)})
    for _ in range(depth):
        inner = archive({f"{number}.zip": inner for number in range(10)})
    return inner


def archive(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return out.getvalue()
