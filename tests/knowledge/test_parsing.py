"""Every kind of file through the real worker process: what is read, and what each bad file is told."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from knowledge.parsing.model import REASONS, Heading, Limits, Parsed, ParseError
from knowledge.parsing.plain import looks_like_markdown, markdown_headings
from knowledge.parsing.run import parse
from knowledge.parsing.text import clean, decode
from tests.knowledge import files


def read(data: bytes, name: str, **limits: float) -> Parsed:
    return parse(io.BytesIO(data), name, Limits(**limits))


def failure(data: bytes, name: str, **limits: float) -> str:
    with pytest.raises(ParseError) as caught:
        read(data, name, **limits)
    assert caught.value.detail == REASONS[caught.value.code]
    return caught.value.code


def test_plain_text_keeps_every_character() -> None:
    assert read("Grüße, Ελλάδα, 你好, 🐝\nzwei".encode(), "a.txt").text == "Grüße, Ελλάδα, 你好, 🐝\nzwei"


def test_markdown_gives_headings_at_their_offsets() -> None:
    source = "# One\n\ntext\n\n```\n# not a heading\n```\n\nTwo\n---\n\n### Three ###\n"
    parsed = read(source.encode(), "a.md")
    assert parsed.text == source
    assert [(h.level, h.title) for h in parsed.headings] == [(1, "One"), (2, "Two"), (3, "Three")]
    assert [source[h.start :][: len(h.title) + 2].strip("# \n-") for h in parsed.headings] == [
        "One",
        "Two",
        "Thr",
    ]


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("# Bees", "Bees"),
        ("#\tBees ##", "Bees"),
        ("## C# and F#", "C# and F"),
        ("### # ", ""),
        ("  # Bees  # x", "Bees  # x"),
    ],
)
def test_a_headings_closing_marks_are_no_part_of_it(line: str, title: str) -> None:
    assert [heading.title for heading in markdown_headings(line)] == [title]


@pytest.mark.parametrize("line", ["# " + " \t" * 200_000 + "x", "# " + "\t" * 200_000 + "#" * 200_000 + "x"])
def test_a_long_line_costs_no_more_than_its_length(line: str) -> None:
    began = time.monotonic()
    assert looks_like_markdown(line)
    assert markdown_headings(line)
    assert time.monotonic() - began < 2


def test_pdf_gives_pages_and_outline() -> None:
    parsed = read(files.pdf("Alpha is first.", "Beta is second.", outline=True), "a.pdf")
    assert [page.number for page in parsed.pages] == [1, 2]
    first, second = parsed.pages
    assert "Alpha" in parsed.text[first.start : first.end]
    assert "Beta" in parsed.text[second.start : second.end]
    assert [heading.title for heading in parsed.headings] == ["Part 1", "Part 2"]


def test_pdf_that_only_restricts_printing_is_read() -> None:
    assert "4711" in read(files.encrypted_pdf(""), "a.pdf").text


def test_docx_gives_paragraphs_headings_and_table_rows() -> None:
    parsed = read(files.docx(), "a.docx")
    assert parsed.text.split("\n\n") == [
        "Travel policy",
        "Book trains before flights.",
        "Hotels",
        "A night may cost 140 euros.",
        "City | Limit\nGraz | 120",
        "Ask your lead when in doubt.",
    ]
    assert parsed.headings == (
        Heading(0, 1, "Travel policy"),
        Heading(parsed.text.index("Hotels"), 2, "Hotels"),
    )


def test_content_decides_over_the_name() -> None:
    assert read(files.pdf("A PDF in disguise."), "notes.txt").mime == "application/pdf"
    assert read(files.docx(), "policy.bin").mime.endswith("wordprocessingml.document")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_in_any_form(encoding: str) -> None:
    text = "The quick brown fox asks for the café menu.\nIt is on page nine."
    assert read(text.encode(encoding), "a.txt").text == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Die Müllabfuhr kommt dienstags. Größere Stücke bitte anmelden. " * 5, "cp1252"),
        ("Договор вступает в силу с момента подписания обеими сторонами. " * 5, "cp1251"),
        ("本契約は両当事者が署名した日から効力を生じるものとします。" * 5, "shift_jis"),
    ],
)
def test_legacy_encodings_are_recognised(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_what_a_database_refuses_is_replaced_one_for_one() -> None:
    dirty = "a\x00b\ud800c\x1bd\ufeffe\tf\ng"
    assert clean(dirty) == "a b\ufffdc d e\tf\ng"
    assert len(clean(dirty)) == len(dirty)
    assert read(b"one\x00two" + b" word" * 100, "a.txt").text.startswith("one two")


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.txt", "document_empty"),
        (b"", "a.pdf", "document_empty"),
        (b" \n\t\n", "a.txt", "document_without_text"),
        (random.Random(1).randbytes(50_000), "a.txt", "text_undecodable"),
        (random.Random(1).randbytes(50_000), "a.pdf", "pdf_damaged"),
        (b"%PDF-1.7\n" + random.Random(1).randbytes(50_000), "a.pdf", "pdf_damaged"),
        (files.pdf("Cut short " * 400)[:700], "a.pdf", "pdf_damaged"),
        (files.encrypted_pdf("secret"), "a.pdf", "pdf_encrypted"),
        (files.scanned_pdf(), "a.pdf", "pdf_without_text"),
        (random.Random(1).randbytes(5_000), "a.docx", "docx_damaged"),
        (files.docx()[:-400], "a.docx", "docx_damaged"),
        (files.archive({"xl/workbook.xml": b"<a/>"}), "a.docx", "docx_damaged"),
        (files.docx_with_body(b"<w:document>"), "a.docx", "docx_damaged"),
        (files.zip_bomb_docx(), "a.docx", "archive_bomb"),
        (files.nested_zip(2), "a.docx", "docx_damaged"),
        (files.nested_zip(2), "a.zip", "unsupported_type"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.docx", "docx_encrypted"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "a.png", "unsupported_type"),
        (b"a,b\n", "a.csv", "unsupported_type"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_files_are_told_apart(data: bytes, name: str, code: str) -> None:
    assert failure(data, name) == code


def test_an_xml_entity_bomb_stays_folded() -> None:
    lol = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    body = f'<!DOCTYPE d [<!ENTITY l0 "lol">{lol}]>{files.word_body("&l9;")}'
    assert failure(files.docx_with_body(body.encode()), "a.docx") in {"docx_damaged", "document_without_text"}


def test_an_entity_cannot_read_this_machines_files() -> None:
    body = f'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>{files.word_body("a &x; b")}'
    assert "root" not in read(files.docx_with_body(body.encode()), "a.docx").text


def test_400_000_empty_paragraphs_end_quickly() -> None:
    began = time.monotonic()
    data = files.many_paragraphs_docx(400_000)
    assert failure(data, "a.docx") in {"archive_bomb", "document_without_text"}
    assert time.monotonic() - began < 30


def test_too_much_text_and_too_many_pages() -> None:
    assert failure(b"word " * 1_000, "a.txt", characters=2_000) == "document_too_long"
    assert failure(files.docx(), "a.docx", characters=20) == "document_too_long"
    assert failure(files.pdf("one", "two", "three"), "a.pdf", pages=2) == "pdf_too_many_pages"


def test_memory_is_limited_by_the_kernel() -> None:
    assert failure(b"word " * 20_000_000, "a.txt", memory=200 * 1024 * 1024) in {
        "parse_memory",
        "parse_crashed",
    }


def test_output_is_limited_by_the_kernel() -> None:
    assert failure(b"word " * 100_000, "a.txt", output=100_000) in {"parse_output", "parse_crashed"}


def test_a_slow_file_is_ended_at_the_wall_time() -> None:
    began = time.monotonic()
    assert failure(b"word " * 1_000_000, "a.txt", wall_seconds=0.05) == "parse_timeout"
    assert time.monotonic() - began < 5


def test_a_killed_worker_is_an_answer_and_not_a_hang() -> None:
    """The worker is stopped as it starts, so that there surely is one to kill."""
    killed: list[int] = []

    def kill_the_child() -> None:
        me = psutil.Process()
        while not killed:
            for child in me.children():
                if any("knowledge.parsing.worker" in part for part in _command(child)):
                    os.kill(child.pid, signal.SIGKILL)
                    killed.append(child.pid)
            time.sleep(0.002)

    killer = threading.Thread(target=kill_the_child)
    killer.start()
    code = failure(b"word " * 900_000, "a.txt")
    killer.join()
    assert code == "parse_crashed"
    assert killed


def test_what_the_tick_raises_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.parsing.run._TICK_SECONDS", 0.01)

    def lost() -> None:
        raise LookupError("lease lost")

    with pytest.raises(LookupError):
        parse(io.BytesIO(b"word " * 900_000), "a.txt", tick=lost)
    assert not [c for c in psutil.Process().children() if any("parsing.worker" in p for p in _command(c))]


def test_the_worker_sees_no_secret_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "do-not-tell")
    seen: list[dict[str, str]] = []
    real = subprocess.Popen

    def spy(*args: object, **kwargs: object) -> object:
        seen.append(kwargs["env"])  # type: ignore[arg-type]
        return real(*args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", spy)
    read(b"hello", "a.txt")
    assert set(seen[0]) == {"PATH", "PYTHONPATH", "LC_ALL"}


def test_the_worker_imports_no_django() -> None:
    modules = "knowledge.parsing.worker, knowledge.parsing.pdf, knowledge.parsing.docx"
    code = f"import sys, {modules}; print('django' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
