"""The Redis stream of a turn's frames: entry `<seq>-0` holds frame `seq`.

Redis refuses an id that is not above the last one, so a second producer of the same turn cannot write.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import redis

from chat.turns.refs import TurnRef
from tenants.redis import redis_async

FRAME = b"f"
PRIVATE = b"x"
RUNNING_SECONDS = 24 * 3600  # how long a stream nobody finishes is kept
ENDED_SECONDS = 6 * 3600  # how long the stream of a finished turn is kept; then the outline replaces it
PAGE = 1000  # entries of one read
LEAD = 20  # the sources stand among the first frames


class TakenOver(Exception):
    """Another process writes this turn."""


@dataclass(slots=True)
class _Append:
    key: str
    first: int
    frames: Sequence[str]
    private: bytes | None
    written: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def commands(self) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = [
            ("XADD", self.key, f"{seq}-0", FRAME, frame)
            for seq, frame in enumerate(self.frames, start=self.first)
        ]
        if self.private is not None:
            rows[-1] = (*rows[-1], PRIVATE, self.private)
        if self.first == 1:
            rows.append(("EXPIRE", self.key, RUNNING_SECONDS))
        return rows


class LogWriter:
    """Appends of all turns of a process share round trips: while one is under way the next batch gathers."""

    def __init__(self) -> None:
        self._waiting: list[_Append] = []
        self._task: asyncio.Task[None] | None = None

    async def append(self, ref: TurnRef, first: int, frames: Sequence[str], private: bytes | None) -> None:
        """Raises `redis.RedisError` when it is not known what was written; see `repair`."""
        append = _Append(ref.stream, first, frames, private)
        self._waiting.append(append)
        if self._task is None:
            self._task = asyncio.create_task(self._write_all())
        await append.written

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._write(batch)
        finally:
            self._task = None

    async def _write(self, batch: list[_Append]) -> None:
        pipeline = redis_async().pipeline(transaction=False)
        rows = [append.commands() for append in batch]
        for command in (command for commands in rows for command in commands):
            pipeline.execute_command(*command)
        try:
            results = await pipeline.execute(raise_on_error=False)
        except Exception as error:  # whoever waits must hear of it, whatever it was
            for append in batch:
                _settle(append, error)
            return
        start = 0
        for append, commands in zip(batch, rows, strict=True):
            answers = results[start : start + len(commands)]
            _settle(append, next((answer for answer in answers if isinstance(answer, Exception)), None))
            start += len(commands)


def _settle(append: _Append, error: Exception | None) -> None:
    if append.written.done():
        return
    if error is None:
        append.written.set_result(None)
    else:
        wrapped = error if isinstance(error, redis.RedisError) else redis.ConnectionError(str(error))
        append.written.set_exception(wrapped)


_writers: "WeakKeyDictionary[asyncio.AbstractEventLoop, LogWriter]" = WeakKeyDictionary()


def writer() -> LogWriter:
    return _writers.setdefault(asyncio.get_running_loop(), LogWriter())


def _frames(entries: Any) -> list[str]:
    return [fields[FRAME].decode() for _, fields in entries or ()]


async def read(ref: TurnRef, *, after: int = 0) -> list[str]:
    """All frames from `after + 1` on."""
    found: list[str] = []
    while True:
        page = _frames(await redis_async().xrange(ref.stream, min=f"({after + len(found)}-0", count=PAGE))
        found += page
        if len(page) < PAGE:
            return found


async def wait(ref: TurnRef, *, after: int, milliseconds: int) -> list[str]:
    """Frames from `after + 1` on; waits for the first one, at most so long."""
    reply: Any = await redis_async().xread({ref.stream: f"{after}-0"}, count=PAGE, block=milliseconds)
    return _frames(reply[0][1]) if reply else []


async def private_of(ref: TurnRef) -> bytes | None:
    """What was kept beside a frame for whoever continues the turn."""
    entries: Any = await redis_async().xrange(ref.stream, count=LEAD)
    return next((bytes(fields[PRIVATE]) for _, fields in entries if PRIVATE in fields), None)


async def repair(ref: TurnRef, frames: Sequence[str], private: bytes | None = None) -> None:
    """After an unclear write: have the stream hold exactly `frames`, also when Redis lost its last ones.

    Raises `TakenOver` when it holds others.
    """
    last: Any = await redis_async().xrevrange(ref.stream, count=1)
    held = int(last[0][0].split(b"-")[0]) if last else 0
    if held > len(frames) or (held and _frames(last)[0] != frames[held - 1]):
        raise TakenOver
    if held < len(frames):
        await writer().append(ref, held + 1, frames[held:], private)


async def expire(ref: TurnRef) -> None:
    await redis_async().expire(ref.stream, ENDED_SECONDS)
