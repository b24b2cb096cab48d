"""The chat websocket: reads frames, starts and follows turns, decides nothing else."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import redis
from channels.generic.websocket import AsyncWebsocketConsumer

from chat import asking, selectors, services, sockets
from chat.errors import Draining, TooManyFrames, TooManyTurns, TurnNotFound, Unavailable, UnknownType
from chat.selectors import TurnBrief
from chat.turns import bus, runtime
from chat.turns.follow import follow
from chat.turns.frames import encode
from chat.turns.refs import TurnRef
from panal.kit.drain import draining
from panal.kit.env import env_int
from panal.kit.errors import PanalError, Unauthenticated
from routing.errors import NoCapacity
from routing.selectors import aplan_for
from tenants.actors import Actor
from tenants.directory import UnknownWorkspace
from tenants.policy import Action, require
from tenants.scope import in_tenant
from tenants.sockets import actor_of_socket

CLOSE_UNAUTHENTICATED = 4401
CLOSE_FORBIDDEN = 4403
CLOSE_NOT_FOUND = 4404
CLOSE_TOO_SLOW = 4408
CLOSE_RESTARTING = 1012
CLOSE_FLOOD = 1008

RECHECK_SECONDS = 30.0
FRESH_SECONDS = 2.0  # how long before a question a check is good enough
STALL_SECONDS = float(env_int("PANAL_WS_STALL_SECONDS", 10))  # a reader that takes nothing for so long is cut
CLOSE_SECONDS = 60.0  # how long a close waits for a client that does not read
MAX_FOLLOWED = 50  # turns one socket follows at once
FRAMES_PER_SECOND = 20.0
FRAME_BURST = 60.0

logger = logging.getLogger(__name__)


class SocketGone(Exception):
    """There is nobody left to send frames to."""


class FrameBudget:
    """A token bucket: bursts are fine, a flood is not."""

    def __init__(self) -> None:
        self._left = FRAME_BURST
        self._at = time.monotonic()

    def take(self) -> bool:
        now = time.monotonic()
        self._left = min(FRAME_BURST, self._left + (now - self._at) * FRAMES_PER_SECOND)
        self._at = now
        self._left -= 1
        return self._left >= 0


def close_code_of(error: PanalError) -> int:
    if isinstance(error, UnknownWorkspace | TurnNotFound):
        return CLOSE_NOT_FOUND
    return CLOSE_UNAUTHENTICATED if error.status == Unauthenticated.status else CLOSE_FORBIDDEN


def error_frame(error: PanalError, frame: dict[str, Any] | None = None) -> str:
    """An error outside a turn, with what the client needs to match it to its frame."""
    body: dict[str, Any] = {"code": error.code, "detail": error.detail}
    if error.retry_after:
        body["retry_after"] = error.retry_after
    request_id = (frame or {}).get("request_id")
    if isinstance(request_id, str) and len(request_id) <= asking.MAX_REQUEST_ID:
        body["request_id"] = request_id
    return encode("error", **body)


class ChatConsumer(AsyncWebsocketConsumer):
    # Notices travel over one connection of the process (`chat.turns.bus`): no channel layer for each socket.
    channel_layer_alias = "none"

    actor: Actor | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._follows: dict[UUID, asyncio.Task[None]] = {}
        self._budget = FrameBudget()
        self._checked_at = 0.0
        self._recheck: asyncio.Task[None] | None = None
        self._notices = False
        self._closing = False

    # -- the life of a socket

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._end()

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Channels would close idle database connections around each message; this socket never holds one.
        await getattr(self, message["type"].replace(".", "_"))(message)

    async def connect(self) -> None:
        await self.accept()
        try:
            if not await self._identify():
                return
        except Exception:  # without its database nobody can be known: come back in a moment
            logger.exception("A socket could not be identified")
            await self.shut(CLOSE_RESTARTING, "Not available right now.")
            return
        self._notices = "1" in parse_qs(self.scope.get("query_string", b"").decode("latin-1")).get(
            "notices", []
        )
        sockets.add(self)
        self._recheck = asyncio.create_task(self._recheck_forever())
        if draining():
            await self.announce_leaving()

    async def disconnect(self, code: int) -> None:
        self._end()

    def _end(self) -> None:
        self._closing = True
        sockets.remove(self)
        for task in (*self._follows.values(), self._recheck):
            if task is not None and task is not asyncio.current_task():
                task.cancel()

    async def _identify(self) -> bool:
        """Who this is now; closes the socket when nobody who may be here."""
        try:
            actor = await actor_of_socket(self.scope)
            require(actor, Action.CHAT_READ)
        except PanalError as error:
            await self.shut(close_code_of(error), error.detail)
            return False
        if self.actor is not None and actor.user_id != self.actor.user_id:
            await self.shut(CLOSE_UNAUTHENTICATED, "Somebody else signed in.")
            return False
        self.actor, self._checked_at = actor, time.monotonic()
        return True

    async def _still_identified(self) -> bool:
        return time.monotonic() - self._checked_at < FRESH_SECONDS or await self._identify()

    async def _recheck_forever(self) -> None:
        """A suspended person's socket ends although nothing is asked."""
        while not self._closing:
            await asyncio.sleep(RECHECK_SECONDS)
            try:
                if not await self._identify():
                    return
            except Exception:  # the database may be restarting; the next round decides
                logger.warning("A socket could not be checked again", exc_info=True)

    async def shut(self, code: int, reason: str = "") -> None:
        if not self._closing:
            self._closing = True
            with suppress(Exception):  # the client may be gone already
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self.close(code=code, reason=reason[:100])

    # -- frames in

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._closing:
            return
        if not self._budget.take():
            await self.deliver(error_frame(TooManyFrames()))
            await self.shut(CLOSE_FLOOD, TooManyFrames.detail)
            return
        frame: dict[str, Any] | None = None
        try:
            frame = asking.parse_json(text_data)
            await self._handle(frame)
        except PanalError as error:
            await self.deliver(error_frame(error, frame))
        except Exception:
            logger.exception("A frame could not be handled")
            await self.deliver(error_frame(Unavailable(), frame))

    async def _handle(self, frame: dict[str, Any]) -> None:
        kind = frame.get("type")
        handlers: dict[str, Callable[[dict[str, Any]], Awaitable[None]]] = {
            "ask": self._ask,
            "stop": self._stop,
            "resume": self._resume,
            "ping": self._ping,
        }
        handler = handlers.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise UnknownType
        await handler(frame)

    async def _ping(self, frame: dict[str, Any]) -> None:
        await self.deliver(encode("pong"))

    async def _ask(self, frame: dict[str, Any]) -> None:
        ask = asking.parse_ask(frame)
        if draining():
            raise Draining(retry_after=1)
        if not await self._still_identified():
            return
        actor = self._who()
        require(actor, Action.CHAT)
        self._check_room()
        await check_model(actor, ask.model)
        opened = await in_tenant(actor.scope, services.turn_open, actor=actor, ask=ask)
        ref = TurnRef(actor.scope, opened.turn_id)
        if opened.brief is not None:
            # Without Redis the turn waits: whoever follows it takes it up when Redis is back.
            with suppress(redis.RedisError):
                await self._begin(ref, opened.brief)
        self._watch(ref, after=0)

    async def _begin(self, ref: TurnRef, brief: TurnBrief) -> None:
        await runtime.begin(ref, brief)
        await bus.send(
            "notice",
            tenant_id=ref.scope.tenant_id,
            user_id=self._who().user_id,
            frame={"type": "turn", "conversation_id": brief.conversation_id, "turn_id": ref.turn_id},
        )

    async def _stop(self, frame: dict[str, Any]) -> None:
        ref = await self._my_turn(asking.parse_turn_id(frame))
        require(self._who(), Action.CHAT)
        await runtime.stop(ref)

    async def _resume(self, frame: dict[str, Any]) -> None:
        resume = asking.parse_resume(frame)
        try:
            ref = await self._my_turn(resume.turn_id)
        except TurnNotFound as error:
            await self.shut(CLOSE_NOT_FOUND, error.detail)
            return
        self._check_room()
        self._watch(ref, after=resume.after)

    async def _my_turn(self, turn_id: UUID) -> TurnRef:
        actor = self._who()
        if not await in_tenant(actor.scope, selectors.turn_is_mine, actor=actor, turn_id=turn_id):
            raise TurnNotFound
        return TurnRef(actor.scope, turn_id)

    def _who(self) -> Actor:
        if self.actor is None:
            raise Unauthenticated
        return self.actor

    # -- frames out

    def _check_room(self) -> None:
        if len(self._follows) >= MAX_FOLLOWED:
            raise TooManyTurns

    def _watch(self, ref: TurnRef, *, after: int) -> None:
        before = self._follows.pop(ref.turn_id, None)
        if before is not None:
            before.cancel()
        task = asyncio.create_task(self._follow(ref, after), name=f"follow {ref.turn_id}")
        self._follows[ref.turn_id] = task

    async def _follow(self, ref: TurnRef, after: int) -> None:
        try:
            await follow(ref, after, self._deliver_or_end)
        except TurnNotFound as error:
            await self.shut(CLOSE_NOT_FOUND, error.detail)
        except SocketGone:
            pass
        except Exception:
            logger.exception("Following turn %s failed", ref.turn_id)
        finally:
            if self._follows.get(ref.turn_id) is asyncio.current_task():
                del self._follows[ref.turn_id]
        if draining() and not self._follows:
            await self.leave()

    async def _deliver_or_end(self, text: str) -> None:
        await self.deliver(text)
        if self._closing:
            raise SocketGone

    async def deliver(self, text: str) -> None:
        """Send one frame; a client that takes nothing for too long is cut and may resume."""
        if self._closing:
            return
        try:
            async with asyncio.timeout(STALL_SECONDS):
                await self.send(text_data=text)
        except TimeoutError:
            logger.info("A socket was too slow")
            await self.shut(CLOSE_TOO_SLOW, "The connection is too slow; connect again and resume.")
            self._end()
        except (OSError, RuntimeError):  # the client is gone, or the socket was closed meanwhile
            self._end()

    # -- notices and leaving

    def wants_notices(self, tenant_id: UUID, user_id: UUID) -> bool:
        actor = self.actor
        return (
            self._notices
            and actor is not None
            and actor.user_id == user_id
            and actor.scope.tenant_id == tenant_id
        )

    async def announce_leaving(self) -> None:
        """`draining`, and the close at once when no answer is being followed."""
        await self.deliver(sockets.draining_frame())
        if not self._follows:
            await self.leave()

    async def leave(self) -> None:
        await self.shut(CLOSE_RESTARTING, "This server is restarting.")


async def check_model(actor: Actor, model: str) -> None:
    """Raises `ModelNotFound`. A model that is there but cannot answer now fails inside the turn instead."""
    with suppress(NoCapacity):
        await aplan_for(scope=actor.scope, model=model, prompt_tokens=0)
