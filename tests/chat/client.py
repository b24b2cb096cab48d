"""A small client of the chat websocket, as a program would write it; the load test uses it too."""

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

TIMEOUT = 60.0  # seconds for one frame


@dataclass
class Transcript:
    """The frames of one turn in the order they came; `add` insists on numbers without holes or repeats."""

    turn_id: str = ""
    after: int = 0
    frames: list[dict[str, Any]] = field(default_factory=list)

    def add(self, frame: dict[str, Any]) -> None:
        assert frame["seq"] == self.last + 1, f"expected frame {self.last + 1}, got {frame['seq']}"
        assert not self.turn_id or frame["turn_id"] == self.turn_id
        self.turn_id = frame["turn_id"]
        self.frames.append(frame)

    @property
    def last(self) -> int:
        return self.after + len(self.frames)

    @property
    def ended(self) -> bool:
        return bool(self.frames) and self.frames[-1]["type"] in {"done", "error"}

    @property
    def text(self) -> str:
        return "".join(frame["text"] for frame in self.frames if frame["type"] == "delta")

    @property
    def end(self) -> dict[str, Any]:
        assert self.ended, self.frames[-3:]
        return self.frames[-1]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == kind]

    @property
    def accepted(self) -> dict[str, Any]:
        return self.of("accepted")[0]


class ChatClient:
    """`async with ChatClient(base, slug, token) as chat:`; `base` is `http://address:port`."""

    def __init__(self, base: str, slug: str, token: str | None, *, query: str = "", **options: Any) -> None:
        address = urlsplit(base)
        self.host, self.port = address.hostname or "127.0.0.1", address.port or 80
        self.uri = f"ws://{slug}.localhost:{self.port}/ws/chat/{query}"
        headers = dict(options.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self.options = {"additional_headers": headers, "max_size": None, "compression": None, **options}

    async def __aenter__(self) -> "ChatClient":
        self.socket = await connect(self.uri, host=self.host, port=self.port, proxy=None, **self.options)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.socket.close()

    async def send(self, **frame: Any) -> None:
        await self.socket.send(json.dumps(frame))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(TIMEOUT):
            return json.loads(await self.socket.recv())

    async def ask(self, text: str, **more: Any) -> str:
        """Send an `ask`; answers its request id."""
        request_id = more.pop("request_id", None) or str(uuid.uuid4())
        frame = {"type": "ask", "request_id": request_id, "conversation_id": None, "text": text, **more}
        await self.send(**frame)
        return request_id

    async def collect(self, transcript: Transcript | None = None, *, until: Any = None) -> Transcript:
        """Read a turn to its end, or until `until(transcript)` holds."""
        transcript = transcript or Transcript()
        while not transcript.ended:
            frame = await self.receive()
            if "seq" in frame:
                transcript.add(frame)
            if until is not None and until(transcript):
                break
        return transcript

    async def turn(self, text: str, **more: Any) -> Transcript:
        await self.ask(text, **more)
        return await self.collect()

    async def closed(self) -> int:
        """Read until the server closes; answers the close code. `self.unread` holds what came before."""
        self.unread: list[dict[str, Any]] = []
        try:
            while True:
                self.unread.append(await self.receive())
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006
