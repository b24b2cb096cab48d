"""The rules of cutting, on texts of a person and on texts of hypothesis."""

from __future__ import annotations

import itertools
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.chunking import MAX_CHARACTERS, MIN_SECTION, split
from knowledge.parsing.model import Heading, Page


def words(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


def test_a_short_text_is_one_chunk() -> None:
    (piece,) = split("  Bees dance.\n", words)
    assert (piece.start, piece.end, piece.tokens, piece.page, piece.headings) == (2, 13, 3, None, ())


def test_nothing_gives_nothing() -> None:
    assert split("", words) == []
    assert split(" \n\n ", words) == []


def test_cuts_fall_between_sentences() -> None:
    text = " ".join(f"This is sentence number {n} of the report." for n in range(100))
    pieces = split(text, words, size=60, overlap=12)
    assert all(text[piece.start : piece.end].endswith(".") for piece in pieces)
    assert all(text[piece.start : piece.end].startswith("This") for piece in pieces)


def test_neighbours_repeat_at_most_the_overlap_and_miss_nothing() -> None:
    text = " ".join(f"This is sentence number {n} of the report." for n in range(100))
    pieces = split(text, words, size=60, overlap=12)
    for left, right in itertools.pairwise(pieces):
        assert left.start < right.start <= left.end + 1
        assert len(words(text[right.start : left.end])) <= 12
    assert any(right.start < left.end for left, right in itertools.pairwise(pieces))


def test_paragraphs_are_kept_whole_when_they_fit() -> None:
    paragraph = "One two three. Four five six."
    text = "\n\n".join([paragraph] * 10)
    assert {text[p.start : p.end] for p in split(text, words, size=20, overlap=0)} == {
        "\n\n".join([paragraph] * 2)
    }


def test_a_section_of_some_length_has_its_own_chunk_and_path() -> None:
    body = "word " * (MIN_SECTION + 10)
    text = f"# Guide\n{body}\n## Install\n{body}\n## Remove\n{body}"
    headings = [
        Heading(m.start(), len(m.group(1)), m.group(2)) for m in re.finditer(r"(?m)^(#+) (\w+)$", text)
    ]
    pieces = split(text, words, headings=headings)
    assert [piece.headings for piece in pieces] == [("Guide",), ("Guide", "Install"), ("Guide", "Remove")]
    assert [text[piece.start :][:4] for piece in pieces] == ["# Gu", "## I", "## R"]


def test_tiny_sections_share_a_chunk() -> None:
    text = "# A\none\n\n# B\ntwo\n\n# C\nthree"
    headings = [Heading(m.start(), 1, m.group(1)) for m in re.finditer(r"# (\w)", text)]
    assert len(split(text, words, headings=headings)) == 1


def test_each_chunk_knows_its_page() -> None:
    pages = ["alpha " * 30, "beta " * 30, "gamma " * 30]
    text = "\n\n".join(pages)
    offsets, start = [], 0
    for number, page in enumerate(pages, start=1):
        offsets.append(Page(number, start, start + len(page)))
        start += len(page) + 2
    found = {
        (text[p.start :].split()[0], p.page) for p in split(text, words, pages=offsets, size=30, overlap=0)
    }
    assert found == {("alpha", 1), ("beta", 2), ("gamma", 3)}


def test_list_lines_and_table_rows_are_not_broken() -> None:
    text = "\n".join(f"| Graz {n} | {n * 10} euros |" for n in range(60))
    for piece in split(text, words, size=50, overlap=0):
        assert all(
            line.startswith("| Graz") and line.endswith("euros |")
            for line in text[piece.start : piece.end].split("\n")
        )


def test_an_endless_word_cannot_make_an_endless_chunk() -> None:
    text = "x" * 1_000_000
    pieces = split(text, words)
    assert max(piece.end - piece.start for piece in pieces) <= MAX_CHARACTERS
    assert "".join(text[piece.start : piece.end] for piece in pieces) == text


def test_a_desert_of_spaces_costs_nothing() -> None:
    assert [p.end - p.start for p in split("a" + " " * 500_000 + "b", words)] == [1, 1]


TEXTS = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(
            ["\n\n", "\n", ". ", " ", "。", "# Title\n", "| a | b |\n", "- item\n", "word " * 20, "x" * 50]
        ),
    ),
    max_size=60,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(
    text=TEXTS,
    size=st.integers(min_value=5, max_value=80),
    share=st.integers(min_value=0, max_value=4),
    starts=st.lists(st.integers(min_value=0, max_value=2_000), max_size=5, unique=True),
)
def test_offsets_are_exact_for_any_text(text: str, size: int, share: int, starts: list[int]) -> None:
    headings = [Heading(start, 1 + start % 3, f"h{start}") for start in starts if start < len(text)]
    overlap = size * share // 10
    pieces = split(text, words, headings=headings, size=size, overlap=overlap)
    tokens = words(text)

    covered: set[int] = set()
    for piece in pieces:
        body = text[piece.start : piece.end]
        assert body
        assert body == body.strip()
        assert len(body) <= MAX_CHARACTERS
        inside = [t for t in tokens if piece.start <= t[0] < piece.end]
        assert piece.tokens == len(inside) <= size
        covered.update(range(piece.start, piece.end))
    assert all(index in covered for index, character in enumerate(text) if not character.isspace())

    for left, right in itertools.pairwise(pieces):
        assert left.start < right.start
        assert left.end < right.end
        assert len([t for t in tokens if right.start <= t[0] < left.end]) <= overlap
