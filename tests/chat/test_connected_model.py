"""Chat with a connected model: history, titles, one ledger row a call, and what happens when its server breaks."""

import asyncio

import pytest

from tests.chat.client import ChatClient
from tests.chat.test_resume import started, stored
from tests.fakes.server import words
from tests.fixtures.live import PASSWORD

SLUG = "hooli"


@pytest.fixture
def fake(live, fake_openai):
    """A workspace of its own whose one model is the fake OpenAI."""
    if not hasattr(live, "has_hooli"):
        live.manage(
            "tenant_create", "--slug", SLUG, "--name", "Hooli", "--plan", "enterprise",
            "--owner-email", f"owner@{SLUG}.test", "--owner-password", PASSWORD,
        )  # fmt: skip
        live.manage(
            "provider_add", "--slug", "lab", "--wire", "openai", "--url", fake_openai.base_url,
            "--key", fake_openai.key, "--pool", "external", "--tenant", SLUG,
        )  # fmt: skip
        live.manage(
            "model_add", "--provider", "lab", "--name", "gpt-fake", "--kind", "chat", "--tier", "standard",
            "--input-price", "0.15", "--output-price", "0.60", "--tenant", SLUG,
        )  # fmt: skip
        live.has_hooli = True
    return fake_openai


@pytest.fixture
def client(live, fake):
    return ChatClient(live.base, SLUG, live.token(SLUG))


def features(live) -> dict[str, int]:
    with live.client(SLUG) as http:
        rows = http.get("/api/usage/?group_by=feature").json()["rows"]
    return {row["feature"]: row["requests"] for row in rows}


async def titled(live, conversation_id: str, title: str) -> str:
    """The title once it differs from the first words; it is made after the answer."""
    with live.client(SLUG) as http:
        for _ in range(100):
            found = http.get(f"/api/conversations/{conversation_id}/").json()["title"]
            if found != title:
                return found
            await asyncio.sleep(0.1)
    return title


async def test_an_answer_a_title_and_two_rows(live, fake, client):
    before = features(live)
    async with client:
        turn = await client.turn("Tell me about honey")
        assert turn.text == "".join(words(0, 12))
        assert turn.end["model"] == "gpt-fake"
        assert float(turn.end["cost_usd"]) > 0
        title = await titled(live, turn.accepted["conversation_id"], "Tell me about honey")
        assert title != "Tell me about honey"
        await client.turn("And wax?", conversation_id=turn.accepted["conversation_id"])
    after = features(live)
    assert after["chat"] == before.get("chat", 0) + 2
    assert after["title"] == before.get("title", 0) + 1
    roles = [message["role"] for message in fake.chats[-1].json["messages"]]
    assert roles == ["system", "user", "assistant", "user"]


async def test_a_title_of_ones_own_stays(live, fake, client):
    fake.first_ms = 500
    async with client:
        await client.ask("Tell me about honey")
        accepted = (await client.collect(until=lambda seen: seen.frames)).accepted
        with live.client(SLUG) as http:
            path = f"/api/conversations/{accepted['conversation_id']}/"
            assert http.patch(path, json={"title": "Mine"}).status_code == 200
        await asyncio.sleep(2)
        with live.client(SLUG) as http:
            assert http.get(path).json()["title"] == "Mine"


async def test_a_server_that_dies_in_mid_answer(live, fake, client):
    async with client:
        fake.set_fault("cut_after:5", times=1)
        turn = await client.turn("Hello")
        assert (turn.end["finish"], turn.end["error"]["code"]) == ("interrupted", "upstream_interrupted")
        assert turn.text == "".join(words(0, 5))
        assert stored(live, SLUG, turn)["text"] == turn.text
        again = await client.turn("Again", conversation_id=turn.accepted["conversation_id"])
    assert again.end["finish"] == "stop"


async def test_a_server_that_refuses(live, fake, client):
    async with client:
        fake.set_fault("500", times=1)
        turn = await client.turn("Hello", model="gpt-fake")
        assert (turn.end["type"], turn.end["code"]) == ("error", "upstream_error")
        assert fake.url.split("//")[1] not in str(turn.end)
        answer = stored(live, SLUG, turn)
        again = await client.turn(
            "", conversation_id=turn.accepted["conversation_id"], parent_id=answer["parent_id"]
        )
    assert again.end["finish"] == "stop"


async def test_stop_closes_the_connection_to_the_server(live, fake, client):
    fake.tokens, fake.delay_ms = 500, 20
    async with client:
        await client.ask("Hello")
        turn = await client.collect(until=started)
        await client.send(type="stop", turn_id=turn.turn_id)
        await client.collect(turn)
    await fake.until_aborted(seconds=3)
    assert turn.end["finish"] == "stopped"
    assert stored(live, SLUG, turn)["text"] == turn.text


async def test_another_process_continues_the_same_sentence(live, fake):
    fake.tokens, fake.delay_ms = 120, 40
    doomed, heir = live.sibling().start(), live.sibling().start()
    try:
        async with ChatClient(doomed.base, SLUG, live.token(SLUG)) as client:
            await client.ask("Hello")
            turn = await client.collect(until=started)
        doomed.kill()
        async with ChatClient(heir.base, SLUG, live.token(SLUG)) as client:
            await client.send(type="resume", turn_id=turn.turn_id, after=turn.last)
            await client.collect(turn)
        assert turn.text == "".join(words(0, 120))
        assert stored(heir, SLUG, turn)["text"] == turn.text
    finally:
        doomed.stop()
        heir.stop()
