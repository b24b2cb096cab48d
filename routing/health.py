"""Whether each provider answers, and what it has: probes and what they found, in this process's memory."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import httpx
import orjson

from panal.kit.errors import PanalError
from routing import transport
from routing.offers import COLD, UNAVAILABLE, WARM, Endpoint, Health
from routing.wire import WIRES, Listed
from routing.wire.ollama import shown

PROBE_TIMEOUT = 3.0  # seconds
LIST_LIMIT = 4 << 20  # bytes of a model list
PARALLEL_PROBES = 16
STALE_SECONDS = 30.0

in_background = False  # set by `routing.pools` while its prober runs

_unknown = Health()
_found: dict[Endpoint, Health] = {}
_watched: dict[str, tuple[Endpoint, ...]] = {}
_rounds: "WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[None]]" = WeakKeyDictionary()
_details: dict[tuple[str, str], Listed] = {}
_generation = 0


def generation() -> int:
    """Rises whenever what is known changes."""
    return _generation


def health_of(endpoint: Endpoint) -> Health:
    return _found.get(endpoint, _unknown)


def watch(schema: str, endpoints: Iterable[Endpoint]) -> None:
    """Probe these from now on, and none that `schema` had before and has no more."""
    global _generation
    _watched[schema] = tuple(endpoints)
    kept = set(watched())
    for endpoint in [known for known in _found if known not in kept]:
        del _found[endpoint]
    _generation += 1


def forget_all() -> None:
    global _generation
    _watched.clear()
    _found.clear()
    _details.clear()
    _generation += 1


def unwatch(schema: str) -> None:
    watch(schema, ())
    _watched.pop(schema, None)


def watched() -> list[Endpoint]:
    return [endpoint for endpoints in _watched.values() for endpoint in endpoints]


def needs_probe(endpoints: Iterable[Endpoint]) -> bool:
    """Whether a question must wait for probes: only for lists of models that nobody has read (lately).

    A web process reads them in the background; others (workers, commands) read them when they need them.
    """
    oldest = 0.0 if in_background else time.monotonic() - STALE_SECONDS
    return any(endpoint.discovers and health_of(endpoint).at <= oldest for endpoint in endpoints)


async def probe_all() -> None:
    """Probe everything watched; callers that come while a round runs wait for that one."""
    loop = asyncio.get_running_loop()
    running = _rounds.get(loop)
    if running is None or running.done():
        running = _rounds[loop] = asyncio.create_task(_round(), name="routing.probes")
    await asyncio.shield(running)


async def _round() -> None:
    gate = asyncio.Semaphore(PARALLEL_PROBES)

    async def guarded(endpoint: Endpoint) -> None:
        async with gate:
            await probe(endpoint)

    await asyncio.gather(*(guarded(endpoint) for endpoint in watched()))


async def probe(endpoint: Endpoint) -> Health:
    """Ask one provider for its models and keep what it said."""
    global _generation
    started = time.monotonic()
    try:
        async with asyncio.timeout(PROBE_TIMEOUT):
            listed = await _list(endpoint)
        latency = (time.monotonic() - started) * 1000
        listed = await _detailed(endpoint, listed)
        health = Health(WARM, f"answered in {latency:.0f} ms", latency, listed)
    except (TimeoutError, httpx.TimeoutException):
        health = Health(UNAVAILABLE, f"no answer within {PROBE_TIMEOUT:.0f} s")
    except (httpx.HTTPError, httpx.InvalidURL):
        health = Health(UNAVAILABLE, f"nothing answers at {_place(endpoint)}")
    except PanalError as error:
        health = Health(UNAVAILABLE, error.detail)
    health = replace(health, at=time.monotonic())
    before = _found.get(endpoint)
    if endpoint in watched():
        _found[endpoint] = health
    if before is None or (before.state, before.listed) != (health.state, health.listed):
        _generation += 1
    return health


def _place(endpoint: Endpoint) -> str:
    """The address without user, path or query, for people."""
    parts = urlsplit(endpoint.base_url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


async def _read(endpoint: Endpoint, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    headers = {"content-type": "application/json", **WIRES[endpoint.wire].auth(endpoint.key)}
    address = endpoint.base_url + path
    async with transport.client().stream(method, address, headers=headers, content=body) as answer:
        data = b""
        async for piece in answer.aiter_bytes():
            data += piece
            if len(data) > LIST_LIMIT:
                break
        return answer.status_code, data


async def _list(endpoint: Endpoint) -> tuple[Listed, ...]:
    wire = WIRES[endpoint.wire]
    status, body = await _read(endpoint, "GET", wire.list_path)
    if status >= 300:
        raise wire.failure(status, None, body)
    return tuple(wire.listed(body))


async def _detailed(endpoint: Endpoint, listed: tuple[Listed, ...]) -> tuple[Listed, ...]:
    """Context and kind, which Ollama tells model by model. What it does not tell in time is asked next round."""
    if endpoint.wire != "ollama":
        return listed
    missing = [model for model in listed if (endpoint.base_url, model.name) not in _details]
    try:
        async with asyncio.timeout(PROBE_TIMEOUT):
            for model in missing:
                await _ask_detail(endpoint, model)
    except (TimeoutError, httpx.HTTPError):
        pass
    return tuple(_details.get((endpoint.base_url, model.name), model) for model in listed)


async def _ask_detail(endpoint: Endpoint, listed: Listed) -> None:
    status, answer = await _read(endpoint, "POST", "/api/show", orjson.dumps({"model": listed.name}))
    if status == 200:
        _details[endpoint.base_url, listed.name] = shown(listed.name, answer)


def best_state(found: Iterable[Health]) -> str | None:
    states = {health.state for health in found}
    return next((state for state in (WARM, COLD, UNAVAILABLE) if state in states), None)


def state_of_pool(pool: str) -> str | None:
    """The best state of the platform's endpoints of a pool; None where it has none."""
    return best_state(
        health_of(endpoint) for endpoint in watched() if endpoint.pool == pool and not endpoint.own
    )
