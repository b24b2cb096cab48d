"""Plain text and Markdown. Markdown stays as written, so that offsets are those of the file's own text."""

from __future__ import annotations

import re

from knowledge.parsing.detect import MARKDOWN, PLAIN
from knowledge.parsing.model import Heading, Parsed
from knowledge.parsing.text import decode, normalise

_LINE = re.compile(r"[^\n]*(?:\n|\Z)")
_ATX = re.compile(r" {0,3}(#{1,6})[ \t]")
_SETEXT = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_NOT_A_TITLE = re.compile(r" {0,3}(?:[-*+>|#]|\d+[.)])|\s*$| {4}")
_TITLE_LIMIT = 200


def parse_plain(data: bytes) -> Parsed:
    return Parsed(text=normalise(decode(data)), mime=PLAIN)


def parse_markdown(data: bytes) -> Parsed:
    text = normalise(decode(data))
    return Parsed(text=text, mime=MARKDOWN, headings=tuple(markdown_headings(text)))


def looks_like_markdown(text: str) -> bool:
    """Whether a text without a file name may be taken for Markdown: it begins with a heading."""
    first, _, _ = text.lstrip().partition("\n")
    return bool(_ATX.match(first))


def markdown_headings(text: str) -> list[Heading]:
    """Headings outside fenced code, in both of Markdown's spellings (`## Title`, and a title underlined)."""
    headings: list[Heading] = []
    fence = ""
    previous: tuple[int, str] | None = None
    for match in _LINE.finditer(text):
        line = match.group().rstrip("\n")
        opening = _FENCE.match(line)
        if opening and (not fence or opening.group(1).startswith(fence)):
            fence = "" if fence else opening.group(1)
            previous = None
            continue
        if fence:
            continue
        if atx := _ATX.match(line):
            title = _atx_title(line[atx.end() :])
            headings.append(Heading(match.start(), len(atx.group(1)), title[:_TITLE_LIMIT]))
        elif previous and (setext := _SETEXT.match(line)):
            level = 1 if setext.group(1).startswith("=") else 2
            headings.append(Heading(previous[0], level, previous[1].strip()[:_TITLE_LIMIT]))
        previous = None if _NOT_A_TITLE.match(line) else (match.start(), line)
    return headings


def _atx_title(rest: str) -> str:
    """Without the closing marks. No pattern does this: one that may give back spaces takes hours over a long line."""
    return rest.strip(" \t").rstrip("#").rstrip(" \t")
