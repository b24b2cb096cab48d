"""The one task that writes an answer: from question to stored text, however many sockets come and go.

Every frame is in the Redis stream before any socket sees it. The task belongs to the process, not to a socket.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import redis

from chat import prompt, selectors, services
from chat.models import Message, Turn
from chat.selectors import TurnBrief
from chat.services import Outcome
from chat.turns import frames, handover, leases, log
from chat.turns.feeds import Feed
from chat.turns.log import TakenOver
from chat.turns.refs import TurnRef
from panal.kit.errors import PanalError
from routing import catalog, gateway
from routing.errors import UpstreamBroken
from routing.gateway import Generation
from routing.policy import plan
from routing.vocabulary import Delta, Finished, Request, Routed, Source
from tenants.redis import redis_async
from tenants.scope import in_tenant

P = ParamSpec("P")
R = TypeVar("R")
Item = str | tuple[str, dict[str, Any]]

REDIS_PATIENCE = 15.0  # seconds without Redis after which an answer is given up as interrupted
DATABASE_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0)  # seconds between attempts to store an answer
CHECKPOINT_SECONDS = 10.0
DEFAULT_CONTEXT = 8192
MAX_ATTEMPTS = 20  # processes that may try to write one answer

logger = logging.getLogger(__name__)


def flush_seconds(running: int) -> float:
    """How long deltas gather: 20 ms, and up to 50 ms when a process writes many answers at once."""
    return min(0.05, 0.02 + running * 0.0003)


class Lost(Exception):
    """Redis or the database stayed away for longer than an answer can wait."""


class Producer:
    """Writes one turn. `stop` ends it with the text so far; cancelling the task leaves it to another process."""

    def __init__(self, ref: TurnRef, feed: Feed, *, running: Callable[[], int]) -> None:
        self.ref = ref
        self.feed = feed
        self.brief: TurnBrief | None = None
        self.concluding = False
        self._running = running
        self._outbox: list[Item] = []
        self._dirty = asyncio.Event()
        self._stop = asyncio.Event()
        self._closed = False
        self._finish = ""
        self._routed: Routed | None = None
        self._checkpoint_at = time.monotonic() + CHECKPOINT_SECONDS

    def stop(self) -> None:
        self._stop.set()

    # -- the life of a turn

    async def run(self) -> None:
        """Write the turn to its end. Quietly gives way to another process that has taken it over."""
        try:
            self.brief = brief = await self._patiently(services.turn_claim, turn_id=self.ref.turn_id)
            if brief.status == Turn.Status.RUNNING:
                await self._write_answer(brief)
            else:
                await self._write_stored(brief)
        except TakenOver:
            logger.info("Turn %s is written by another process", self.ref.turn_id)
        except (Lost, redis.RedisError) as error:
            logger.warning("Turn %s could not be finished here: %s", self.ref.turn_id, error)

    async def _write_answer(self, brief: TurnBrief) -> None:
        if not self.feed.frames:
            await self._append([("accepted", accepted_body(brief))])
        outcome = await self._known_outcome()
        if outcome is None and brief.attempt > MAX_ATTEMPTS:
            outcome = self._interrupted("too_many_attempts")
        if outcome is None:
            try:
                outcome = await self._answer(brief)
            except redis.RedisError:
                outcome = self._interrupted("redis_unavailable")
        await self._conclude(brief, outcome)

    async def _write_stored(self, brief: TurnBrief) -> None:
        """The answer is in the database already: only its last frames are missing."""
        stored = stored_frames(brief)
        if self.feed.frames and not self.feed.ended:
            await log.repair(self.ref, stored)
        self.feed.publish(1, stored)
        await log.expire(self.ref)
        await leases.end(self.ref)

    # -- from question to text

    async def _answer(self, brief: TurnBrief) -> Outcome:
        prefix = frames.text_of(self.feed.frames)
        if prefix or len(self.feed.frames) > 1:
            await self._append([("status", {"stage": "failover"})])
        if self._stop.is_set() or await redis_async().exists(self.ref.stop_flag):
            return self._without_receipt(Message.Status.STOPPED, "stopped")
        try:
            sources = await self._sources(brief)
            request = await self._request(brief, sources, prefix)
        except PanalError as error:
            return self._failed(error)
        generation = gateway.start(request)
        try:
            return await self._stream(generation)
        finally:
            await generation.aclose()

    async def _sources(self, brief: TurnBrief) -> tuple[Source, ...]:
        """Search, or what the process before this one had found: the numbers in the text must stay true."""
        if frames.sources_of(self.feed.frames):
            return handover.sources_from(await log.private_of(self.ref))
        if brief.knowledge_base_ids == []:
            return ()
        await self._append([("status", {"stage": "searching"})])
        sources = await in_tenant(
            self.ref.scope,
            selectors.sources_for,
            actor=brief.actor,
            query=brief.history[-1].text,
            knowledge_base_ids=brief.knowledge_base_ids,
        )
        if sources:
            listed = [handover.listed(source) for source in sources]
            await self._append([("sources", {"sources": listed})], private=handover.sources_kept(sources))
        return sources

    async def _request(self, brief: TurnBrief, sources: tuple[Source, ...], prefix: str) -> Request:
        context = await context_of(brief.model, self.ref)
        return Request(
            id=self.ref.turn_id,
            scope=self.ref.scope,
            actor=brief.actor,
            feature="chat",
            model=brief.model,
            messages=prompt.build(brief.history, sources, context=context, prefix=prefix),
            prefix=prefix,
            sources=sources,
            conversation_id=brief.conversation_id,
        )

    async def _stream(self, generation: Generation) -> Outcome:
        reader = asyncio.create_task(self._read(generation))
        writer = asyncio.create_task(self._write())
        stopper = asyncio.create_task(self._stop.wait())
        tasks = {reader, writer, stopper}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            stopped = stopper.done() and not reader.done()
            if not reader.done():
                reader.cancel()
                await asyncio.wait({reader})
            await generation.aclose()
            self._closed = True
            self._dirty.set()
            await writer  # raises what kept it from writing
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        return self._outcome_of(generation, None if reader.cancelled() else reader.exception(), stopped)

    async def _read(self, generation: Generation) -> None:
        async for event in generation:
            if isinstance(event, Delta):
                text = event.text.replace("\x00", "")  # PostgreSQL cannot store it
                if text:
                    self._put(text)
            elif isinstance(event, Routed):
                self._routed = event
                self._put(("status", {"stage": "generating", "detail": event.model}))
            elif isinstance(event, Finished):
                self._finish = event.finish

    def _put(self, item: Item) -> None:
        self._outbox.append(item)
        self._dirty.set()

    async def _write(self) -> None:
        """Flush what gathered; nothing runs for a single token."""
        flushed_at = 0.0
        while True:
            await self._dirty.wait()
            pause = flushed_at + flush_seconds(self._running()) - time.monotonic()
            if pause > 0 and not self._closed:
                await asyncio.sleep(pause)
            self._dirty.clear()
            closing = self._closed
            items, self._outbox = self._outbox, []
            if items:
                await self._append(items)
                flushed_at = time.monotonic()
            if closing:
                return
            if flushed_at > self._checkpoint_at:
                await self._checkpoint()

    async def _checkpoint(self) -> None:
        self._checkpoint_at = time.monotonic() + CHECKPOINT_SECONDS
        text = frames.text_of(self.feed.frames)
        try:
            await in_tenant(self.ref.scope, services.turn_checkpoint, turn_id=self.ref.turn_id, text=text)
        except Exception:
            logger.warning("Turn %s has no checkpoint this time", self.ref.turn_id, exc_info=True)

    # -- frames out

    async def _append(self, items: Sequence[Item], private: bytes | None = None) -> None:
        """Into the stream, then to the sockets. Outlives a restart of Redis; raises `TakenOver`."""
        first = len(self.feed.frames) + 1
        new = [
            frames.encode_turn(self.ref.turn_id, seq, kind, body)
            for seq, (kind, body) in enumerate(frames.coalesce(items), start=first)
        ]
        try:
            await log.writer().append(self.ref, first, new, private)
        except redis.RedisError:
            await self._repair([*self.feed.frames, *new], private)
        self.feed.publish(first, new)

    async def _repair(self, wanted: Sequence[str], private: bytes | None) -> None:
        deadline = time.monotonic() + REDIS_PATIENCE
        pause = 0.05
        while True:
            try:
                await log.repair(self.ref, wanted, private)
                return
            except redis.RedisError:
                if time.monotonic() + pause > deadline:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, 1.0)

    # -- the end

    def _outcome_of(self, generation: Generation, error: BaseException | None, stopped: bool) -> Outcome:
        text = frames.text_of(self.feed.frames)
        if isinstance(error, PanalError):
            if not text and not isinstance(error, UpstreamBroken):
                return self._failed(error)
            return self._with_receipt(generation, Message.Status.INTERRUPTED, "interrupted", error)
        if error is not None:
            logger.error("Turn %s failed", self.ref.turn_id, exc_info=error)
            return self._with_receipt(generation, Message.Status.INTERRUPTED, "interrupted", UpstreamBroken())
        if stopped or not self._finish:
            return self._with_receipt(generation, Message.Status.STOPPED, "stopped")
        finish = "length" if self._finish == "length" else "stop"
        return self._with_receipt(generation, Message.Status.COMPLETE, finish)

    def _with_receipt(
        self, generation: Generation, status: str, finish: str, error: PanalError | None = None
    ) -> Outcome:
        receipt = generation.receipt
        if receipt is None:
            return self._without_receipt(status, finish, error)
        return Outcome(
            text=frames.text_of(self.feed.frames),
            status=status,
            finish=finish,
            error_code=error.code if error else "",
            error_detail=error.detail if error else "",
            model=receipt.model,
            pool=receipt.pool,
            tier=receipt.tier,
            usage=handover.usage_body(receipt.usage),
            cost_usd=receipt.cost_usd,
        )

    def _without_receipt(self, status: str, finish: str, error: PanalError | None = None) -> Outcome:
        routed = self._routed
        return Outcome(
            text=frames.text_of(self.feed.frames),
            status=status,
            finish=finish,
            error_code=error.code if error else "",
            error_detail=error.detail if error else "",
            model=routed.model if routed else "",
            pool=routed.pool if routed else "",
            tier=routed.tier if routed else "",
        )

    def _interrupted(self, code: str) -> Outcome:
        outcome = self._without_receipt(Message.Status.INTERRUPTED, "interrupted")
        return handover.replaced(outcome, error_code=code)

    def _failed(self, error: PanalError) -> Outcome:
        """Nothing was answered. With text from another process the answer is interrupted instead."""
        if frames.text_of(self.feed.frames):
            return self._without_receipt(Message.Status.INTERRUPTED, "interrupted", error)
        return Outcome(
            text="",
            status=Message.Status.FAILED,
            error_code=error.code,
            error_detail=error.detail,
            retry_after=error.retry_after,
        )

    async def _known_outcome(self) -> Outcome | None:
        """The process before this one had the whole answer and died before it was stored."""
        return handover.outcome_from(await redis_async().get(self.ref.outcome))

    async def _conclude(self, brief: TurnBrief, outcome: Outcome) -> None:
        """Store, then say so: whoever sees `done` finds the answer in the database."""
        self.concluding = True
        last = frames.encode_turn(self.ref.turn_id, len(self.feed.frames) + 1, *last_frame(brief, outcome))
        complete = [*self.feed.frames, last]
        await self._hand_over(outcome)
        stored = await self._patiently(
            services.turn_finish,
            turn_id=self.ref.turn_id,
            attempt=brief.attempt,
            outcome=outcome,
            sources=frames.sources_of(self.feed.frames),
            outline=frames.outline_of(complete),
        )
        if not stored:
            raise TakenOver
        try:
            await self._repair_quickly(complete)
            await log.expire(self.ref)
            await leases.end(self.ref)
        except redis.RedisError:
            logger.warning("Turn %s ended while Redis was away", self.ref.turn_id)
        self.feed.publish(len(complete), [last])

    async def _repair_quickly(self, complete: list[str]) -> None:
        try:
            await log.writer().append(self.ref, len(complete), complete[-1:], None)
        except redis.RedisError:
            await log.repair(self.ref, complete)

    async def _hand_over(self, outcome: Outcome) -> None:
        try:
            kept = handover.outcome_kept(outcome)
            await redis_async().set(self.ref.outcome, kept, ex=log.ENDED_SECONDS)
        except redis.RedisError:
            logger.warning("Turn %s goes to the database without a copy in Redis", self.ref.turn_id)

    async def _patiently(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Database work that outlives a restart of PostgreSQL. Raises `Lost`."""
        for pause in (*DATABASE_PAUSES, None):
            try:
                return await in_tenant(self.ref.scope, work, *args, **kwargs)
            except PanalError:
                raise
            except Exception as error:
                if pause is None:
                    raise Lost from error
                logger.warning("Turn %s waits for the database: %s", self.ref.turn_id, error)
                await asyncio.sleep(pause)
        raise Lost


def accepted_body(brief: TurnBrief) -> dict[str, Any]:
    return {
        "request_id": brief.request_id,
        "conversation_id": brief.conversation_id,
        "message_id": brief.answer_id,
        "user_message_id": brief.question_id,
    }


def last_frame(brief: TurnBrief, outcome: Outcome) -> tuple[str, dict[str, Any]]:
    """`error` when nothing was answered, else `done`; each turn ends with exactly one of them."""
    if outcome.status == Message.Status.FAILED:
        body = {"code": outcome.error_code, "detail": outcome.error_detail, "message_id": brief.answer_id}
        return "error", body | ({"retry_after": outcome.retry_after} if outcome.retry_after else {})
    body = {
        "message_id": brief.answer_id,
        "finish": outcome.finish,
        "usage": dict(outcome.usage),
        "model": outcome.model,
        "pool": outcome.pool,
        "tier": outcome.tier,
        "cost_usd": format(outcome.cost_usd, "f"),
    }
    if outcome.error_code:
        body["error"] = {"code": outcome.error_code, "detail": outcome.error_detail}
    return "done", body


def stored_frames(brief: TurnBrief) -> list[str]:
    """The frames of an ended turn, from the database."""
    if brief.outline is not None:
        return frames.rebuild(brief.turn_id, brief.outline, brief.answer_text)
    last = {"message_id": brief.answer_id, "finish": brief.answer_finish, **brief.done}
    parts: list[Item] = [("accepted", accepted_body(brief))]
    parts += [("sources", {"sources": brief.sources})] if brief.sources else []
    parts += [brief.answer_text] if brief.answer_text else []
    parts += [("done", last)]
    return [
        frames.encode_turn(brief.turn_id, seq, kind, body)
        for seq, (kind, body) in enumerate(frames.coalesce(parts), start=1)
    ]


async def context_of(model: str, ref: TurnRef) -> int:
    """The context window, in tokens, of the model that will be asked first. Raises what routing raises."""
    offers = await catalog.aoffers_for(ref.scope)
    return plan(model, offers, prompt_tokens=0).offers[0].card.context or DEFAULT_CONTEXT
