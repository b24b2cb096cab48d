"""The answers this process writes: begin, continue, stop, and hand over when the process leaves."""

import asyncio
import logging
from typing import Any
from uuid import UUID

from chat.errors import TurnNotFound
from chat.selectors import TurnBrief
from chat.turns import bus, leases, log, naming
from chat.turns.feeds import Feed, drop_if_idle, feed_of
from chat.turns.frames import is_answered
from chat.turns.producer import Producer
from chat.turns.refs import TurnRef
from panal.kit.drain import draining
from panal.kit.errors import PanalError
from tenants.redis import redis_async
from tenants.scope import tenant_scope

STOP_FLAG_SECONDS = 600
RELEASE_SECONDS = 5.0

logger = logging.getLogger(__name__)
_producers: dict[UUID, Producer] = {}
_tasks: dict[UUID, asyncio.Task[None]] = {}


def running_here() -> int:
    return len(_producers)


def refs_here() -> list[TurnRef]:
    return [producer.ref for producer in _producers.values()]


def is_written_here(turn_id: UUID) -> bool:
    return turn_id in _producers


async def begin(ref: TurnRef, brief: TurnBrief) -> None:
    """Start writing a new turn here. Raises `redis.RedisError`."""
    if await leases.take(ref):
        _spawn(ref, feed_of(ref), brief)


async def adopt(ref: TurnRef) -> bool:
    """Continue a turn whose process is gone; False when another process has it or this one is leaving."""
    if draining() or is_written_here(ref.turn_id) or not await leases.take(ref):
        return is_written_here(ref.turn_id)
    feed = feed_of(ref)
    feed.is_produced_here = True  # while its frames are read, nobody may drop it
    try:
        feed.publish(1, await log.read(ref))
    except BaseException:
        feed.is_produced_here = False
        drop_if_idle(feed)
        await leases.release(ref)
        raise
    logger.info("Turn %s is continued here after frame %s", ref.turn_id, len(feed.frames))
    _spawn(ref, feed)
    return True


async def stop(ref: TurnRef) -> None:
    """End an answer early wherever it is written; the flag is for a process that has yet to take it up."""
    producer = _producers.get(ref.turn_id)
    if producer is not None:
        producer.stop()
        return
    await redis_async().set(ref.stop_flag, b"1", ex=STOP_FLAG_SECONDS)
    await bus.send("stop", turn_id=ref.turn_id)
    if not await leases.is_held(ref):
        await adopt(ref)


async def _stop_here(body: dict[str, Any]) -> None:
    producer = _producers.get(UUID(body["turn_id"]))
    if producer is not None:
        producer.stop()


bus.on("stop", _stop_here)


def give_way(ref: TurnRef) -> None:
    """Another process holds the lease: stop writing."""
    task = _tasks.get(ref.turn_id)
    if task is not None:
        task.cancel()


def _spawn(ref: TurnRef, feed: Feed, brief: TurnBrief | None = None) -> None:
    feed.is_produced_here = True
    producer = Producer(ref, feed, running=running_here, brief=brief)
    _producers[ref.turn_id] = producer
    with tenant_scope(ref.scope):  # the task keeps the scope it is created in
        _tasks[ref.turn_id] = asyncio.create_task(_run(producer), name=f"turn {ref.turn_id}")


async def _run(producer: Producer) -> None:
    ref, feed = producer.ref, producer.feed
    try:
        await producer.run()
    except TurnNotFound as error:
        feed.fail(error)
        await leases.end(ref)
    except PanalError as error:
        feed.fail(error)
    except asyncio.CancelledError:
        logger.info("Turn %s is left to another process", ref.turn_id)
    except Exception:
        logger.exception("Turn %s broke", ref.turn_id)
    finally:
        del _producers[ref.turn_id], _tasks[ref.turn_id]
        feed.is_produced_here = False
        await asyncio.shield(_leave(feed))
    if feed.ended and is_answered(feed.frames) and not draining():
        await naming.name_conversation(ref, producer.brief)


async def _leave(feed: Feed) -> None:
    if not feed.ended:
        try:
            await leases.release(feed.ref)
        except Exception:
            logger.warning("The lease of turn %s runs out by itself", feed.ref.turn_id)
    feed.wake()
    drop_if_idle(feed)


async def settle_before(deadline: float) -> None:
    """Wait for the answers being written until `deadline` (of the loop's clock), then hand over the rest."""
    loop = asyncio.get_running_loop()
    while _tasks and loop.time() < deadline:
        await asyncio.wait(_tasks.values(), timeout=max(0.0, deadline - loop.time()))
    for turn_id, task in list(_tasks.items()):
        if not _producers[turn_id].concluding:
            task.cancel()
    if _tasks:
        await asyncio.wait(_tasks.values(), timeout=RELEASE_SECONDS)
