"""The chat websocket of a real server: every frame, every error, every close code."""

import asyncio
import json
from decimal import Decimal
from uuid import uuid4

import httpx
import pytest

from routing.builtin.mock import text as mock_text
from tests.chat.client import ChatClient, Transcript
from tests.fixtures.live import PASSWORD

SLOW = "mock-ttft50-itl30-len200"
FAST = "mock-len30"


@pytest.fixture
def chat(live):
    """`chat("acme")` -> a client signed in as the owner of that workspace."""

    def make(slug: str = "acme", **options) -> ChatClient:
        token = options.pop("token") if "token" in options else live.token(slug)
        return ChatClient(live.base, slug, token, **options)

    return make


def messages(live, slug, conversation_id):
    with live.client(slug) as client:
        return client.get(f"/api/conversations/{conversation_id}/messages/").json()["results"]


def started(transcript: Transcript) -> bool:
    return len(transcript.of("delta")) >= 3


async def test_a_question_and_its_answer(live, chat):
    async with chat() as client:
        turn = await client.turn("Hello there", model=FAST, request_id="first")
    assert [turn.frames[0]["type"], turn.frames[-1]["type"]] == ["accepted", "done"]
    assert turn.accepted["request_id"] == "first"
    assert turn.text == mock_text(30)
    assert turn.end["message_id"] == turn.accepted["message_id"]
    assert (turn.end["finish"], turn.end["model"], turn.end["tier"]) == ("stop", FAST, "standard")
    assert turn.end["usage"]["output_tokens"] == 30
    assert Decimal(turn.end["cost_usd"]) == 0
    question, answer = messages(live, "acme", turn.accepted["conversation_id"])
    assert (question["role"], question["text"]) == ("user", "Hello there")
    assert (answer["id"], answer["text"], answer["status"]) == (turn.end["message_id"], turn.text, "complete")
    assert answer["turn_id"] == turn.turn_id


async def test_the_stages_are_told(chat):
    async with chat() as client:
        turn = await client.turn("Hello", model=FAST)
    stages = [frame["stage"] for frame in turn.of("status")]
    assert stages[0] == "searching"
    assert stages[-1] == "generating"


async def test_a_conversation_goes_on(live, chat):
    async with chat() as client:
        first = await client.turn("one", model=FAST)
        conversation_id = first.accepted["conversation_id"]
        second = await client.turn("two", model=FAST, conversation_id=conversation_id)
    assert second.accepted["conversation_id"] == conversation_id
    tree = messages(live, "acme", conversation_id)
    assert [row["parent_id"] for row in tree] == [None, *(row["id"] for row in tree[:-1])]


async def test_deltas_are_gathered(chat):
    async with chat() as client:
        turn = await client.turn("Hello", model="mock-len2000")
    assert turn.text == mock_text(2000)
    assert len(turn.of("delta")) < 500


async def test_stop_keeps_what_was_written(live, chat):
    async with chat() as client:
        await client.ask("Hello", model=SLOW)
        turn = await client.collect(until=started)
        await client.send(type="stop", turn_id=turn.turn_id)
        await client.collect(turn)
    assert turn.end["finish"] == "stopped"
    assert 0 < len(turn.text) < len(mock_text(200))
    assert mock_text(200).startswith(turn.text)
    answer = messages(live, "acme", turn.accepted["conversation_id"])[-1]
    assert (answer["text"], answer["status"]) == (turn.text, "stopped")


async def test_the_same_request_starts_nothing_new(live, chat):
    async with chat() as first, chat() as second:
        await first.ask("Hello", model=SLOW, request_id="again-1")
        await first.collect(until=started)
        await second.ask("Hello", model=SLOW, request_id="again-1")
        seen = await second.collect(until=started)
        await second.send(type="stop", turn_id=seen.turn_id)
        await second.collect(seen)
        replay = await second.turn("Hello", model=SLOW, request_id="again-1")
    assert replay.frames == seen.frames
    assert len(messages(live, "acme", seen.accepted["conversation_id"])) == 2


async def error_of(client: ChatClient) -> dict:
    frame = await client.receive()
    assert frame["type"] == "error"
    assert "seq" not in frame
    return frame


async def test_errors_have_codes_and_leave_the_socket_usable(chat):
    missing = str(uuid4())
    async with chat() as client:
        for raw in ("{", "[]", '"x"', "\u0000"):
            await client.socket.send(raw)
            assert (await error_of(client))["code"] == "invalid_json"
        await client.socket.send(b"\x00\x01")
        assert (await error_of(client))["code"] == "invalid_json"
        for frame, code in (
            ({"type": "dance"}, "unknown_type"),
            ({"type": ["ask"]}, "unknown_type"),
            ({}, "unknown_type"),
            ({"type": "ask", "text": "no id"}, "invalid"),
            ({"type": "stop"}, "invalid"),
            ({"type": "stop", "turn_id": missing}, "turn_not_found"),
            ({"type": "resume", "turn_id": missing, "after": -1}, "invalid"),
        ):
            await client.send(**frame)
            assert (await error_of(client))["code"] == code, frame
        for change, code in (
            ({"text": ""}, "empty_message"),
            ({"text": "x" * 100_001}, "message_too_long"),
            ({"text": "x", "model": "gpt-nothing"}, "model_not_found"),
            ({"text": "x", "assistant": "helper"}, "assistant_not_found"),
            ({"text": "x", "attachment_ids": [missing]}, "attachment_not_found"),
            ({"text": "x", "knowledge_base_ids": [missing]}, "knowledge_base_not_found"),
            ({"text": "x", "conversation_id": missing}, "conversation_not_found"),
        ):
            request_id = await client.ask(change.pop("text"), **{"model": FAST, **change})
            frame = await error_of(client)
            assert (frame["code"], frame["request_id"]) == (code, request_id)
        await client.send(type="ping")
        assert await client.receive() == {"type": "pong"}
        assert (await client.turn("still fine", model=FAST)).text == mock_text(30)


async def test_a_used_request_id_and_a_busy_conversation(chat):
    async with chat() as client:
        await client.ask("Hello", model=SLOW, request_id="reused-1")
        turn = await client.collect(until=started)
        await client.ask("Other", model=SLOW, request_id="reused-1")
        codes = []
        while "request_id_reused" not in codes:
            frame = await client.receive()
            codes.append(frame.get("code"))
        await client.ask("Now", model=FAST, conversation_id=turn.accepted["conversation_id"])
        while "turn_in_progress" not in codes:
            codes.append((await client.receive()).get("code"))


async def test_a_model_that_fails(live, chat):
    async with chat() as client:
        turn = await client.turn("Hello", model="mock-fail100")
    assert (turn.end["type"], turn.end["code"]) == ("error", "upstream_error")
    answer = messages(live, "acme", turn.accepted["conversation_id"])[-1]
    assert (answer["status"], answer["error_code"], answer["text"]) == ("failed", "upstream_error", "")
    async with chat() as client:
        again = await client.turn("Again", model=FAST, conversation_id=turn.accepted["conversation_id"])
    assert again.end["type"] == "done"


async def test_a_model_that_dies_in_mid_answer(live, chat):
    async with chat() as client:
        turn = await client.turn("Hello", model="mock-len100-cut20")
    assert (turn.end["finish"], turn.end["error"]["code"]) == ("interrupted", "upstream_interrupted")
    assert turn.text == mock_text(20)
    answer = messages(live, "acme", turn.accepted["conversation_id"])[-1]
    assert (answer["status"], answer["text"]) == ("interrupted", turn.text)


async def test_a_model_with_nothing_connected(chat):
    async with chat() as client:
        turn = await client.turn("Hello", model="premium")
    assert (turn.end["type"], turn.end["code"]) == ("error", "no_capacity")
    assert turn.end["retry_after"] > 0


async def test_each_answer_is_one_row_of_the_ledger(live, chat):
    with live.client("initech") as client:
        before = client.get("/api/usage/").json()["totals"]["requests"]
    async with chat("initech") as socket:
        await socket.turn("one", model=FAST)
        await socket.ask("two", model=SLOW)
        turn = await socket.collect(until=started)
        await socket.send(type="stop", turn_id=turn.turn_id)
        await socket.collect(turn)
    with live.client("initech") as client:
        report = client.get("/api/usage/?group_by=feature").json()
    assert report["totals"]["requests"] == before + 2
    assert {row["feature"] for row in report["rows"]} == {"chat"}


# -- who may come in


async def test_nobody_is_4401(chat):
    async with chat(token="pnl_wrong") as client:
        assert await client.closed() == 4401


async def test_no_session_behind_a_matching_origin_is_4401(live, chat):
    async with chat(token=None, origin=live.url("acme")) as client:
        assert await client.closed() == 4401


async def test_a_foreign_page_is_4403(chat):
    async with chat(token=None, origin="http://evil.example") as client:
        assert await client.closed() == 4403


async def test_a_token_without_the_scope_is_4403(live, chat):
    async with chat(token=live.token("acme", scopes="usage")) as client:
        assert await client.closed() == 4403


async def test_the_token_of_another_workspace_is_4401(live, chat):
    async with chat("globex", token=live.token("acme")) as client:
        assert await client.closed() == 4401


async def test_an_unknown_workspace_is_4404(live, chat):
    async with chat("nowhere", token=live.token("acme")) as client:
        assert await client.closed() == 4404


def session_cookie(live, slug: str) -> str:
    """Sign in on the page as a browser does."""
    with httpx.Client(base_url=live.base, headers={"Host": live.host(slug)}) as http:
        http.get("/sign-in/")
        form = {
            "email": f"owner@{slug}.test",
            "password": PASSWORD,
            "csrfmiddlewaretoken": http.cookies["panal_csrf"],
        }
        assert http.post("/sign-in/", data=form, headers={"Referer": live.url(slug)}).status_code == 302
        return "; ".join(f"{name}={value}" for name, value in http.cookies.items())


async def test_a_session_signs_in(live, chat):
    headers = {"Cookie": session_cookie(live, "acme")}
    async with chat(token=None, origin=live.url("acme"), headers=headers) as client:
        assert (await client.turn("Hello", model=FAST)).end["type"] == "done"


async def test_a_session_of_another_workspace_is_4401(live, chat):
    headers = {"Cookie": session_cookie(live, "acme")}
    async with chat("globex", token=None, origin=live.url("globex"), headers=headers) as client:
        assert await client.closed() == 4401


async def test_a_session_from_a_foreign_page_is_4403(live, chat):
    headers = {"Cookie": session_cookie(live, "acme")}
    async with chat(token=None, origin="http://evil.example", headers=headers) as client:
        assert await client.closed() == 4403


async def test_a_turn_that_is_not_there_is_4404(live, chat):
    async with chat() as client:
        await client.send(type="resume", turn_id=str(uuid4()), after=0)
        assert await client.closed() == 4404
    async with chat("acme") as mine, chat("globex") as theirs:
        turn = await mine.turn("Hello", model=FAST)
        await theirs.send(type="resume", turn_id=turn.turn_id, after=0)
        assert await theirs.closed() == 4404


async def test_another_tenant_cannot_stop_it(chat):
    async with chat("acme") as mine, chat("globex") as theirs:
        await mine.ask("Hello", model="mock-itl20-len40")
        turn = await mine.collect(until=started)
        await theirs.send(type="stop", turn_id=turn.turn_id)
        assert (await error_of(theirs))["code"] == "turn_not_found"
        await mine.collect(turn)
    assert turn.end["finish"] == "stop"


async def test_a_frame_over_the_limit_is_4413(chat):
    async with chat() as client:
        await client.socket.send("x" * (1024 * 1024 + 1))
        assert await client.closed() == 4413


async def test_a_flood_of_frames_is_cut_off(chat):
    async with chat() as client:
        for _ in range(200):
            await client.send(type="ping")
        assert await client.closed() == 1008
        assert client.unread[-1]["code"] == "too_many_frames"


async def test_a_reader_that_takes_nothing_is_4408_and_may_resume(live, chat):
    server = live.sibling(PANAL_WS_STALL_SECONDS="1").start()
    try:
        token = live.token("acme")
        async with ChatClient(server.base, "acme", token) as client:
            turn = await client.turn("Hello", model="mock-len20000")
        async with ChatClient(server.base, "acme", token, max_queue=1) as slow:
            slow.socket.transport.pause_reading()
            for _ in range(50):
                await slow.send(type="resume", turn_id=turn.turn_id, after=0)
                await asyncio.sleep(0.02)
            await asyncio.sleep(4)
            slow.socket.transport.resume_reading()
            assert await slow.closed() == 4408
        async with ChatClient(server.base, "acme", token) as client:
            await client.send(type="resume", turn_id=turn.turn_id, after=0)
            assert (await client.collect()).text == turn.text
    finally:
        server.stop()


# -- a second tab


async def test_only_a_page_that_asked_hears_of_turns_elsewhere(chat):
    async with (
        chat() as program,
        chat(query="?notices=1") as page,
        chat("globex", query="?notices=1") as other,
    ):
        turn = await program.turn("Hello", model=FAST)
        notice = await page.receive()
        assert notice == {
            "type": "turn", "conversation_id": turn.accepted["conversation_id"], "turn_id": turn.turn_id,
        }  # fmt: skip
        await page.send(type="resume", turn_id=notice["turn_id"], after=0)
        assert (await page.collect()).frames == turn.frames
        await other.send(type="ping")
        assert await other.receive() == {"type": "pong"}
        await program.send(type="ping")
        assert await program.receive() == {"type": "pong"}


async def test_the_gauge_counts_open_sockets(live, chat):
    def gauge() -> float:
        with live.client("acme", token=False) as client:
            lines = client.get("/metrics").text.splitlines()
        return float(next(line for line in lines if line.startswith("panal_ws_connections")).split()[-1])

    before = gauge()
    async with chat(), chat():
        await asyncio.sleep(0.2)
        assert gauge() == before + 2
    await asyncio.sleep(1)
    assert gauge() == before


def test_the_client_insists_on_numbers_without_holes():
    transcript = Transcript()
    transcript.add(json.loads('{"type":"accepted","turn_id":"t","seq":1}'))
    with pytest.raises(AssertionError):
        transcript.add({"type": "delta", "turn_id": "t", "seq": 3, "text": ""})
