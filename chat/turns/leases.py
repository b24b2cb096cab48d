"""Which process writes a turn: a key with its name that must be renewed, and the list of running turns.

The list is platform-wide and sorted by the time the lease runs out, so that any process finds the orphans.
"""

import os
import time
import uuid
from collections.abc import Sequence
from typing import Any

from chat.turns.refs import TurnRef, platform_key
from tenants.redis import redis_async

LEASE_SECONDS = 4.0
RENEW_SECONDS = 1.0
BATCH = 64

ME = f"{os.getpid()}-{uuid.uuid4().hex}"

# Ours or nobody's: keep it. KEYS: lease, ARGV: owner, milliseconds.
_RENEW = """
local holder = redis.call('GET', KEYS[1])
if holder == false or holder == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
return 0
"""
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


def running_key() -> str:
    return platform_key("running")


async def take(ref: TurnRef) -> bool:
    """Become the writer unless somebody else is."""
    pipeline = redis_async().pipeline(transaction=False)
    pipeline.set(ref.lease, ME, nx=True, px=int(LEASE_SECONDS * 1000))
    pipeline.zadd(running_key(), {ref.member: time.time() + LEASE_SECONDS})
    taken, _ = await pipeline.execute()
    return bool(taken)


async def renew(refs: Sequence[TurnRef]) -> list[TurnRef]:
    """Renew all; answers those that another process holds by now."""
    if not refs:
        return []
    pipeline = redis_async().pipeline(transaction=False)
    for ref in refs:
        pipeline.eval(_RENEW, 1, ref.lease, ME, int(LEASE_SECONDS * 1000))
    until = time.time() + LEASE_SECONDS
    pipeline.zadd(running_key(), {ref.member: until for ref in refs})
    results = await pipeline.execute()
    return [ref for ref, kept in zip(refs, results, strict=False) if not kept]


async def is_held(ref: TurnRef) -> bool:
    return bool(await redis_async().exists(ref.lease))


async def release(ref: TurnRef) -> None:
    """Let another process continue at once."""
    pipeline = redis_async().pipeline(transaction=False)
    pipeline.eval(_RELEASE, 1, ref.lease, ME)
    pipeline.zadd(running_key(), {ref.member: 0})
    await pipeline.execute()


async def end(ref: TurnRef) -> None:
    """The turn is over: nobody needs to look after it."""
    pipeline = redis_async().pipeline(transaction=False)
    pipeline.zrem(running_key(), ref.member)
    pipeline.eval(_RELEASE, 1, ref.lease, ME)
    pipeline.delete(ref.stop_flag, ref.outcome)
    await pipeline.execute()


async def orphans() -> list[str]:
    """Members of the list whose lease has run out."""
    due: Any = await redis_async().zrangebyscore(running_key(), 0, time.time(), start=0, num=BATCH)
    return [member.decode() for member in due]


async def forget(member: str) -> None:
    await redis_async().zrem(running_key(), member)
