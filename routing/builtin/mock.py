"""`mock-…`: a model for demos, tests and load, whose behaviour is written in its name.

`mock-ttft500-itl20-len400-fail5`: milliseconds to the first token, milliseconds between tokens, tokens, percent
of requests that fail; `cut50` breaks off after 50 tokens. Any order, each at most once. Token `i` is always the
same word, so a continuation from a prefix is exact, and one request id always fails or never does.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from billing.vocabulary import Usage
from routing.errors import UpstreamBroken, UpstreamError
from routing.tokens import prompt_tokens
from routing.vocabulary import Delta, Finish, Finished, Request, WireEvent

LIMITS = {"ttft": 60_000, "itl": 10_000, "len": 20_000, "fail": 100, "cut": 20_000}
BREATHE_EVERY = 16  # tokens between pauses that let other work of the process run

TEXT = """
    the hive keeps every answer in its own cell and each cell belongs to one workspace so a question goes
    out and words come back one after another while careful bees count what was carried weigh it note the
    price and fly again because nothing sweet is ever lost
"""
WORDS = TEXT.split()
SENTENCE = 12  # words

_knob = re.compile(r"-([a-z]+)(\d{1,6})")
_name = re.compile(r"mock(?:-(?:ttft|itl|len|fail|cut)\d{1,6})*")


@dataclass(frozen=True, slots=True)
class Knobs:
    ttft: int = 0
    itl: int = 0
    len: int = 50
    fail: int = 0
    cut: int | None = None


@lru_cache(maxsize=256)
def knobs_of(name: str) -> Knobs | None:
    """The knobs in a name, or None when it is not a mock's."""
    if not _name.fullmatch(name):
        return None
    found = _knob.findall(name)
    values = {knob: int(value) for knob, value in found}
    if len(values) != len(found) or any(value > LIMITS[knob] for knob, value in values.items()):
        return None
    return Knobs(**values)


def is_mock(name: str) -> bool:
    return knobs_of(name) is not None


def token(index: int) -> str:
    """Token `index` of the one endless text, with the space before it."""
    word = WORDS[(index * 7 + index // SENTENCE) % len(WORDS)]
    if index % SENTENCE == 0:
        word = word.capitalize()
    if index % SENTENCE == SENTENCE - 1:
        word += "."
    return f" {word}" if index else word


def text(length: int) -> str:
    return "".join(map(token, range(length)))


def _resume(prefix: str) -> tuple[int, str]:
    """The token to go on with, and the rest of the one the prefix cut. A foreign prefix is followed by word count."""
    index, position = 0, 0
    while position < len(prefix):
        piece = token(index)
        seen = prefix[position : position + len(piece)]
        if not piece.startswith(seen):
            return len(prefix.split()), ""
        position, index = position + len(piece), index + 1
    return index, prefix and text(index)[len(prefix) :]


def fails(request_id: UUID, percent: int) -> bool:
    return int.from_bytes(hashlib.sha256(request_id.bytes).digest()[:4], "big") % 100 < percent


async def stream(request: Request, name: str) -> AsyncGenerator[WireEvent, None]:
    knobs = knobs_of(name) or Knobs()
    first, rest = _resume(request.prefix)
    limit = knobs.len if request.max_tokens is None else min(knobs.len, first + request.max_tokens)
    finish: Finish = "stop" if limit == knobs.len else "length"
    due = time.monotonic() + knobs.ttft / 1000
    await asyncio.sleep(knobs.ttft / 1000)
    if fails(request.id, knobs.fail):
        raise UpstreamError("The mock model failed, as its name asks.")
    if rest:
        yield Delta(rest)
    for count, index in enumerate(range(first, limit)):
        if knobs.cut is not None and count >= knobs.cut:
            raise UpstreamBroken
        if count:
            due += knobs.itl / 1000
            await _until(due, count)
        yield Delta(token(index))
    yield Usage(
        input_tokens=prompt_tokens(request.messages, request.prefix),
        output_tokens=max(limit - first, 0),
        source="tokenizer",
    )
    yield Finished(finish)


async def _until(due: float, count: int) -> None:
    wait = due - time.monotonic()
    if wait > 0:
        await asyncio.sleep(wait)
    elif count % BREATHE_EVERY == 0:
        await asyncio.sleep(0)
