"""Looking on: the frames of a turn from any number on, whichever process writes them."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable

import redis

from chat import selectors
from chat.errors import TurnNotFound
from chat.models import Turn
from chat.turns import leases, log, runtime
from chat.turns.feeds import Feed, drop_if_idle, feed_of
from chat.turns.outcomes import stored_frames
from chat.turns.refs import TurnRef
from tenants.scope import in_tenant

WAIT_MILLISECONDS = 1000
RETRY_SECONDS = 0.25

logger = logging.getLogger(__name__)


async def follow(ref: TurnRef, after: int, send: Callable[[str], Awaitable[None]]) -> None:
    """Send the frames after number `after` until the turn ends. Raises `TurnNotFound`."""
    feed = feed_of(ref)
    feed.followers += 1
    try:
        async for frame in _frames(feed, after):
            await send(frame)
    finally:
        feed.followers -= 1
        drop_if_idle(feed)


async def _frames(feed: Feed, after: int) -> AsyncGenerator[str, None]:
    while True:
        for frame in feed.frames[after:]:
            yield frame
            after += 1
        if len(feed.frames) > after:
            continue
        if feed.ended:
            return
        if feed.error is not None:
            raise feed.error
        _ensure_tail(feed)
        await feed.changed()


def _ensure_tail(feed: Feed) -> None:
    if feed.is_produced_here or feed.ended or (feed.tail is not None and not feed.tail.done()):
        return
    feed.tail = asyncio.create_task(_tail(feed), name=f"tail {feed.ref.turn_id}")


async def _tail(feed: Feed) -> None:
    while not (feed.ended or feed.is_produced_here or feed.error):
        try:
            await _advance(feed)
        except redis.RedisError as error:
            logger.warning("Following turn %s waits for Redis: %s", feed.ref.turn_id, error)
            await asyncio.sleep(RETRY_SECONDS)
        except TurnNotFound as error:
            feed.fail(error)
        except Exception:
            logger.exception("Following turn %s failed", feed.ref.turn_id)
            await asyncio.sleep(RETRY_SECONDS * 4)


async def _advance(feed: Feed) -> None:
    known = len(feed.frames)
    new = await log.read(feed.ref, after=known)
    if not new and await leases.is_held(feed.ref):
        new = await log.wait(feed.ref, after=known, milliseconds=WAIT_MILLISECONDS)
    elif not new:
        await _recover(feed)
    feed.publish(known + 1, new)


async def _recover(feed: Feed) -> None:
    """Nobody writes this turn: it has ended and its stream expired, or its process is gone."""
    brief = await in_tenant(feed.ref.scope, selectors.turn_brief, feed.ref.turn_id)
    if brief.status != Turn.Status.RUNNING:
        feed.publish(1, stored_frames(brief))
    elif not await runtime.adopt(feed.ref):
        await asyncio.sleep(RETRY_SECONDS)
