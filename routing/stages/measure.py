"""Counts and times every generation, however it ends."""

import time
from contextlib import aclosing

from routing import metrics
from routing.pipeline import CONTENT, Call, Proceed, Stream


async def measure(call: Call, proceed: Proceed) -> Stream:
    started = time.monotonic()
    waiting = True
    metrics.active_requests.inc()
    try:
        async with aclosing(proceed(call)) as events:
            async for event in events:
                if waiting and isinstance(event, CONTENT):
                    waiting = False
                    metrics.ttft.observe(time.monotonic() - started)
                yield event
    finally:
        metrics.active_requests.dec()
        _record(call, time.monotonic() - started)


def _record(call: Call, seconds: float) -> None:
    receipt = call.receipt
    if receipt is None:
        return
    card, feature = call.offer.card, call.request.feature
    label = metrics.model_label(card)
    metrics.latency.labels(label, feature).observe(seconds)
    metrics.usage_count(card, feature, receipt.usage)
    if receipt.cost_usd:
        metrics.cost.labels(label).inc(float(receipt.cost_usd))
