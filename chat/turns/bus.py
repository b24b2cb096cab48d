"""One Redis pub/sub channel between the web processes: who must stop a turn, whom a notice is for.

One connection for each process, where a group of the channel layer would cost each socket a blocking read.
Nothing depends on a message arriving: a stop is also kept as a flag, a notice is repeated by the next page load.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import redis

from chat.turns.refs import platform_key
from tenants.redis import redis_async

Handler = Callable[[dict[str, Any]], Awaitable[None]]
RETRY_SECONDS = 0.5
POLL_SECONDS = 15.0  # below the client's socket timeout

logger = logging.getLogger(__name__)
_handlers: dict[str, Handler] = {}
_started: set[asyncio.Task[None]] = set()


def on(kind: str, handler: Handler) -> None:
    _handlers[kind] = handler


async def send(kind: str, **body: Any) -> None:
    """Tell every process, this one included."""
    await redis_async().publish(platform_key("bus"), orjson.dumps({"kind": kind, **body}))


async def listen() -> None:
    """Runs for as long as the process; a lost connection is opened again."""
    while True:
        try:
            await _listen_once()
        except (redis.RedisError, OSError) as error:
            logger.warning("The bus lost Redis: %s", error)
        except Exception:  # one bad message must not end the listening
            logger.exception("The bus failed")
        await asyncio.sleep(RETRY_SECONDS)


async def _listen_once() -> None:
    async with redis_async().pubsub() as channel:
        await channel.subscribe(platform_key("bus"))
        while True:
            message = await channel.get_message(ignore_subscribe_messages=True, timeout=POLL_SECONDS)
            if message is not None:
                _dispatch(message["data"])


def _dispatch(data: bytes) -> None:
    body = orjson.loads(data)
    handler = _handlers.get(body.get("kind"))
    if handler is None:
        return
    task = asyncio.create_task(_guarded(handler, body))
    _started.add(task)
    task.add_done_callback(_started.discard)


async def _guarded(handler: Handler, body: dict[str, Any]) -> None:
    try:
        await handler(body)
    except Exception:
        logger.exception("A handler of the bus failed")
