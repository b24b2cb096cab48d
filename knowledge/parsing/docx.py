"""Word documents, read from their XML as a stream, so that memory follows the text and not the mark-up."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from lxml import etree  # type: ignore[import-untyped]

from knowledge.parsing.detect import DOCX
from knowledge.parsing.model import Heading, Limits, Parsed, ParseError
from knowledge.parsing.text import normalise

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_BODY, _STYLES = "word/document.xml", "word/styles.xml"
_PARAGRAPH, _TABLE, _ROW, _CELL, _TEXT = _W + "p", _W + "tbl", _W + "tr", _W + "tc", _W + "t"
_BREAKS = {_W + "tab": "\t", _W + "br": "\n", _W + "cr": "\n", _W + "noBreakHyphen": "-"}
_HEADING_NAME = re.compile(r"(?:heading|überschrift|titre|título|titolo|заголовок)\s*(\d)", re.IGNORECASE)
_SMALL_MEMBER = 1024 * 1024
_ENCRYPTED_FLAG = 0x1


def parse_docx(data: bytes, limits: Limits) -> Parsed:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_archive(archive, limits)
            levels = _heading_styles(archive)
            with archive.open(_BODY) as body:
                return _assemble(_blocks(body, levels), limits)
    except (
        KeyError,
        zipfile.BadZipFile,
        zlib.error,
        etree.XMLSyntaxError,
        EOFError,
        NotImplementedError,
    ) as error:
        raise ParseError("docx_damaged") from error


def _check_archive(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Judge the archive by its directory, before a byte is unpacked; zipfile holds each member to its
    entry.
    """
    members = archive.infolist()
    if len(members) > limits.archive_members or sum(m.file_size for m in members) > limits.archive_bytes:
        raise ParseError("archive_bomb")
    for member in members:
        if member.flag_bits & _ENCRYPTED_FLAG:
            raise ParseError("docx_encrypted")
        ratio = member.file_size / max(member.compress_size, 1)
        if member.file_size > _SMALL_MEMBER and ratio > limits.archive_ratio:
            raise ParseError("archive_bomb")


def _elements(source: IO[bytes], *tags: str) -> Iterator[etree._Element]:
    context = etree.iterparse(
        source,
        events=("end",),
        tag=tags,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    for _, element in context:
        yield element


def _heading_styles(archive: zipfile.ZipFile) -> dict[str, int]:
    """Style id → heading level, from the outline level or the style's name."""
    if _STYLES not in archive.namelist():
        return {}
    levels: dict[str, int] = {}
    with archive.open(_STYLES) as styles:
        for style in _elements(styles, _W + "style"):
            name = style.find(_W + "name")
            outline = style.find(f"{_W}pPr/{_W}outlineLvl")
            by_name = _HEADING_NAME.match(name.get(_W + "val", "")) if name is not None else None
            if by_name:
                levels[style.get(_W + "styleId", "")] = int(by_name.group(1))
            elif outline is not None and outline.get(_W + "val", "9").isdigit():
                level = int(outline.get(_W + "val", "9")) + 1
                if level <= 9:
                    levels[style.get(_W + "styleId", "")] = level
    return levels


def _blocks(body: IO[bytes], levels: dict[str, int]) -> Iterator[tuple[int, str]]:
    """(heading level or 0, text) for every paragraph and table of the body, in order."""
    for element in _elements(body, _PARAGRAPH, _TABLE):
        if next(element.iterancestors(_TABLE, _PARAGRAPH, _FALLBACK), None) is not None:
            continue
        if element.tag == _TABLE:
            yield 0, _table_text(element)
        else:
            style = element.find(f"{_W}pPr/{_W}pStyle")
            yield (
                levels.get(style.get(_W + "val", ""), 0) if style is not None else 0,
                _paragraph_text(element),
            )
        _forget(element)


def _forget(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _paragraph_text(paragraph: etree._Element) -> str:
    return "".join(
        node.text or "" if node.tag == _TEXT else _BREAKS[node.tag]
        for node in paragraph.iter(_TEXT, *_BREAKS)
        # Word writes a text box twice: once for itself, once for programs of 2007.
        if next(node.iterancestors(_FALLBACK), None) is None
    )


def _table_text(table: etree._Element) -> str:
    rows = []
    for row in table.iter(_ROW):
        cells = [
            " ".join(" ".join(_paragraph_text(p) for p in cell.iter(_PARAGRAPH)).split())
            for cell in row.iterchildren(_CELL)
        ]
        if any(cells):
            rows.append(" | ".join(cells))
    return "\n".join(rows)


def _assemble(blocks: Iterator[tuple[int, str]], limits: Limits) -> Parsed:
    parts: list[str] = []
    headings: list[Heading] = []
    length = 0
    for level, raw in blocks:
        text = normalise(raw).strip("\n")
        if not text.strip():
            continue
        if level:
            headings.append(Heading(length, level, " ".join(text.split())[:200]))
        parts.append(text)
        length += len(text) + 2
        if length > limits.characters:
            raise ParseError("document_too_long")
    return Parsed(text="\n\n".join(parts), mime=DOCX, headings=tuple(headings))
