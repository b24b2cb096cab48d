"""A small HTTP server on a real port that can break in every way a model's server does.

It speaks HTTP/1.1 through h11 over plain asyncio sockets, because a framework would not let a test reset a
connection or stop in the middle of a chunk.

`POST /_ctl {"fault": "hang", "times": 1}` switches a fault (for the next `times` requests, else for all);
`GET /_ctl` answers the counters. Faults: refuse, 500, 429, hang, slow, headers (200, then silence),
cut_after:N, stall_after:N, malformed_after:N, error_event_after:N, oversized_after:N.
"""

import argparse
import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import h11

SLOW_SECONDS = 0.15  # between tokens under the fault "slow"
READ_BYTES = 65536


@dataclass
class Counters:
    requests: int = 0
    completed: int = 0
    aborted: int = 0  # the client went away before the answer was whole
    tokens: int = 0  # written to sockets
    in_flight: int = 0


@dataclass
class Recorded:
    method: str
    path: str
    headers: dict[str, str]
    json: Any


@dataclass
class Fault:
    name: str = ""
    at: int = 0
    times: int | None = None

    @classmethod
    def parse(cls, text: str, times: int | None = None) -> "Fault":
        name, _, at = (text or "").partition(":")
        return cls("" if name in {"", "ok"} else name, int(at or 0), times)


class Gone(Exception):
    """The client closed the connection."""


@dataclass
class Exchange:
    """One request and the way to answer it. Writing to a client that left raises `Gone`."""

    server: "FakeServer"
    connection: h11.Connection
    writer: asyncio.StreamWriter
    request: Recorded
    fault: Fault
    started: bool = False

    async def reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json", "content-length": str(len(data)), **(headers or {})}
        self._send(h11.Response(status_code=status, headers=list(sent.items())))
        self._send(h11.Data(data=data))
        self._send(h11.EndOfMessage())
        await self._flush()

    async def start(self, content_type: str) -> None:
        self._send(
            h11.Response(
                status_code=200, headers=[("content-type", content_type), ("transfer-encoding", "chunked")]
            )
        )
        self.started = True
        await self._flush()

    async def chunk(self, data: bytes) -> None:
        self._send(h11.Data(data=data))
        await self._flush()

    async def end(self) -> None:
        self._send(h11.EndOfMessage())
        await self._flush()

    def abort(self) -> None:
        self.writer.transport.abort()

    def _send(self, event: Any) -> None:
        data = self.connection.send(event)
        if data:
            self.writer.write(data)

    async def _flush(self) -> None:
        if self.writer.transport.is_closing():
            raise Gone
        await self.writer.drain()


class FakeServer:
    """Subclasses answer requests in `handle`; `tokens_of` paces and breaks their streams."""

    name = "fake"

    def __init__(self, *, tokens: int = 12, delay_ms: float = 0.0, first_ms: float = 0.0) -> None:
        self.tokens, self.delay_ms, self.first_ms = tokens, delay_ms, first_ms
        self.counters = Counters()
        self.requests: list[Recorded] = []
        self.fault = Fault()
        self.port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop: asyncio.Event | None = None

    # -- what a test uses

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, port: int = 0) -> "FakeServer":
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self.serve(port, ready)), name=self.name, daemon=True
        )
        self._thread.start()
        assert ready.wait(10), "the fake server did not start"
        return self

    def stop(self) -> None:
        if self._loop is not None and self._stop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
            self._loop = None

    def set_fault(self, text: str, *, times: int | None = None) -> None:
        self.fault = Fault.parse(text, times)

    def reset(self) -> None:
        self.fault = Fault()
        self.counters = Counters(in_flight=self.counters.in_flight)
        self.requests.clear()

    async def until_aborted(self, count: int = 1, seconds: float = 1.0) -> None:
        """Wait until that many clients have left in mid-answer; fails after `seconds`."""
        await self._until(lambda: self.counters.aborted >= count, seconds)

    async def until_tokens(self, count: int, seconds: float = 5.0) -> None:
        await self._until(lambda: self.counters.tokens >= count, seconds)

    async def _until(self, reached: Callable[[], bool], seconds: float) -> None:
        for _ in range(int(seconds / 0.002)):
            if reached():
                return
            await asyncio.sleep(0.002)
        raise AssertionError(f"not reached within {seconds} s: {self.counters}")

    @property
    def chats(self) -> list[Recorded]:
        """The recorded requests that asked for an answer, without lists and probes."""
        return [request for request in self.requests if request.path.endswith(("/chat", "/chat/completions"))]

    # -- the server

    async def serve(self, port: int, ready: threading.Event | asyncio.Event | None = None) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        listener = await asyncio.start_server(self._connected, "127.0.0.1", port)
        self.port = listener.sockets[0].getsockname()[1]
        if ready is not None:
            ready.set()
        await self._stop.wait()
        listener.close()
        for task in asyncio.all_tasks():
            if task is not asyncio.current_task():
                task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        try:
            while await self._one(connection, reader, writer):
                connection.start_next_cycle()
        except (OSError, h11.ProtocolError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            writer.close()

    async def _one(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        request = await self._read(connection, reader)
        if request is None:
            return False
        exchange = Exchange(self, connection, writer, request, Fault())
        if request.path == "/_ctl":
            await self._control(exchange)
        else:
            await self._answer(exchange, reader)
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE

    async def _read(self, connection: h11.Connection, reader: asyncio.StreamReader) -> Recorded | None:
        head, body = None, b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(READ_BYTES))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                return None
        assert head is not None
        headers = {name.decode(): value.decode() for name, value in head.headers}
        try:
            parsed = json.loads(body) if body else None
        except ValueError:
            parsed = None
        return Recorded(head.method.decode(), head.target.decode().partition("?")[0], headers, parsed)

    async def _control(self, exchange: Exchange) -> None:
        wanted = exchange.request.json or {}
        if "fault" in wanted:
            self.set_fault(wanted["fault"], times=wanted.get("times"))
        for name in ("tokens", "delay_ms", "first_ms"):
            if name in wanted:
                setattr(self, name, wanted[name])
        if wanted.get("reset"):
            self.reset()
        await exchange.reply(200, {"fault": self.fault.name, **asdict(self.counters)})

    def _take_fault(self) -> Fault:
        fault = self.fault
        if fault.name and fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.fault = Fault()
            return Fault(fault.name, fault.at)
        return fault

    async def _answer(self, exchange: Exchange, reader: asyncio.StreamReader) -> None:
        """Answer, and stop answering the moment the client hangs up."""
        self.requests.append(exchange.request)
        self.counters.requests += 1
        self.counters.in_flight += 1
        if exchange.request.method == "POST" and not exchange.request.path.endswith("/show"):
            exchange.fault = self._take_fault()
        work = asyncio.ensure_future(self._faulty(exchange))
        hangup = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({work, hangup}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done() and hangup.result():
                await work
            if not work.done():
                self.counters.aborted += 1
                raise ConnectionResetError
            work.result()
            self.counters.completed += 1
        except Gone:
            self.counters.aborted += 1
            raise ConnectionResetError from None
        finally:
            self.counters.in_flight -= 1
            work.cancel()
            hangup.cancel()
            _, read = await asyncio.gather(work, hangup, return_exceptions=True)
            if isinstance(read, bytes):
                exchange.connection.receive_data(read)  # the first byte of the next request

    async def _faulty(self, exchange: Exchange) -> None:
        name = exchange.fault.name
        if name == "refuse":
            exchange.abort()
            raise ConnectionResetError
        if name == "hang":
            await asyncio.Event().wait()
        if name in {"500", "429", "400", "401", "404", "503"}:
            extra = {"retry-after": "7"} if name == "429" else {}
            await exchange.reply(int(name), self.error_body(f"fake {name}"), extra)
            return
        await self.handle(exchange)

    # -- for subclasses

    async def handle(self, exchange: Exchange) -> None:
        raise NotImplementedError

    def error_body(self, message: str) -> Any:
        return {"error": message}

    async def pace(self, exchange: Exchange, index: int, error_frame: bytes, broken_frame: bytes) -> bool:
        """Wait until token `index` is due and strike a fault that is due with it. False: the stream is over."""
        delay = self.first_ms if index == 0 else self.delay_ms
        seconds = SLOW_SECONDS if exchange.fault.name == "slow" else delay / 1000
        if seconds:
            await asyncio.sleep(seconds)
        name, at = exchange.fault.name, exchange.fault.at
        if name == "headers" and index == 0:
            await asyncio.Event().wait()
        if index != at or not name.endswith("_after"):
            self.counters.tokens += 1
            return True
        await asyncio.sleep(0.02)  # what was written has left: a break in mid-answer, not a failed request
        if name == "cut_after":
            exchange.abort()
            raise ConnectionResetError
        if name == "stall_after":
            await asyncio.Event().wait()
        if name == "oversized_after":
            await exchange.chunk(b"x" * (3 << 20))
        else:
            await exchange.chunk(error_frame if name == "error_event_after" else broken_frame)
        await exchange.end()
        return False


def words(start: int, count: int) -> list[str]:
    """The fakes' answer: ` w0 w1 w2 …`, so that a test sees what is missing or doubled."""
    return [f" w{index}" if index else "w0" for index in range(start, start + count)]


def resume_at(text: str) -> int:
    """The number of the word after `text`, when `text` is the beginning of such an answer."""
    return len(text.split())


def main(server: FakeServer) -> None:
    parser = argparse.ArgumentParser(description=server.name)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tokens", type=int, default=server.tokens)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--first-ms", type=float, default=0.0)
    options = parser.parse_args()
    server.tokens, server.delay_ms, server.first_ms = options.tokens, options.delay_ms, options.first_ms

    async def run() -> None:
        started = asyncio.Event()
        serving = asyncio.ensure_future(server.serve(options.port, started))
        await started.wait()
        print(json.dumps({"url": server.url}), flush=True)
        await serving

    with suppress(KeyboardInterrupt):
        asyncio.run(run())
