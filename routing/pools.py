"""The background prober of a web process: keeps the live state of every provider in use current."""

import asyncio
import logging
from typing import Any

from django.db import Error as DatabaseError

from routing import catalog, health, metrics
from routing.offers import POOLS, UNAVAILABLE
from tenants.scope import PUBLIC

PROBE_SECONDS = 10.0

logger = logging.getLogger(__name__)
_tasks: set["asyncio.Task[None]"] = set()


async def start() -> None:
    """Probe at once, then every `PROBE_SECONDS`. The process does not wait for the first round."""
    health.in_background = True
    _tasks.add(asyncio.create_task(_probe_forever(), name="routing.pools"))


async def stop() -> None:
    health.in_background = False
    while _tasks:
        task = _tasks.pop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _probe_forever() -> None:
    while True:
        try:
            await round_of_probes()
        except DatabaseError:
            logger.warning("Providers could not be read; the known ones are probed again soon")
        except Exception:
            logger.exception("A round of probes failed")
        await asyncio.sleep(PROBE_SECONDS)


async def round_of_probes() -> None:
    catalog.forget_idle()
    await catalog.aoffers_for(PUBLIC)
    await health.probe_all()
    metrics.pool_states_set()


def _pool_check(pool: str) -> dict[str, Any] | None:
    found = [
        (endpoint, health.health_of(endpoint))
        for endpoint in health.watched()
        if endpoint.pool == pool and not endpoint.own
    ]
    state = health.best_state(known for _, known in found)
    if state is None or (state == UNAVAILABLE and all(endpoint.assumed for endpoint, _ in found)):
        return None  # nobody connected anything here
    latencies = [known.latency_ms for _, known in found if known.latency_ms is not None]
    return {
        "status": "unhealthy" if state == UNAVAILABLE else "healthy",
        "state": state,
        "latency_ms": round(min(latencies), 1) if latencies else None,
    }


def pools_check() -> dict[str, Any]:
    """The platform's pools for `/health`. With nothing connected the built-in models answer, which is healthy."""
    pools = {pool: check for pool in POOLS if (check := _pool_check(pool)) is not None}
    broken = any(check["status"] == "unhealthy" for check in pools.values())
    latencies = [check["latency_ms"] for check in pools.values() if check["latency_ms"] is not None]
    return {
        "status": "unhealthy" if broken else "healthy",
        "latency_ms": max(latencies, default=0.0),
        "pools": pools,
    }
