"""Frames on their way out: gathered, numbered, kept in the stream, then shown to the sockets of this process."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import redis

from chat import services
from chat.turns import frames, log
from chat.turns.feeds import Feed
from chat.turns.refs import TurnRef
from tenants.scope import in_tenant

Item = str | tuple[str, dict[str, Any]]
"""A piece of text, or a frame as its type and body."""

REDIS_PATIENCE = 15.0  # seconds without Redis after which an answer is given up as interrupted
CHECKPOINT_SECONDS = 10.0

logger = logging.getLogger(__name__)


def flush_seconds(running: int) -> float:
    """How long deltas gather: 20 ms, and up to 50 ms when a process writes many answers at once."""
    return min(0.05, 0.02 + running * 0.0003)


class FrameWriter:
    """Writes one turn's frames. Raises `TakenOver` when another process does, `redis.RedisError` after patience."""

    def __init__(self, ref: TurnRef, feed: Feed, *, running: Callable[[], int]) -> None:
        self.ref = ref
        self.feed = feed
        self._running = running
        self._gathered: list[Item] = []
        self._something = asyncio.Event()
        self._closed = False
        self._checkpoint_at = time.monotonic() + CHECKPOINT_SECONDS

    @property
    def text(self) -> str:
        """The answer so far: the joined deltas."""
        return frames.text_of(self.feed.frames)

    def put(self, item: Item) -> None:
        """Leave something for `flush_forever`; nothing is awaited for a single token."""
        self._gathered.append(item)
        self._something.set()

    def close(self) -> None:
        """`flush_forever` writes what is left and returns."""
        self._closed = True
        self._something.set()

    async def flush_forever(self) -> None:
        flushed_at = 0.0
        while True:
            await self._something.wait()
            pause = flushed_at + flush_seconds(self._running()) - time.monotonic()
            if pause > 0 and not self._closed:
                await asyncio.sleep(pause)
            self._something.clear()
            closing = self._closed
            gathered, self._gathered = self._gathered, []
            if gathered:
                await self.append(gathered)
                flushed_at = time.monotonic()
            if closing:
                return
            if flushed_at > self._checkpoint_at:
                await self._checkpoint()

    async def append(self, items: Sequence[Item], private: bytes | None = None) -> None:
        """Into the stream, then to the sockets. Outlives a restart of Redis."""
        first = len(self.feed.frames) + 1
        new = [
            frames.encode_turn(self.ref.turn_id, seq, kind, body)
            for seq, (kind, body) in enumerate(frames.coalesce(items), start=first)
        ]
        try:
            await log.writer().append(self.ref, first, new, private)
        except redis.RedisError:
            await self._repair([*self.feed.frames, *new], private)
        self.feed.publish(first, new)

    async def _repair(self, wanted: Sequence[str], private: bytes | None) -> None:
        deadline = time.monotonic() + REDIS_PATIENCE
        pause = 0.05
        while True:
            try:
                await log.repair(self.ref, wanted, private)
                return
            except redis.RedisError:
                if time.monotonic() + pause > deadline:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)

    async def _checkpoint(self) -> None:
        """For the case that this process and Redis are lost together."""
        self._checkpoint_at = time.monotonic() + CHECKPOINT_SECONDS
        try:
            await in_tenant(
                self.ref.scope, services.turn_checkpoint, turn_id=self.ref.turn_id, text=self.text
            )
        except Exception:
            logger.warning("Turn %s has no checkpoint this time", self.ref.turn_id, exc_info=True)
