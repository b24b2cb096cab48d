"""An answer outlives its socket and its process: nothing missing, nothing twice, the same text everywhere."""

import asyncio
import uuid

import pytest
import redis

from routing.builtin.mock import text as mock_text
from tests.chat.client import ChatClient, Transcript

SLOW = "mock-ttft50-itl30-len150"
WHOLE = mock_text(150)


def started(transcript: Transcript) -> bool:
    return len(transcript.of("delta")) >= 5


@pytest.fixture
def second(live):
    """Another process on the same database and Redis."""
    server = live.sibling().start()
    yield server
    server.stop()


def stored(server, slug, transcript):
    with server.client(slug) as client:
        path = f"/api/conversations/{transcript.accepted['conversation_id']}/messages/"
        rows = client.get(path).json()["results"]
    return next(row for row in rows if row["id"] == transcript.accepted["message_id"])


def connection_to(server, live, slug="acme"):
    return ChatClient(server.base, slug, live.token(slug))


async def resumed(client, transcript: Transcript) -> Transcript:
    """Go on after the last frame seen; holes and repeats fail in `Transcript.add`."""
    await client.send(type="resume", turn_id=transcript.turn_id, after=transcript.last)
    return await client.collect(transcript)


async def test_a_lost_connection_resumes_where_it_was(live):
    async with connection_to(live, live) as client:
        await client.ask("Hello", model=SLOW)
        turn = await client.collect(until=started)
    await asyncio.sleep(0.5)
    async with connection_to(live, live) as client:
        await resumed(client, turn)
    assert turn.text == WHOLE
    assert stored(live, "acme", turn)["text"] == WHOLE


async def test_a_finished_turn_replays_from_any_frame(live):
    async with connection_to(live, live) as client:
        whole = await client.turn("Hello", model="mock-len100")
        for after in (0, 1, 3, whole.last - 1):
            part = Transcript(turn_id=whole.turn_id, after=after)
            await client.send(type="resume", turn_id=whole.turn_id, after=after)
            await client.collect(part)
            assert part.frames == whole.frames[after:]


async def test_a_turn_replays_exactly_after_its_stream_has_expired(live):
    async with connection_to(live, live) as client:
        whole = await client.turn("Hello", model="mock-itl5-len100")
        store = redis.Redis.from_url(live.environment["REDIS_URL"])
        keys = list(store.scan_iter(f"*turn:{whole.turn_id}*"))
        assert keys
        store.delete(*keys)
        for after in (0, 5):
            part = Transcript(turn_id=whole.turn_id, after=after)
            await client.send(type="resume", turn_id=whole.turn_id, after=after)
            await client.collect(part)
            assert part.frames == whole.frames[after:]


async def test_a_second_tab_follows_the_same_answer(live):
    async with connection_to(live, live) as first, connection_to(live, live) as tab:
        await first.ask("Hello", model=SLOW)
        turn = await first.collect(until=started)
        await tab.send(type="resume", turn_id=turn.turn_id, after=0)
        both = await asyncio.gather(first.collect(turn), tab.collect())
    assert both[0].frames == both[1].frames


async def test_another_process_follows_and_stops(live, second):
    async with connection_to(live, live) as first, connection_to(second, live) as other:
        await first.ask("Hello", model="mock-itl30-len1000")
        turn = await first.collect(until=started)
        await other.send(type="resume", turn_id=turn.turn_id, after=0)
        seen = await other.collect(until=started)
        await other.send(type="stop", turn_id=turn.turn_id)
        await asyncio.gather(first.collect(turn), other.collect(seen))
    assert turn.frames == seen.frames
    assert turn.end["finish"] == "stopped"
    assert stored(second, "acme", turn)["text"] == turn.text


async def test_the_same_request_on_another_process_attaches(live, second):
    request_id = str(uuid.uuid4())
    async with connection_to(live, live) as first, connection_to(second, live) as other:
        await first.ask("Hello", model=SLOW, request_id=request_id)
        turn = await first.collect(until=started)
        await other.ask("Hello", model=SLOW, request_id=request_id)
        again, _ = await asyncio.gather(other.collect(), first.collect(turn))
    assert again.frames == turn.frames


async def test_another_process_continues_after_a_crash(live, second):
    doomed = live.sibling().start()
    async with connection_to(doomed, live) as client, connection_to(second, live) as watcher:
        await client.ask("Hello", model=SLOW)
        turn = await client.collect(until=started)
        await watcher.send(type="resume", turn_id=turn.turn_id, after=0)
        seen = await watcher.collect(until=started)
        doomed.kill()
        await watcher.collect(seen)
    async with connection_to(second, live) as client:
        await resumed(client, turn)
    assert turn.frames == seen.frames
    assert "failover" in [frame["stage"] for frame in seen.of("status")]
    assert turn.text == WHOLE
    answer = stored(second, "acme", turn)
    assert (answer["text"], answer["status"]) == (WHOLE, "complete")


async def test_a_restarted_process_continues_its_own_turns(live):
    server = live.sibling().start()
    turns = []
    for number in range(5):
        async with connection_to(server, live, "globex") as client:
            await client.ask(f"question {number}", model=SLOW)
            turns.append(await client.collect(until=started))
    server.kill()
    server.start()
    try:
        for turn in turns:
            async with connection_to(server, live, "globex") as client:
                await resumed(client, turn)
            assert turn.text == WHOLE
            assert stored(server, "globex", turn)["text"] == WHOLE
    finally:
        server.stop()


async def test_a_leaving_process_says_so_and_hands_over(live, second):
    leaving = live.sibling(PANAL_GRACE_SECONDS="7").start()
    async with connection_to(leaving, live) as idle, connection_to(leaving, live) as client:
        await client.ask("Hello", model="mock-itl50-len200")
        turn = await client.collect(until=started)
        leaving.process.terminate()
        notice = await idle.receive()
        assert notice["type"] == "draining"
        assert 0 < notice["retry_in"] <= 5000
        assert await idle.closed() == 1012
        with pytest.raises(Exception, match="1012"):
            await client.collect(turn)
    async with connection_to(second, live) as client:
        await resumed(client, turn)
    assert turn.text == mock_text(200)
    assert turn.end["finish"] == "stop"
    assert stored(second, "acme", turn)["text"] == mock_text(200)
    leaving.stop()
