"""The web process: one uvicorn with Panal's limits, and a way out that cuts nobody off.

`python -m panal.web [--home FOLDER]`
"""

import argparse
import asyncio
import gc
import logging
import os
import socket
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import CloseCode
from websockets.server import ServerProtocol

from panal.kit import drain
from panal.kit.env import env_int, env_str

logger = logging.getLogger(__name__)

FRAME_TOO_LARGE = 4413
DEFAULT_WS_MAX_BYTES = 1024 * 1024
# The sender of too large a frame is cut off when it has been silent, or after so long.
SILENCE_SECONDS = 0.3
LINGER_SECONDS = 10.0


class LimitedFrames(ServerProtocol):
    """Answers a frame over the limit with Panal's own close code."""

    def fail(self, code: int, reason: str = "") -> None:
        if code == CloseCode.MESSAGE_TOO_BIG:
            code, reason = FRAME_TOO_LARGE, f"A frame may hold {self.max_message_size} bytes"
        super().fail(code, reason)


class WebSocket(WebSocketsSansIOProtocol):
    """uvicorn's websocket, which also lets the sender of too much read why it was closed.

    Closing a TCP connection with unread bytes resets it, and the reset overtakes the close frame: so the rest
    is read and dropped until it ends. The frame's declared length is refused before its body is buffered.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn = LimitedFrames(max_size=config.ws_max_size, logger=self.logger)
        self.refused_at: float | None = None
        self.dropped = False

    def data_received(self, data: bytes) -> None:
        if self.refused_at is None:
            super().data_received(data)
        else:
            self.dropped = True

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.close":
            self.writable.set()  # a client that reads nothing must not keep its own close frame waiting
        await super().send(message)

    def handle_parser_exception(self) -> None:
        sent = self.conn.close_sent
        if sent is None or sent.code != FRAME_TOO_LARGE:
            super().handle_parser_exception()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": sent.code, "reason": sent.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.stop_keepalive()
        self.refused_at = self.loop.time()
        self.transport.resume_reading()
        self._wait_for_silence()

    def _wait_for_silence(self) -> None:
        self.dropped = False
        # uvicorn leaves a connection with a `close_timer` open when the application returns.
        self.close_timer = self.loop.call_later(SILENCE_SECONDS, self._end_refusal)

    def _end_refusal(self) -> None:
        lingered = self.loop.time() - (self.refused_at or 0.0)
        if self.dropped and lingered < LINGER_SECONDS:
            self._wait_for_silence()
        else:
            self.transport.close()


class Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What lives now lives as long as the process: keep the collector from walking it again and again.
        gc.collect()
        gc.freeze()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Still listening and already not ready: finish or hand over what runs, then close the sockets."""
        seconds = self.config.timeout_graceful_shutdown
        try:
            await asyncio.wait_for(drain.begin(), timeout=seconds)
        except TimeoutError:
            logger.warning("Draining took longer than %s s", seconds)
        await super().shutdown(sockets)


def server(application: str = "panal.asgi:application") -> Server:
    config = Config(
        application,
        host=env_str("BIND", "127.0.0.1"),
        port=env_int("PORT", 8000),
        loop="uvloop",
        http="httptools",
        ws=WebSocket,
        ws_max_size=env_int("PANAL_WS_MAX_BYTES", DEFAULT_WS_MAX_BYTES),
        # Measured: compression triples the memory of an idle websocket.
        ws_per_message_deflate=False,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=4096,
        timeout_graceful_shutdown=env_int("PANAL_GRACE_SECONDS", 20),
    )
    return Server(config)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m panal.web", description=__doc__)
    parser.add_argument("--home", type=Path, help="the folder of all state, instead of PANAL_HOME")
    home: Path | None = parser.parse_args().home
    if home is not None:
        os.environ["PANAL_HOME"] = str(home.resolve())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panal.settings")
    server().run()


if __name__ == "__main__":
    main()
