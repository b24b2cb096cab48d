"""`panal-extractive`: quotes the sentences of the workspace's documents that answer, and cites each one.

The same question and sources give the same text, so a continuation from a prefix is exact.
"""

import asyncio
import re
from collections.abc import AsyncGenerator

from billing.vocabulary import Usage
from routing.builtin.language import CLOSEST, NOTHING, language_of
from routing.builtin.ranking import Selection, select
from routing.builtin.units import Unit
from routing.retrieval import retrieve
from routing.tokens import estimate_tokens, prompt_tokens
from routing.vocabulary import Delta, Finish, Finished, Request, Source, WireEvent

RETRIEVED = 8  # sources asked for when a request brings none
PIECE_WORDS = 3
PIECE_SECONDS = 0.012  # a pace one can read along with
SEARCHES_ITSELF = frozenset({"chat", "title"})  # callers whose empty sources mean: searched, nothing found

_pieces = re.compile(rf"\s*(?:\S+\s+){{0,{PIECE_WORDS - 1}}}\S+|\s+")


def _quoted(unit: Unit) -> str:
    cite = f"[{unit.source.n}]"
    if unit.lead:
        lines = [f"{unit.lead} {cite}"]
    elif unit.heading:
        lines = [f"**{unit.heading}** {cite}"]
    else:
        lines = [cite]
    body = "\n".join(unit.body)
    return lines[0] + (f"\n\n{body}" if body else "")


def _joined(units: tuple[Unit, ...]) -> str:
    """Plain sentences of one source run on; steps and code stand apart."""
    text = ""
    before: Unit | None = None
    for unit in units:
        if before is not None:
            flows = not before.body and not unit.body and before.source.n == unit.source.n
            text += " " if flows and before.heading == unit.heading else "\n\n"
        text += _quoted(unit)
        before = unit
    return text


def answer(question: str, sources: tuple[Source, ...]) -> str:
    """The whole answer, a Markdown text."""
    language = language_of(question)
    selection: Selection | None = select(question, sources) if sources else None
    if selection is None:
        return NOTHING[language]
    quoted = _joined(selection.units)
    return quoted if selection.direct else f"{CLOSEST[language]}\n\n{quoted}"


def rest_after(prefix: str, whole: str) -> str:
    """What is still to be sent. Text begun by another model is followed by the whole answer."""
    if not prefix:
        return whole
    return whole[len(prefix) :] if whole.startswith(prefix) else f"\n\n{whole}"


def _question(request: Request) -> str:
    asked = [message.text for message in request.messages if message.role == "user" and message.text.strip()]
    return asked[-1] if asked else ""


async def _sources(request: Request, question: str) -> tuple[Source, ...]:
    if request.sources or request.feature in SEARCHES_ITSELF or not question:
        return request.sources
    return await retrieve(request.actor, question, RETRIEVED)


def _stopped(text: str, stop: tuple[str, ...] | None) -> str:
    cuts = [at for mark in stop or () if mark and (at := text.find(mark)) >= 0]
    return text[: min(cuts)] if cuts else text


async def stream(request: Request) -> AsyncGenerator[WireEvent, None]:
    question = _question(request)
    sources = await _sources(request, question)
    rest = _stopped(rest_after(request.prefix, answer(question, sources)), request.stop)
    written = 0
    finish: Finish = "stop"
    for piece in _pieces.findall(rest):
        tokens = estimate_tokens(piece)
        if request.max_tokens is not None and written + tokens > request.max_tokens:
            finish = "length"
            break
        written += tokens
        yield Delta(piece)
        await asyncio.sleep(PIECE_SECONDS)
    read = prompt_tokens(request.messages, request.prefix) + sum(
        estimate_tokens(source.text) for source in sources
    )
    yield Usage(input_tokens=read, output_tokens=written)
    yield Finished(finish)
