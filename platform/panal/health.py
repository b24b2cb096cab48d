"""Liveness, readiness, health and metrics: answered before Django, on any host, without a tenant."""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from panal.kit.drain import draining
from routing.pools import pools_check
from tenants.middleware import bearer_of
from tenants.redis import redis_async
from tenants.scope import in_public
from tenants.sockets import header

Check = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
CHECK_SECONDS = 3.0
WORKER_SEEN_KEY = "panal:worker:seen"
WORKER_SILENT_SECONDS = 60.0


async def _timed(probe: Awaitable[None]) -> Check:
    """`{status, latency_ms}`; a probe that raises or takes over three seconds is unhealthy."""
    started = time.perf_counter()
    try:
        await asyncio.wait_for(probe, CHECK_SECONDS)
        status = "healthy"
    except Exception:  # any failure of a dependency is the answer, never an error of this page
        status = "unhealthy"
    return {"status": status, "latency_ms": round((time.perf_counter() - started) * 1000, 1)}


def _select_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


async def _redis_ping() -> None:
    await redis_async().ping()


async def _worker_seen() -> None:
    seen = await redis_async().get(WORKER_SEEN_KEY)
    if seen is None or time.time() - float(seen) > WORKER_SILENT_SECONDS:
        raise LookupError("no worker reported lately")


async def vital_checks() -> dict[str, Check]:
    database, redis = await asyncio.gather(_timed(in_public(_select_one)), _timed(_redis_ping()))
    return {"database": database, "redis": redis}


async def health_report() -> dict[str, Any]:
    """The body of `/health`: unhealthy without database or Redis, degraded without a worker or a pool."""
    checks = await vital_checks()
    checks["worker"] = await _timed(_worker_seen())
    checks["pools"] = pools_check()
    vital_broken = any(checks[name]["status"] != "healthy" for name in ("database", "redis"))
    any_broken = any(check["status"] != "healthy" for check in checks.values())
    status = "unhealthy" if vital_broken else "degraded" if any_broken else "healthy"
    return {
        "status": status,
        "checks": checks,
        "version": settings.VERSION,
        "timestamp": datetime.now(UTC).isoformat(),
    }


async def _respond(send: Send, status: int, body: bytes, content_type: bytes = b"application/json") -> None:
    headers = [(b"content-type", content_type), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _livez(scope: dict[str, Any], send: Send) -> None:
    await _respond(send, 200, b'{"status":"ok"}')


async def _readyz(scope: dict[str, Any], send: Send) -> None:
    if draining():
        await _respond(send, 503, b'{"status":"draining"}')
        return
    checks = await vital_checks()
    ready = all(check["status"] == "healthy" for check in checks.values())
    await _respond(
        send,
        200 if ready else 503,
        orjson.dumps({"status": "ok" if ready else "not ready", "checks": checks}),
    )


async def _health(scope: dict[str, Any], send: Send) -> None:
    report = await health_report()
    await _respond(send, 503 if report["status"] == "unhealthy" else 200, orjson.dumps(report))


def _may_scrape(scope: dict[str, Any]) -> bool:
    """Open on one machine; anywhere else the scraper sends `METRICS_TOKEN`."""
    if settings.DEBUG or settings.PANAL_BASE_DOMAIN == "localhost":
        return True
    given = bearer_of(header(scope, b"authorization")) or ""
    token = settings.METRICS_TOKEN
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


async def _metrics(scope: dict[str, Any], send: Send) -> None:
    if not _may_scrape(scope):
        await _respond(send, 404, b'{"status":"not found"}')
        return
    await _respond(send, 200, generate_latest(), CONTENT_TYPE_LATEST.encode())


ROUTES = {"/livez": _livez, "/readyz": _readyz, "/health": _health, "/metrics": _metrics}
