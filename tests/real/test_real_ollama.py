"""The chat path against a real Ollama server: gateway, data plane and websocket."""

import asyncio
import json
from contextlib import aclosing

import openai
import pytest
from websockets.asyncio.client import connect as websocket

from tests.real.conftest import MODEL
from tests.routing.conftest import rows_of, text_of

pytestmark = [pytest.mark.real, pytest.mark.django_db(transaction=True)]
HELLO = [{"role": "user", "content": "hello there"}]


@pytest.fixture
def gateway_to_it(real_ollama, acme):
    """A provider of acme's own at the real server."""
    from routing.services import model_add, provider_add
    from tenants.scope import tenant_scope

    with tenant_scope(acme):
        provider_add(slug="real", wire="ollama", base_url=real_ollama, pool="cpu")
        model_add(provider="real", name=MODEL, kind="chat", tier="standard", context=2048)


def _request(actor, **fields):
    from panal.kit.ids import uuid7
    from routing.vocabulary import Message, Request

    messages = (Message("user", "hello there"),)
    return Request(
        id=uuid7(), scope=actor.scope, actor=actor, feature="api", model=MODEL, messages=messages, **fields
    )


async def test_gateway_answers_and_counts(cast, gateway_to_it):
    from routing import gateway

    async with aclosing(gateway.start(_request(cast.member, max_tokens=20, seed=1))) as generation:
        events = [event async for event in generation]
    receipt = generation.receipt
    assert text_of(events)
    assert receipt.finish in {"length", "stop"}
    assert receipt.usage.source == "provider"
    assert receipt.usage.input_tokens > 5
    assert 0 < receipt.usage.output_tokens <= 20
    [row] = (await rows_of(cast.scope))[0]
    assert (row.status, row.output_tokens) == ("ok", receipt.usage.output_tokens)


async def test_gateway_continues_a_prefix(cast, gateway_to_it):
    """The server reads the prefix as part of the prompt: it counts for more input than without."""
    from routing import gateway

    async def read(prefix):
        request = _request(cast.member, temperature=0, seed=1, max_tokens=4, prefix=prefix)
        async with aclosing(gateway.start(request)) as generation:
            assert text_of([event async for event in generation])
        return generation.receipt.usage.input_tokens

    assert await read("an answer that was cut off in the mid") > await read("") + 10


async def test_gateway_stops_it(cast, gateway_to_it):
    from routing import gateway
    from routing.vocabulary import Delta

    generation = gateway.start(_request(cast.member, max_tokens=1900, seed=1, temperature=0))
    async for event in generation:
        if isinstance(event, Delta):
            break
    await asyncio.wait_for(generation.aclose(), 2)
    rows, still_open = await rows_of(cast.scope)
    assert ([row.status for row in rows], still_open) == (["stopped"], [])


@pytest.fixture
def panal(live, real_ollama):
    """A Panal process that finds the server through its environment."""
    server = live.sibling(OLLAMA_CPU_URL=real_ollama).start()
    yield server
    server.stop()


def test_openai_client_over_the_data_plane(panal):
    with openai.OpenAI(base_url=f"{panal.base}/v1", api_key=panal.token("acme"), max_retries=0) as client:
        assert MODEL in [model.id for model in client.models.list()]
        whole = client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=16, seed=1)
        assert whole.choices[0].message.content
        assert 0 < whole.usage.completion_tokens <= 16
        stream = client.chat.completions.create(
            model="auto",
            messages=HELLO,
            max_tokens=16,
            seed=1,
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
        assert chunks[0].model == MODEL
        assert chunks[-1].usage.prompt_tokens > 0


async def test_chat_over_the_websocket(panal):
    token = await asyncio.to_thread(panal.token, "acme")
    headers = {"Host": panal.host("acme"), "Authorization": f"Bearer {token}"}
    ask = {"type": "ask", "request_id": "0199a000-0000-7000-8000-000000000001", "conversation_id": None}
    async with websocket(panal.ws(), additional_headers=headers) as socket:
        await socket.send(json.dumps({**ask, "text": "hello there", "model": MODEL}))
        frames = []
        while not frames or frames[-1]["type"] not in {"done", "error"}:
            frames.append(json.loads(await asyncio.wait_for(socket.recv(), 60)))
            turn = next((frame["turn_id"] for frame in frames if "turn_id" in frame), None)
            if turn and sum(frame["type"] == "delta" for frame in frames) == 3:
                await socket.send(json.dumps({"type": "stop", "turn_id": turn}))
    assert frames[-1]["type"] == "done", frames[-1]
    assert frames[-1]["model"] == MODEL
    assert any(frame["type"] == "delta" for frame in frames)
