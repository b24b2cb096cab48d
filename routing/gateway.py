"""One gateway for every prompt: `start(request)` and read the events.

    async with aclosing(gateway.start(request)) as generation:
        async for event in generation: ...
    generation.receipt

Each generation runs in a task of its own, so that its end (closing the provider's connection, writing the
ledger) does not depend on who listens. Stages that come later (guardrails, cache, failing over) take their
place in `STAGES`.
"""

import asyncio
import logging
from collections import deque
from contextlib import aclosing

from panal.kit.errors import PanalError
from routing.pipeline import Call, Proceed, compose
from routing.stages.ask import ask
from routing.stages.ledger import ledger
from routing.stages.measure import measure
from routing.stages.route import route
from routing.vocabulary import Event, Receipt, Request

STAGES = (measure, route, ledger)
BACKLOG = 512  # events a slow reader may fall behind before the provider has to wait

_pipeline: Proceed = compose(STAGES, ask)
_running: set["asyncio.Task[None]"] = set()
logger = logging.getLogger(__name__)


class Channel:
    """Events from the generation's task to its one reader, in one event loop."""

    def __init__(self) -> None:
        self.events: deque[Event] = deque()
        self.error: BaseException | None = None
        self.closed = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    def put(self, event: Event) -> None:
        self.events.append(event)
        _wake(self._reader)

    async def room(self) -> None:
        while len(self.events) >= BACKLOG:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer

    async def get(self) -> Event | None:
        """The next event, or None at the end. Raises the generation's error after its last event."""
        while not self.events:
            if self.closed:
                if self.error is not None:
                    raise self.error
                return None
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        event = self.events.popleft()
        if self._writer is not None and len(self.events) < BACKLOG:
            _wake(self._writer)
        return event

    def close(self, error: BaseException | None = None) -> None:
        if not self.closed:
            self.closed, self.error = True, error
            _wake(self._reader)


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


async def _pump(call: Call, channel: Channel) -> None:
    error: BaseException | None = None
    try:
        async with aclosing(_pipeline(call)) as events:
            async for event in events:
                channel.put(event)  # type: ignore[arg-type]
                if len(channel.events) >= BACKLOG:
                    await channel.room()
    except asyncio.CancelledError:
        pass  # `aclose`: the reader asked for it; the stages have already ended properly
    except PanalError as expected:
        error = expected
    except Exception as defect:
        logger.exception("Generation of request %s failed", call.request.id)
        error = defect
    finally:
        channel.close(error)


class Generation:
    """The events of one answer, read once. `receipt` is set when it has ended, was stopped or broke."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self._call = Call(request)
        self._channel = Channel()
        self._task: asyncio.Task[None] | None = None

    @property
    def receipt(self) -> Receipt | None:
        return self._call.receipt

    def __aiter__(self) -> "Generation":
        return self

    async def __anext__(self) -> Event:
        if self._task is None and not self._channel.closed:
            self._begin()
        try:
            event = await self._channel.get()
        except asyncio.CancelledError:
            self._cancel()  # whoever read is gone; `aclose` may still wait for the end
            raise
        if event is None:
            raise StopAsyncIteration
        return event

    async def aclose(self) -> None:
        """Stop: the provider's connection is closed at once; returns when the ledger is settled."""
        self._cancel()
        if self._task is None:
            self._channel.close()
        elif not self._task.done():
            await asyncio.wait({self._task})

    def _begin(self) -> None:
        self._task = asyncio.create_task(
            _pump(self._call, self._channel), name=f"generation {self.request.id}"
        )
        _running.add(self._task)
        self._task.add_done_callback(_running.discard)
        # A task cancelled before its first step never closes the channel itself.
        self._task.add_done_callback(lambda _, channel=self._channel: channel.close())  # type: ignore[misc]

    def _cancel(self) -> None:
        if self._task is not None and not self._channel.closed:
            self._task.cancel()

    def __del__(self) -> None:
        if self._task is not None and not self._task.done() and not self._task.get_loop().is_closed():
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)


def start(request: Request) -> Generation:
    """A generation that begins when its first event is asked for."""
    return Generation(request)


async def stop_all() -> None:
    """End every generation of this process and settle it; for shutting down."""
    running = list(_running)
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running, timeout=10)
