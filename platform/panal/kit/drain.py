"""Leaving without cutting anybody off: what must happen between SIGTERM and the closing of the sockets."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

Hook = Callable[[], Awaitable[None]]

_callbacks: list[Hook] = []
_draining = False


def on_drain(callback: Hook) -> Hook:
    """Have `callback` awaited when the process begins to leave. Callbacks run at the same time."""
    _callbacks.append(callback)
    return callback


def draining() -> bool:
    """True from the first sign of leaving; readiness answers 503 from then on."""
    return _draining


async def begin() -> None:
    """Announce that the process leaves. A failing callback does not keep the others from running."""
    global _draining
    if _draining:
        return
    _draining = True
    for result in await asyncio.gather(*(callback() for callback in _callbacks), return_exceptions=True):
        if isinstance(result, BaseException):
            logger.error("A drain callback failed", exc_info=result)
