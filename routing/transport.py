"""The process's HTTP client to providers: one pool of connections for each event loop."""

import asyncio
from weakref import WeakKeyDictionary

import httpx

from routing.deadlines import deadlines

MAX_CONNECTIONS = 1000
KEPT_CONNECTIONS = 200
KEEPALIVE_SECONDS = 60.0

_clients: "WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient]" = WeakKeyDictionary()


def _new_client() -> httpx.AsyncClient:
    # Reading is bounded by the gateway's own deadlines; redirects could lead to inner addresses.
    return httpx.AsyncClient(
        timeout=httpx.Timeout(None, connect=deadlines().connect),
        limits=httpx.Limits(
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=KEPT_CONNECTIONS,
            keepalive_expiry=KEEPALIVE_SECONDS,
        ),
        follow_redirects=False,
        trust_env=False,
        headers={"user-agent": "Panal"},
    )


def client() -> httpx.AsyncClient:
    loop = asyncio.get_running_loop()
    found = _clients.get(loop)
    if found is None:
        found = _clients[loop] = _new_client()
    return found


async def close() -> None:
    found = _clients.pop(asyncio.get_running_loop(), None)
    if found is not None:
        await found.aclose()
