"""Cuts a passage into what may be quoted alone: sentences, and steps or commands kept whole with their lead."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from routing.vocabulary import Source

_heading = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_item = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)]|[a-z][.)])\s+\S")
_fence = re.compile(r"^\s*(```|~~~)")
_sentence_end = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[^\Wa-z_])|(?<=[。！？])")
_abbreviation = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|approx|no|fig|dr|mr|mrs|z\.B|bzw|ca|p\.ej)\.|\b[A-Z]\.)$", re.IGNORECASE
)


@dataclass(slots=True)
class Unit:
    """`lead` is the quoted sentence; `body` what belongs right under it: list items, code, table rows."""

    source: Source
    heading: str
    position: int
    lead: str = ""
    body: list[str] = field(default_factory=list)
    code: set[str] = field(default_factory=set)  # those lines of `body` that lie between fences

    @property
    def has_steps(self) -> bool:
        return any(_item.match(line) for line in self.body)

    @property
    def wording(self) -> str:
        """What counts when matching words: sample code may hold any, a question for instance."""
        return "\n".join((self.lead, *(line for line in self.body if line not in self.code)))

    @property
    def text(self) -> str:
        return "\n".join(filter(None, (self.lead, *self.body)))


@dataclass(slots=True)
class _Block:
    kind: str  # heading, text, item, code, table
    lines: list[str]


def sentences(paragraph: str) -> list[str]:
    """Sentences of one paragraph; a dot after an abbreviation does not end one."""
    parts: list[str] = []
    for piece in _sentence_end.split(" ".join(paragraph.split())):
        if parts and _abbreviation.search(parts[-1]):
            parts[-1] += " " + piece
        elif piece.strip():
            parts.append(piece.strip())
    return parts


def _fenced(lines: list[str], at: int) -> int:
    """The index after the fence that opens at `at`."""
    for index in range(at + 1, len(lines)):
        if _fence.match(lines[index]):
            return index + 1
    return len(lines)


def _continues(lines: list[str], at: int) -> int:
    """The index after the indented or lazy continuation lines of a list item that starts at `at`."""
    index = at + 1
    while index < len(lines) and lines[index].strip() and not _starts_block(lines[index]):
        index += 1
    return index


def _starts_block(line: str) -> bool:
    return bool(
        _heading.match(line) or _item.match(line) or _fence.match(line) or line.lstrip().startswith("|")
    )


def _block_at(lines: list[str], at: int) -> tuple[_Block, int]:
    line = lines[at]
    if _fence.match(line):
        end = _fenced(lines, at)
        return _Block("code", lines[at:end]), end
    if _heading.match(line):
        return _Block("heading", [line]), at + 1
    if _item.match(line):
        end = _continues(lines, at)
        return _Block("item", lines[at:end]), end
    if line.lstrip().startswith("|"):
        return _Block("table", [line]), at + 1
    end = at + 1
    while end < len(lines) and lines[end].strip() and not _starts_block(lines[end]):
        end += 1
    return _Block("text", lines[at:end]), end


def _blocks(text: str) -> Iterator[_Block]:
    lines = text.expandtabs(4).splitlines()
    at = 0
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        block, at = _block_at(lines, at)
        yield block


def _is_title(block: _Block, title: str) -> bool:
    """A short line without a full stop, as headings look in text taken from PDF and Word files."""
    line = block.lines[0].strip()
    return len(block.lines) == 1 and len(line) <= 70 and (line == title or line[-1:] not in ".!?:;,。！？")


def units(source: Source) -> list[Unit]:
    """The quotable pieces of a source, in their order."""
    found: list[Unit] = []
    heading = ""
    for block in _blocks(source.text):
        if block.kind == "heading" or (block.kind == "text" and _is_title(block, source.title)):
            match = _heading.match(block.lines[0])
            heading = match.group(2) if match else block.lines[0].strip()
        elif block.kind == "text":
            for sentence in sentences("\n".join(block.lines)):
                found.append(Unit(source, heading, len(found), lead=sentence))
        else:
            _attach(found, block, source, heading)
    return found


def _attach(found: list[Unit], block: _Block, source: Source, heading: str) -> None:
    """Steps, code and tables belong to the sentence before them, when it is of the same section."""
    if not found or found[-1].heading != heading:
        found.append(Unit(source, heading, len(found)))
    unit = found[-1]
    inside_item = unit.has_steps and block.lines[0].startswith(" ")
    lines = block.lines if inside_item else _dedented(block)
    unit.body.extend(lines)
    if block.kind == "code":
        unit.code.update(lines)


def _dedented(block: _Block) -> list[str]:
    if block.kind != "code":
        return [line.rstrip() for line in block.lines]
    margin = len(block.lines[0]) - len(block.lines[0].lstrip())
    return [line[margin:] if not line[:margin].strip() else line for line in block.lines]
