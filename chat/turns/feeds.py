"""The frames of a turn as this process knows them, shared by all sockets here that look on.

Nothing is queued for a socket: each has a place in the one list and takes the next frames when it can.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from chat.turns.frames import is_last
from chat.turns.refs import TurnRef


class Feed:
    """`frames[i]` is frame `i + 1`. `error`: why no further frame will come although the turn has not ended."""

    def __init__(self, ref: TurnRef) -> None:
        self.ref = ref
        self.frames: list[str] = []
        self.ended = False
        self.error: Exception | None = None
        self.is_produced_here = False
        self.followers = 0
        self.tail: asyncio.Task[None] | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    def publish(self, first: int, frames: Sequence[str]) -> None:
        """Add frames from number `first` on; those already known are left out."""
        new = frames[max(0, len(self.frames) + 1 - first) :]
        if not new:
            return
        self.frames += new
        self.ended = self.ended or is_last(new[-1])
        self.wake()

    def fail(self, error: Exception) -> None:
        self.error = error
        self.wake()

    def wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def changed(self) -> None:
        """Wait until there is something new to look at: frames, the end, an error, another writer."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)


_feeds: dict[UUID, Feed] = {}


def feed_of(ref: TurnRef) -> Feed:
    feed = _feeds.get(ref.turn_id)
    if feed is None:
        feed = _feeds[ref.turn_id] = Feed(ref)
    return feed


def drop_if_idle(feed: Feed) -> None:
    """Forget a feed that nobody here reads or writes."""
    if feed.followers or feed.is_produced_here:
        return
    if feed.tail is not None:
        feed.tail.cancel()
        feed.tail = None
    if _feeds.get(feed.ref.turn_id) is feed:
        del _feeds[feed.ref.turn_id]
