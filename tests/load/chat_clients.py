"""Many chat clients at once, each in its tenant, each comparing what it read with what was stored.

    python -m tests.load.chat_clients --base http://127.0.0.1:8000 --tokens acme=pnl_…,globex=pnl_…,initech=pnl_…
    … --kill-pid 4711 --kill-after 2      kill the web process in mid-answer; its supervisor starts it again

Prints one JSON object; the exit status is 1 when an answer was wrong, lost text, or was seen by another tenant.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.exceptions import InvalidHandshake, WebSocketException

from routing.builtin.mock import knobs_of
from routing.builtin.mock import text as mock_text
from tests.chat.client import ChatClient, Transcript

MODEL = "mock-ttft200-itl20-len200"
PATIENCE = 120.0  # seconds for one client, reconnecting included
CHECKS_AT_ONCE = 16
LOST = (OSError, WebSocketException, InvalidHandshake, TimeoutError)


@dataclass
class Client:
    base: str
    slug: str
    token: str
    model: str
    transcript: Transcript = field(default_factory=Transcript)
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    reconnects: int = 0
    first_delta: float | None = None  # seconds after asking
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    async def run(self, start: asyncio.Event) -> None:
        await start.wait()
        began = time.monotonic()
        while not self.transcript.ended and time.monotonic() - began < PATIENCE:
            try:
                async with ChatClient(self.base, self.slug, self.token, open_timeout=20) as chat:
                    await self._read(chat, began)
            except LOST:
                self.reconnects += 1
                await asyncio.sleep(0.2 + 0.3 * (self.reconnects % 5))
            except AssertionError as hole:
                self.problems.append(str(hole))
                return
        self.seconds = time.monotonic() - began

    async def _read(self, chat: ChatClient, began: float) -> None:
        if self.transcript.turn_id:
            after = self.transcript.last
            await chat.send(type="resume", turn_id=self.transcript.turn_id, after=after)
        else:
            await chat.ask(f"Question {self.request_id}", model=self.model, request_id=self.request_id)
        while not self.transcript.ended:
            frame = await chat.receive()
            if "seq" not in frame:
                if frame["type"] == "error":
                    self.problems.append(frame["code"])
                continue
            self.transcript.add(frame)
            if frame["type"] == "delta" and self.first_delta is None:
                self.first_delta = time.monotonic() - began


@dataclass
class Checker:
    """Reads every answer back, as its tenant and as another one."""

    base: str
    tokens: dict[str, str]

    def _client(self, slug: str) -> httpx.AsyncClient:
        host = f"{slug}.localhost:{httpx.URL(self.base).port or 80}"
        headers = {"Host": host, "Authorization": f"Bearer {self.tokens[slug]}"}
        return httpx.AsyncClient(base_url=self.base, headers=headers, timeout=60)

    async def check(self, clients: list[Client]) -> dict[str, int]:
        """`{errors, foreign, lost_characters}`"""
        gate = asyncio.Semaphore(CHECKS_AT_ONCE)
        https = {slug: self._client(slug) for slug in self.tokens}
        try:
            results = await asyncio.gather(*(self._check(client, https, gate) for client in clients))
        finally:
            for http in https.values():
                await http.aclose()
        return {
            name: sum(result[name] for result in results) for name in ("errors", "foreign", "lost_characters")
        }

    async def _check(
        self, client: Client, https: dict[str, httpx.AsyncClient], gate: asyncio.Semaphore
    ) -> dict[str, int]:
        accepted = client.transcript.of("accepted")
        if not accepted or not client.transcript.ended or client.problems:
            return {"errors": 1, "foreign": 0, "lost_characters": 0}
        path = f"/api/conversations/{accepted[0]['conversation_id']}/messages/"
        async with gate:
            rows = (await https[client.slug].get(path)).json()["results"]
            others = [slug for slug in https if slug != client.slug]
            seen = [(await https[slug].get(path)).status_code for slug in others]
        answer = next(row["text"] for row in rows if row["id"] == accepted[0]["message_id"])
        wrong = answer != client.transcript.text or client.transcript.end.get("finish") != "stop"
        knobs = knobs_of(client.model)
        missing = len(mock_text(knobs.len)) - len(answer) if knobs else 0
        return {
            "errors": int(wrong),
            "foreign": sum(status != 404 for status in seen),
            "lost_characters": abs(missing) + abs(len(answer) - len(client.transcript.text)),
        }


def percentile(values: list[float], share: float) -> float | None:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 3) if ordered else None


def summary(clients: list[Client], checked: dict[str, int]) -> dict[str, Any]:
    firsts = [client.first_delta for client in clients if client.first_delta is not None]
    seconds = [client.seconds for client in clients]
    return {
        "clients": len(clients),
        "tenants": len({client.slug for client in clients}),
        "ended": sum(client.transcript.ended for client in clients),
        "reconnects": sum(client.reconnects for client in clients),
        "frames": sum(len(client.transcript.frames) for client in clients),
        "characters": sum(len(client.transcript.text) for client in clients),
        **checked,
        "problems": sorted({problem for client in clients for problem in client.problems})[:10],
        "first_delta_s": {"p50": percentile(firsts, 0.5), "p95": percentile(firsts, 0.95)},
        "answer_s": {"p50": percentile(seconds, 0.5), "p95": percentile(seconds, 0.95)},
    }


async def run(
    *,
    base: str,
    tokens: dict[str, str],
    count: int = 200,
    model: str = MODEL,
    trouble: Callable[[], Awaitable[None]] | None = None,
) -> dict[str, Any]:
    """All clients ask at once; `trouble` happens meanwhile. Answers the summary."""
    slugs = list(tokens)
    clients = [
        Client(base, slugs[number % len(slugs)], tokens[slugs[number % len(slugs)]], model)
        for number in range(count)
    ]
    start = asyncio.Event()
    work = [asyncio.create_task(client.run(start)) for client in clients]
    start.set()
    if trouble is not None:
        await trouble()
    await asyncio.gather(*work)
    return summary(clients, await Checker(base, tokens).check(clients))


def is_clean(result: dict[str, Any]) -> bool:
    wrong = (result["errors"], result["foreign"], result["lost_characters"])
    return wrong == (0, 0, 0) and result["ended"] == result["clients"]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", default="http://127.0.0.1:8000")
    parser.add_argument("--tokens", required=True, help="slug=token,slug=token,…")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--kill-pid", type=int, help="the web process to kill in mid-answer")
    parser.add_argument("--kill-after", type=float, default=2.0, help="seconds")
    options = parser.parse_args()

    async def kill() -> None:
        await asyncio.sleep(options.kill_after)
        os.kill(options.kill_pid, signal.SIGKILL)

    result = asyncio.run(
        run(
            base=options.base,
            tokens=dict(pair.split("=", 1) for pair in options.tokens.split(",")),
            count=options.clients,
            model=options.model,
            trouble=kill if options.kill_pid else None,
        )
    )
    print(json.dumps(result, indent=2))
    return 0 if is_clean(result) else 1


if __name__ == "__main__":
    sys.exit(main())
