"""The gateway end to end: real database, real sockets, one ledger row however a generation ends."""

import asyncio
import time
from contextlib import aclosing
from decimal import Decimal

import pytest

from tests.routing.conftest import rows_of, text_of

pytestmark = pytest.mark.django_db(transaction=True)

ANSWER = " ".join(f"w{index}" for index in range(12))


@pytest.fixture
def lab(request, connect):
    """A provider of each format, connected to acme; gives (fake, model)."""
    fake = request.getfixturevalue(f"fake_{request.param}")
    connect(fake, request.getfixturevalue("acme"))
    return fake, fake.models[0]


both = pytest.mark.parametrize("lab", ["ollama", "openai"], indirect=True)


@both
async def test_an_answer_streams_and_is_counted_once(cast, lab, ask, run):
    fake, model = lab
    events, receipt, error = await run(ask(cast.member, model, "say hello"))
    assert error is None
    assert text_of(events) == ANSWER
    assert (receipt.finish, receipt.model, receipt.provider) == ("stop", model, "lab")
    assert (receipt.usage.input_tokens, receipt.usage.output_tokens, receipt.usage.source) == (
        2,
        12,
        "provider",
    )
    assert receipt.cost_usd == Decimal("0.000013")  # 2 tokens at $0.5 and 12 at $1 per million
    rows, still_open = await rows_of(cast.scope)
    assert not still_open
    [row] = rows
    assert (row.event_id, row.status, row.cost_usd) == (receipt.event_id, "ok", receipt.cost_usd)
    assert (row.user_id, row.feature, row.model) == (cast.member.user_id, "api", model)
    assert row.first_token_at is not None
    assert len(fake.chats) == 1


@both
async def test_finished_comes_after_the_row_is_written(cast, lab, ask):
    from routing import gateway
    from routing.vocabulary import Finished

    async with aclosing(gateway.start(ask(cast.member, lab[1]))) as generation:
        async for event in generation:
            if isinstance(event, Finished):
                assert generation.receipt is not None
                assert len((await rows_of(cast.scope))[0]) == 1


@both
async def test_stopping_closes_the_provider_within_50_ms_and_settles(cast, lab, ask):
    from routing import gateway
    from routing.vocabulary import Delta

    fake, model = lab
    fake.tokens, fake.delay_ms = 1000, 20
    generation = gateway.start(ask(cast.member, model))
    async for event in generation:
        if isinstance(event, Delta) and event.text == " w3":
            break
    left = time.monotonic()
    closing = asyncio.create_task(generation.aclose())
    await fake.until_aborted()
    assert time.monotonic() - left < 2
    await closing
    [row] = (await rows_of(cast.scope))[0]
    assert (row.status, generation.receipt.finish) == ("stopped", "stopped")
    assert row.usage_source == "estimate"
    assert 4 <= row.output_tokens <= 8


async def test_stopping_from_another_task_ends_the_reader(cast, ask):
    from routing import gateway

    generation = gateway.start(ask(cast.member, "mock-itl20-len1000"))

    async def read():
        return [event async for event in generation]

    reader = asyncio.create_task(read())
    await asyncio.sleep(0.3)
    await generation.aclose()
    events = await asyncio.wait_for(reader, 1)
    assert 3 < len(events) < 100
    assert generation.receipt.finish == "stopped"


async def test_a_cancelled_reader_settles_too(cast, fake_ollama, connect, acme, ask, run):
    from asgiref.sync import sync_to_async

    await sync_to_async(connect)(fake_ollama, acme)
    fake_ollama.set_fault("slow")
    reader = asyncio.create_task(run(ask(cast.member, "llama3.1:8b")))
    await asyncio.sleep(0.6)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await fake_ollama.until_aborted()
    rows, still_open = await rows_of(cast.scope)
    assert ([row.status for row in rows], still_open) == (["stopped"], [])


async def test_a_forgotten_generation_is_stopped(cast, ask):
    from routing import gateway
    from routing.vocabulary import Delta

    generation = gateway.start(ask(cast.member, "mock-itl20-len1000"))
    async for event in generation:
        if isinstance(event, Delta):
            break
    del generation, event
    for _ in range(100):
        rows, still_open = await rows_of(cast.scope)
        if rows:
            break
        await asyncio.sleep(0.02)
    assert ([row.status for row in rows], still_open) == (["stopped"], [])


async def test_a_generation_never_begun_costs_and_writes_nothing(cast, ask):
    from routing import gateway

    generation = gateway.start(ask(cast.member, "mock"))
    await generation.aclose()
    assert [event async for event in generation] == []
    assert await rows_of(cast.scope) == ([], [])


FAULTS_BEFORE = {
    "refuse": "upstream_error",
    "500": "upstream_error",
    "429": "no_capacity",
    "401": "upstream_error",
    "404": "upstream_error",
    "400": "upstream_rejected",
    "cut_after:0": "upstream_error",
    "malformed_after:0": "upstream_error",
    "error_event_after:0": "upstream_error",
    "oversized_after:0": "upstream_error",
}


@both
@pytest.mark.parametrize(("fault", "code"), FAULTS_BEFORE.items())
async def test_faults_before_the_first_token(cast, lab, ask, run, fault, code):
    fake, model = lab
    fake.set_fault(fault)
    events, receipt, error = await run(ask(cast.member, model))
    assert (text_of(events), error.code) == ("", code)
    assert receipt.cost_usd == 0
    rows, still_open = await rows_of(cast.scope)
    assert not still_open
    assert [(row.status, row.error_code, row.input_tokens, row.output_tokens) for row in rows] == [
        ("error", code, 0, 0)
    ]
    if fault == "429":
        assert error.retry_after == 7


@both
@pytest.mark.parametrize(
    "fault", ["cut_after:5", "malformed_after:5", "error_event_after:5", "oversized_after:5"]
)
async def test_faults_after_the_first_token(cast, lab, ask, run, fault):
    fake, model = lab
    fake.set_fault(fault)
    events, receipt, error = await run(ask(cast.member, model))
    assert text_of(events) == "w0 w1 w2 w3 w4"
    assert (error.code, receipt.finish) == ("upstream_interrupted", "interrupted")
    [row] = (await rows_of(cast.scope))[0]
    assert (row.status, row.error_code, row.usage_source) == (
        "interrupted",
        "upstream_interrupted",
        "estimate",
    )
    assert row.output_tokens > 0
    assert row.cost_usd == receipt.cost_usd > 0


@pytest.fixture
def hasty(monkeypatch):
    from routing.deadlines import Deadlines

    short = Deadlines(connect=0.3, first_token=0.2, between_tokens=0.15, total=0.6)
    monkeypatch.setattr("routing.upstream.deadlines", lambda: short)


@both
@pytest.mark.parametrize(
    ("fault", "code", "text"),
    [
        ("hang", "upstream_timeout", ""),
        ("headers", "upstream_timeout", ""),
        ("stall_after:3", "upstream_interrupted", "w0 w1 w2"),
    ],
)
async def test_silence_meets_a_deadline(cast, lab, ask, run, hasty, fault, code, text):
    fake, model = lab
    fake.set_fault(fault)
    started = time.monotonic()
    events, _, error = await run(ask(cast.member, model))
    assert (text_of(events), error.code) == (text, code)
    assert time.monotonic() - started < 10
    await fake.until_aborted()


@both
async def test_an_endless_answer_meets_the_total_deadline(cast, lab, ask, run, hasty):
    fake, model = lab
    fake.tokens, fake.delay_ms = 1000, 30
    events, receipt, error = await run(ask(cast.member, model))
    assert (error.code, receipt.finish) == ("upstream_interrupted", "interrupted")
    assert 5 < len(events) < 40


async def test_nothing_listens_there(cast, acme, fake_ollama, ask, run):
    from asgiref.sync import sync_to_async

    from routing.services import model_add, provider_add
    from tenants.scope import tenant_scope

    def add():
        with tenant_scope(acme):
            provider_add(
                slug="gone",
                wire="openai",
                base_url="http://127.0.0.1:9/v1",
                pool="external",
                key="sk-secret-12345",
            )
            model_add(provider="gone", name="ghost", kind="chat", tier="standard")

    await sync_to_async(add)()
    _, _, error = await run(ask(cast.member, "ghost"))
    assert (error.code, error.status) == ("upstream_error", 502)
    assert "127.0.0.1" not in error.detail
    assert "secret" not in error.detail


@both
async def test_a_prefix_is_continued(cast, lab, ask, run):
    _, model = lab
    events, _, _ = await run(ask(cast.member, model, prefix="w0 w1 w2 w3"))
    assert text_of(events) == ANSWER.removeprefix("w0 w1 w2 w3")


@both
async def test_tools_and_json(cast, lab, ask, run):
    from routing.vocabulary import Finished, ToolCall

    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    events, receipt, _ = await run(ask(cast.member, lab[1], tools=(tool,)))
    calls = [event for event in events if isinstance(event, ToolCall)]
    assert calls[0].name == "weather"
    assert "".join(call.arguments for call in calls).replace(" ", "") == '{"city":"Lisbon"}'
    assert events[-1] == Finished("tool_calls")
    assert receipt.finish == "tool_calls"
    events, _, _ = await run(ask(cast.member, lab[1], response_format={"type": "json_object"}))
    assert text_of(events) == '{"answer": "w0"}'


@pytest.mark.parametrize("lab", ["ollama"], indirect=True)
async def test_what_the_provider_is_asked(cast, lab, ask, run):
    fake, model = lab
    await run(ask(cast.member, model, max_tokens=3, temperature=0.5, stop=("END",)))
    sent = fake.chats[-1].json
    assert sent["options"] == {"num_ctx": 8192, "num_predict": 3, "temperature": 0.5, "stop": ["END"]}
    assert sent["keep_alive"] == "10m"


async def test_two_tenants_never_share_a_provider_or_a_row(cast, globex_cast, fake_ollama, connect, ask, run):
    from asgiref.sync import sync_to_async

    await sync_to_async(connect)(fake_ollama, cast.scope)
    asked = [ask(cast.member, "llama3.1:8b") for _ in range(5)] + [
        ask(globex_cast.member, "mock-len5") for _ in range(5)
    ]
    results = await asyncio.gather(*(run(request) for request in asked))
    assert all(error is None for _, _, error in results)
    _, _, error = await run(ask(globex_cast.member, "llama3.1:8b"))
    assert error.code == "model_not_found"
    ours, theirs = (await rows_of(cast.scope))[0], (await rows_of(globex_cast.scope))[0]
    assert {row.request_id for row in ours} == {request.id for request in asked[:5]}
    assert {row.request_id for row in theirs} == {request.id for request in asked[5:]}


async def test_a_failing_ledger_refuses_before_the_provider_is_called(
    cast, fake_ollama, connect, ask, run, monkeypatch
):
    from asgiref.sync import sync_to_async

    def broken(**_):
        raise RuntimeError("no database")

    await sync_to_async(connect)(fake_ollama, cast.scope)
    monkeypatch.setattr("routing.stages.ledger.call_open", broken)
    _, receipt, error = await run(ask(cast.member, "llama3.1:8b"))
    assert (error.code, error.status, receipt) == ("ledger_unavailable", 503, None)
    assert not fake_ollama.chats


async def test_settling_is_tried_again(cast, ask, run, monkeypatch):
    from billing.services import call_settle

    attempts = []

    def flaky(**arguments):
        attempts.append(1)
        if len(attempts) == 1:
            raise RuntimeError("lost connection")
        return call_settle(**arguments)

    monkeypatch.setattr("routing.stages.ledger.call_settle", flaky)
    _, receipt, error = await run(ask(cast.member, "mock-len3"))
    assert (error, receipt.finish, len(attempts)) == (None, "stop", 2)
    assert len((await rows_of(cast.scope))[0]) == 1


async def test_a_slow_reader_makes_the_provider_wait(cast, ask):
    from routing import gateway

    generation = gateway.start(ask(cast.member, "mock-len5000"))
    await anext(generation)
    await asyncio.sleep(0.3)
    assert len(generation._channel.events) <= gateway.BACKLOG
    assert len([event async for event in generation]) == 5001


async def test_stop_all_settles_everything(cast, ask):
    from routing import gateway

    generations = [gateway.start(ask(cast.member, "mock-itl10-len1000")) for _ in range(5)]
    for generation in generations:
        await anext(generation)
    await gateway.stop_all()
    rows, still_open = await rows_of(cast.scope)
    assert ([row.status for row in rows], still_open) == (["stopped"] * 5, [])
