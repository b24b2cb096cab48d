"""One ledger row for every provider call: opened before the call, settled once after it, however it ends."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from billing.services import LEASE, call_open, call_settle
from billing.vocabulary import CallFacts, CallOutcome, CallStatus, Usage, cost_usd
from panal.kit.errors import PanalError
from routing.deadlines import deadlines
from routing.errors import LedgerUnavailable, UpstreamBroken
from routing.pipeline import CONTENT, Call, Proceed, Stream
from routing.tokens import estimate_tokens, prompt_tokens
from routing.vocabulary import Finished, ToolCall
from tenants.scope import in_tenant

T = TypeVar("T")
SETTLE_RETRIES = (0.1, 0.5, 2.0)  # seconds; after them the sweeper settles the call as lost

logger = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Await `work` to its end even when this task is cancelled meanwhile; then let the cancellation pass."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
        except Exception:
            break  # `result` below raises it
    if cancelled is not None and task.exception() is None:
        raise cancelled
    return task.result()


def facts_of(call: Call) -> CallFacts:
    request, card = call.request, call.offer.card
    return CallFacts(
        event_id=call.event_id,
        request_id=request.id,
        feature=request.feature,
        user_id=request.actor.user_id,
        token_id=request.actor.token_id,
        conversation_id=request.conversation_id,
        provider=card.provider,
        model=card.name,
        pool=card.pool,
        tier=card.tier,
        prices=card.prices,
        started_at=_now(),
    )


class Meter:
    """What one provider call produced so far."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.usage: Usage | None = None
        self.finished: Finished | None = None
        self.error: PanalError | None = None
        self.opened = False
        self.failed = False
        self._written: list[str] = []

    def note(self, event: object) -> None:
        if self.call.first_token_at is None:
            self.call.first_token_at = _now()
        self._written.append(event.arguments if isinstance(event, ToolCall) else event.text)  # type: ignore[attr-defined]

    @property
    def status(self) -> CallStatus:
        if self.failed:
            return CallStatus.INTERRUPTED if self.call.first_token_at else CallStatus.ERROR
        return CallStatus.OK if self.finished else CallStatus.STOPPED

    @property
    def finish(self) -> str:
        if self.failed:
            return "interrupted"
        return self.finished.finish if self.finished else "stopped"

    def final_usage(self) -> Usage:
        """The provider's own count, else an estimate; a call that gave nothing costs nothing."""
        if self.usage is not None:
            return self.usage
        if self.status is CallStatus.ERROR:
            return Usage()
        request = self.call.request
        return Usage(
            input_tokens=prompt_tokens(request.messages, request.prefix),
            output_tokens=estimate_tokens("".join(self._written)),
        )

    def outcome(self) -> CallOutcome:
        code = self.error.code if self.error else ("internal" if self.failed else "")
        return CallOutcome(
            status=self.status,
            usage=self.final_usage(),
            first_token_at=self.call.first_token_at,
            ended_at=_now(),
            error_code=code,
        )


async def _open(meter: Meter) -> None:
    call = meter.call
    try:
        lease = max(LEASE, 2 * timedelta(seconds=deadlines().total))
        await in_tenant(call.request.scope, call_open, facts=facts_of(call), lease=lease)
        meter.opened = True
    except Exception as error:
        logger.exception("The ledger could not open call %s", call.event_id)
        raise LedgerUnavailable from error


async def _settle(call: Call, outcome: CallOutcome) -> Decimal:
    for pause in (*SETTLE_RETRIES, None):
        try:
            return await in_tenant(call.request.scope, call_settle, event_id=call.event_id, outcome=outcome)
        except Exception:
            if pause is None:
                logger.exception("Call %s stays open for the sweeper", call.event_id)
                break
            await asyncio.sleep(pause)
    return cost_usd(outcome.usage, call.offer.card.prices)


async def _close(meter: Meter) -> None:
    outcome = meter.outcome()
    cost = await _settle(meter.call, outcome)
    meter.call.close(meter.finish, outcome.usage, cost)


async def ledger(call: Call, proceed: Proceed) -> Stream:
    """`Finished` is passed on after the row is written, so that whoever sees it can read the receipt."""
    meter = Meter(call)
    try:
        await uninterrupted(_open(meter))
        async with aclosing(proceed(call)) as events:
            async for event in events:
                if isinstance(event, CONTENT):
                    meter.note(event)
                    yield event
                elif isinstance(event, Usage):
                    meter.usage = event
                elif isinstance(event, Finished):
                    meter.finished = event
    except PanalError as error:
        meter.failed = True
        meter.error = error if call.first_token_at is None else UpstreamBroken()
        if meter.error is error:
            raise
        raise meter.error from error
    except Exception:
        meter.failed = True
        raise
    finally:
        if meter.opened:
            await uninterrupted(_close(meter))
    if meter.finished is not None:
        yield meter.finished
