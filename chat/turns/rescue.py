"""Two loops of every web process: renew the leases held here, take up turns whose process is gone."""

import asyncio
import logging
import random

import redis

from chat.turns import bus, leases, runtime
from chat.turns.refs import ref_of_member
from panal.kit.drain import draining
from tenants.scope import in_public

logger = logging.getLogger(__name__)
_tasks: set[asyncio.Task[None]] = set()


async def renew_forever() -> None:
    while True:
        try:
            for ref in await leases.renew(runtime.refs_here()):
                runtime.give_way(ref)
        except redis.RedisError as error:
            logger.warning("Leases wait for Redis: %s", error)
        except Exception:  # the loop must live: without it every answer of this process goes to another
            logger.exception("Renewing leases failed")
        await asyncio.sleep(leases.RENEW_SECONDS)


async def rescue_forever() -> None:
    while not draining():
        try:
            await rescue_once()
        except redis.RedisError as error:
            logger.warning("Looking for orphaned turns waits for Redis: %s", error)
        except Exception:
            logger.exception("Looking for orphaned turns failed")
        await asyncio.sleep(random.uniform(0.7, 1.3))  # noqa: S311


async def rescue_once() -> int:
    """Take up what can be taken up; answers how many turns."""
    found = await leases.orphans()
    results = await asyncio.gather(*(_rescue(member) for member in found))
    return sum(results)


async def _rescue(member: str) -> bool:
    ref = await in_public(ref_of_member, member)
    if ref is None:
        await leases.forget(member)
        return False
    if runtime.is_written_here(ref.turn_id):
        return False
    return await runtime.adopt(ref)


async def start() -> None:
    for loop in (bus.listen(), renew_forever(), rescue_forever()):
        _tasks.add(asyncio.create_task(loop))


async def end() -> None:
    for task in _tasks:
        task.cancel()
    await asyncio.gather(*_tasks, return_exceptions=True)
    _tasks.clear()
