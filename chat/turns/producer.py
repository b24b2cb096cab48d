"""The one task that writes an answer: from question to stored text, however many sockets come and go.

Every frame is in the Redis stream before any socket sees it. The task belongs to the process, not to a socket.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import redis

from chat import prompt, selectors, services
from chat.errors import ServiceLost
from chat.models import Turn
from chat.selectors import TurnBrief
from chat.services import Outcome
from chat.turns import frames, handover, leases, log, outcomes
from chat.turns.feeds import Feed
from chat.turns.log import TakenOver
from chat.turns.refs import TurnRef
from chat.turns.writer import FrameWriter
from panal.kit.errors import PanalError
from routing import gateway
from routing.errors import UpstreamBroken
from routing.gateway import Generation
from routing.selectors import aplan_for
from routing.vocabulary import Delta, Finished, Request, Routed, Source
from tenants.redis import redis_async
from tenants.scope import in_tenant

P = ParamSpec("P")
R = TypeVar("R")

DATABASE_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0)  # seconds between attempts to store an answer
DEFAULT_CONTEXT = 8192  # tokens
MAX_ATTEMPTS = 20  # processes that may try to write one answer

logger = logging.getLogger(__name__)


class Lost(Exception):
    """The database stayed away for longer than an answer can wait."""


class Producer:
    """Writes one turn. `stop` ends it with the text so far; cancelling the task leaves it to another process."""

    def __init__(
        self, ref: TurnRef, feed: Feed, *, running: Callable[[], int], brief: TurnBrief | None = None
    ) -> None:
        self.ref = ref
        self.feed = feed
        self.writer = FrameWriter(ref, feed, running=running)
        self.brief = brief
        self.concluding = False
        self._stop = asyncio.Event()
        self._routed: Routed | None = None
        self._finish = ""

    def stop(self) -> None:
        self._stop.set()

    # -- the life of a turn

    async def run(self) -> None:
        """Write the turn to its end. Quietly gives way to another process that has taken it over."""
        try:
            brief = self.brief
            if brief is None:
                brief = self.brief = await self._patiently(services.turn_claim, turn_id=self.ref.turn_id)
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
            await self.writer.append([("accepted", outcomes.accepted_body(brief))])
        # The process before this one may have had the whole answer and died before it was stored.
        outcome = handover.outcome_from(await redis_async().get(self.ref.outcome))
        if outcome is None and brief.attempt > MAX_ATTEMPTS:
            outcome = outcomes.broken(self.writer.text, ServiceLost())
        if outcome is None:
            try:
                outcome = await self._answer(brief)
            except redis.RedisError:
                outcome = outcomes.broken(self.writer.text, ServiceLost(), routed=self._routed)
        await self._conclude(brief, outcome)

    async def _write_stored(self, brief: TurnBrief) -> None:
        """The answer is in the database already: only its last frames are missing."""
        stored = outcomes.stored_frames(brief)
        if self.feed.frames and not self.feed.ended:
            await log.repair(self.ref, stored)
        self.feed.publish(1, stored)
        await log.expire(self.ref)
        await leases.end(self.ref)

    # -- from question to text

    async def _answer(self, brief: TurnBrief) -> Outcome:
        prefix = self.writer.text
        if len(self.feed.frames) > 1:
            await self.writer.append([("status", {"stage": "failover"})])
        if self._stop.is_set() or await redis_async().exists(self.ref.stop_flag):
            return outcomes.stopped(prefix)
        try:
            sources = await self._sources(brief)
            request = await self._request(brief, sources, prefix)
        except PanalError as error:
            return self._gave_up(error)
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
        await self.writer.append([("status", {"stage": "searching"})])
        sources = await self._patiently(
            selectors.sources_for,
            actor=brief.actor,
            query=brief.history[-1].text,
            knowledge_base_ids=brief.knowledge_base_ids,
        )
        if sources:
            listed = [handover.listed(source) for source in sources]
            kept = handover.sources_kept(sources)
            await self.writer.append([("sources", {"sources": listed})], private=kept)
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
        """Read and write side by side until the answer ends, is stopped, or cannot be written."""
        reader = asyncio.create_task(self._read(generation))
        flusher = asyncio.create_task(self.writer.flush_forever())
        stopper = asyncio.create_task(self._stop.wait())
        tasks = {reader, flusher, stopper}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if not reader.done():
                reader.cancel()
                await asyncio.wait({reader})
            await generation.aclose()
            self.writer.close()
            await flusher  # raises what kept it from writing
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        error = None if reader.cancelled() else reader.exception()
        return self._outcome(generation, error)

    async def _read(self, generation: Generation) -> None:
        async for event in generation:
            if isinstance(event, Delta):
                text = event.text.replace("\x00", "")  # PostgreSQL cannot store it
                if text:
                    self.writer.put(text)
            elif isinstance(event, Routed):
                self._routed = event
                self.writer.put(("status", {"stage": "generating", "detail": event.model}))
            elif isinstance(event, Finished):
                self._finish = event.finish

    # -- the end

    def _outcome(self, generation: Generation, error: BaseException | None) -> Outcome:
        receipt, text = generation.receipt, self.writer.text
        if isinstance(error, PanalError) and not text and not isinstance(error, UpstreamBroken):
            return outcomes.failed(error)
        if error is not None:
            if not isinstance(error, PanalError):
                logger.error("Turn %s broke off", self.ref.turn_id, exc_info=error)
                error = UpstreamBroken()
            return outcomes.broken(text, error, receipt, self._routed)
        if not self._finish:
            return outcomes.stopped(text, receipt, self._routed)
        return outcomes.answered(text, self._finish, receipt, self._routed)

    def _gave_up(self, error: PanalError) -> Outcome:
        """Before any model was asked; an earlier process may have written text."""
        text = self.writer.text
        return outcomes.broken(text, error) if text else outcomes.failed(error)

    async def _conclude(self, brief: TurnBrief, outcome: Outcome) -> None:
        """Store, then say so: whoever sees the last frame finds the answer in the database."""
        self.concluding = True
        seq = len(self.feed.frames) + 1
        last = frames.encode_turn(self.ref.turn_id, seq, *outcomes.last_frame(brief, outcome))
        complete = [*self.feed.frames, last]
        await self._keep_for_the_next(outcome)
        stored = await self._patiently(
            services.turn_finish,
            brief=brief,
            outcome=outcome,
            sources=frames.sources_of(self.feed.frames),
            outline=frames.outline_of(complete),
        )
        if not stored:
            raise TakenOver
        try:
            await self._write_last(complete)
        except redis.RedisError:
            logger.warning("Turn %s ended while Redis was away", self.ref.turn_id)
        self.feed.publish(seq, [last])

    async def _write_last(self, complete: list[str]) -> None:
        try:
            await log.writer().append(self.ref, len(complete), complete[-1:], None)
        except redis.RedisError:
            await log.repair(self.ref, complete)
        await log.expire(self.ref)
        await leases.end(self.ref)

    async def _keep_for_the_next(self, outcome: Outcome) -> None:
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


async def context_of(model: str, ref: TurnRef) -> int:
    """The context window, in tokens, of the model that will be asked first. Raises what routing raises."""
    plan = await aplan_for(scope=ref.scope, model=model, prompt_tokens=0)
    return plan.offers[0].card.context or DEFAULT_CONTEXT
