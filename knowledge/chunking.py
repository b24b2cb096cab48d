"""Text into chunks for embedding: pure arithmetic over token offsets, no Django, no model.

A chunk ends, by preference, before a heading, after a paragraph, after a sentence or list line, between
words; only inside one endless word does it end anywhere else. `text[chunk.start:chunk.end]` is the chunk's
text, always.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from knowledge.parsing.model import Heading, Page

# Token offsets of a text: sorted, disjoint (start, end) pairs in characters.
Tokenizer = Callable[[str], Sequence[tuple[int, int]]]

SIZE = 512
OVERLAP = 50
# A section shorter than this shares a chunk with the next one: a lone line retrieves badly.
MIN_SECTION = 32
# Runs without tokens (a megabyte of spaces, one endless word) count as few tokens but must not make a giant
# chunk.
MAX_CHARACTERS = 8_192

_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_SENTENCE = re.compile(
    r"[.!?…؟][\"')\]»”’]*\s+"  # scripts with spaces
    r"|[。！？]+[」』”’]*\s*|।\s*"  # scripts without
    r"|\n(?=[ \t]*(?:[-*+•|]|\d{1,3}[.)])\s?)"  # list lines and table rows
)
_WORD = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters `start` to `end` of the document: one chunk. `tokens` counts its own, without title
    or marks.
    """

    start: int
    end: int
    tokens: int
    page: int | None = None
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a text may be cut, strongest kind first, and where its tokens are."""

    length: int
    starts: list[int]
    cuts: tuple[list[int], list[int], list[int], list[int]]

    @property
    def headings(self) -> list[int]:
        return self.cuts[0]

    def tokens_between(self, start: int, end: int) -> int:
        return bisect_left(self.starts, end) - bisect_left(self.starts, start)

    def reach(self, start: int, tokens: int) -> int:
        """The furthest end of a chunk of `tokens` from `start`."""
        first_too_many = bisect_left(self.starts, start) + tokens
        end = self.starts[first_too_many] if first_too_many < len(self.starts) else self.length
        return min(end, start + MAX_CHARACTERS)


def split(
    text: str,
    tokenize: Tokenizer,
    *,
    headings: Iterable[Heading] = (),
    pages: Sequence[Page] = (),
    size: int = SIZE,
    overlap: int = OVERLAP,
) -> list[Piece]:
    """Cut `text` into pieces of at most `size` tokens which repeat at most `overlap` tokens of the
    piece before.
    """
    outline = sorted(headings, key=lambda heading: heading.start)
    layout = _layout(text, tokenize, outline)
    paths = _heading_paths(outline)
    heading_starts = [heading.start for heading in outline]
    page_starts = [page.start for page in pages]
    pieces: list[Piece] = []
    for raw_start, raw_end in _ranges(layout, size, overlap):
        start, end = _trim(text, raw_start, raw_end)
        if start < end and (not pieces or end > pieces[-1].end):
            page = pages[max(bisect_right(page_starts, start) - 1, 0)].number if pages else None
            path = paths[bisect_right(heading_starts, start)]
            pieces.append(Piece(start, end, layout.tokens_between(start, end), page, path))
    return pieces


def _layout(text: str, tokenize: Tokenizer, outline: Sequence[Heading]) -> _Layout:
    return _Layout(
        length=len(text),
        starts=[start for start, _ in tokenize(text)],
        cuts=(
            [heading.start for heading in outline],
            [match.end() for match in _PARAGRAPH.finditer(text)],
            [match.end() for match in _SENTENCE.finditer(text)],
            [match.end() for match in _WORD.finditer(text)],
        ),
    )


def _ranges(layout: _Layout, size: int, overlap: int) -> Iterable[tuple[int, int]]:
    start = end = 0
    while end < layout.length:
        end, clean = _end(layout, start, end, size)
        yield start, end
        resume = end if clean else _resume(layout, end, overlap)
        # A chunk shorter than the overlap must not make the next one begin where this one did.
        start = resume if layout.tokens_between(start, resume) else end


def _end(layout: _Layout, start: int, done: int, size: int) -> tuple[int, bool]:
    """Where the chunk from `start` ends, after `done`, and whether a section begins there (it needs no
    overlap).
    """
    limit = layout.reach(start, size)
    section = _section_end(layout, start, done, limit)
    if section is not None:
        return section, True
    if limit >= layout.length:
        return layout.length, True
    half = max(start + (limit - start) // 2, done)
    for cuts in layout.cuts:
        at = bisect_right(cuts, limit) - 1
        if at >= 0 and cuts[at] > half:
            return cuts[at], cuts is layout.headings
    return limit, False


def _section_end(layout: _Layout, start: int, done: int, limit: int) -> int | None:
    """The first heading after enough text to stand alone."""
    index = bisect_right(layout.headings, max(start, done))
    while index < len(layout.headings) and layout.headings[index] <= limit:
        cut = layout.headings[index]
        if layout.tokens_between(start, cut) >= MIN_SECTION:
            return cut
        index += 1
    return None


def _resume(layout: _Layout, end: int, overlap: int) -> int:
    """Where the next chunk begins: the first sentence, else the first word, within the last `overlap`
    tokens.
    """
    first = bisect_left(layout.starts, end) - overlap
    earliest = layout.starts[first] if first >= 0 else 0
    earliest = max(earliest, end - MAX_CHARACTERS // 2)
    _, paragraphs, sentences, words = layout.cuts
    sentence = min(_first_cut(paragraphs, earliest, end), _first_cut(sentences, earliest, end))
    return sentence if sentence < end else _first_cut(words, earliest, end)


def _first_cut(cuts: list[int], earliest: int, end: int) -> int:
    at = bisect_left(cuts, earliest)
    return min(cuts[at], end) if at < len(cuts) else end


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    body = text[start:end]
    return start + len(body) - len(body.lstrip()), end - (len(body) - len(body.rstrip()))


def _heading_paths(outline: Sequence[Heading]) -> list[tuple[str, ...]]:
    """paths[i]: the titles a reader stands under after the first i headings."""
    paths: list[tuple[str, ...]] = [()]
    stack: list[Heading] = []
    for heading in outline:
        while stack and stack[-1].level >= heading.level:
            stack.pop()
        stack.append(heading)
        paths.append(tuple(item.title for item in stack))
    return paths
