"""The background prober of a web process: keeps the live state of every provider in use current."""

import asyncio
import logging

from django.db import Error as DatabaseError

from routing import catalog, health, metrics
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
