"""The chat sockets of this process: who gets a notice, and how they leave when the process does."""

import asyncio
import random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prometheus_client import Gauge

from chat.turns import bus, rescue, runtime
from chat.turns.frames import encode
from panal.kit import lifecycle
from panal.kit.drain import on_drain
from panal.kit.env import env_int

if TYPE_CHECKING:
    from chat.consumers import ChatConsumer

RESERVED_SECONDS = 6.0  # of the grace period: for handing over what did not end in time
RETRY_MILLISECONDS = (200, 2000)  # spread, so that not everybody comes back at once

connections = Gauge("panal_ws_connections", "Open chat websockets", multiprocess_mode="livesum")
_sockets: "set[ChatConsumer]" = set()


def add(socket: "ChatConsumer") -> None:
    _sockets.add(socket)
    connections.inc()


def remove(socket: "ChatConsumer") -> None:
    if socket in _sockets:
        _sockets.remove(socket)
        connections.dec()


async def _deliver_notice(body: dict[str, Any]) -> None:
    tenant_id, user_id = UUID(body["tenant_id"]), UUID(body["user_id"])
    frame = dict(body["frame"])
    text = encode(frame.pop("type"), **frame)
    for socket in list(_sockets):
        if socket.wants_notices(tenant_id, user_id):
            await socket.deliver(text)


bus.on("notice", _deliver_notice)
lifecycle.on_startup(rescue.start)
lifecycle.on_shutdown(rescue.end)


def draining_frame() -> str:
    return encode("draining", retry_in=random.randint(*RETRY_MILLISECONDS))  # noqa: S311


@on_drain
async def leave() -> None:
    """Announce it, let answers end, hand over the rest, close."""
    deadline = asyncio.get_running_loop().time() + max(
        0.0, env_int("PANAL_GRACE_SECONDS", 20) - RESERVED_SECONDS
    )
    await asyncio.gather(*(socket.announce_leaving() for socket in list(_sockets)), return_exceptions=True)
    await runtime.settle_before(deadline)
    await asyncio.gather(*(socket.leave() for socket in list(_sockets)), return_exceptions=True)
