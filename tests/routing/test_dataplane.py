"""/v1 over a real port: with the official OpenAI client, and byte by byte where the client hides things."""

import asyncio
import json
import threading
import time

import httpx
import openai
import pytest
import uvicorn

from tests.routing.conftest import rows_of

pytestmark = pytest.mark.django_db(transaction=True)

HELLO = [{"role": "user", "content": "say hello"}]
ANSWER = " ".join(f"w{index}" for index in range(12))


@pytest.fixture(scope="module")
def port():
    """The data plane alone, on a port and an event loop of its own."""
    from routing import transport
    from routing.dataplane import application

    config = uvicorn.Config(application, port=0, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)

    async def serve():
        await server.serve()
        await transport.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def key(token, cast):
    return token(cast.member, "chat")


@pytest.fixture
def client(port, key):
    with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=key, max_retries=0) as made:
        yield made


@pytest.fixture
def raw(port, key):
    headers = {"authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10) as made:
        yield made


def chat(client, model, **fields):
    return client.chat.completions.create(model=model, messages=HELLO, **fields)


def joined(stream) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


async def settled(scope, count=1):
    """The rows once the server's thread has written them."""
    for _ in range(150):
        rows, still_open = await rows_of(scope)
        if len(rows) >= count and not still_open:
            return rows
        await asyncio.sleep(0.02)
    raise AssertionError((rows, still_open))


class TestAnswers:
    @pytest.mark.parametrize(("fake", "model"), [("fake_ollama", "llama3.1:8b"), ("fake_openai", "gpt-fake")])
    async def test_from_each_wire_format(self, client, cast, connect, request, fake, model):
        await asyncio.to_thread(connect, request.getfixturevalue(fake), cast.scope)
        whole = await asyncio.to_thread(chat, client, model)
        assert whole.choices[0].message.content == ANSWER
        assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (2, 12)
        assert (whole.model, whole.choices[0].finish_reason) == (model, "stop")
        streamed = await asyncio.to_thread(lambda: list(chat(client, model, stream=True)))
        assert joined(streamed) == ANSWER
        assert streamed[-1].choices[0].finish_reason == "stop"
        assert len(await settled(cast.scope, 2)) == 2

    async def test_from_the_mock(self, client, cast):
        from routing.builtin.mock import text

        whole = await asyncio.to_thread(chat, client, "mock-len50")
        assert whole.choices[0].message.content == text(50)
        assert whole.usage.completion_tokens == 50
        [row] = await settled(cast.scope)
        assert (row.token_id is not None, row.user_id, row.feature) == (True, cast.member.user_id, "api")

    def test_from_the_documents(self, client, monkeypatch):
        from uuid import uuid4

        from routing import retrieval
        from routing.vocabulary import Source

        text = "To connect Ollama, do this:\n\n1. Install it.\n2. Set OLLAMA_CPU_URL."

        async def retriever(actor, query, k):
            assert actor.email == "mia@acme.test"
            return (Source(1, uuid4(), uuid4(), "Connect Ollama", None, text, 0, len(text)),)

        monkeypatch.setattr(retrieval, "_retriever", retriever)
        messages = [{"role": "user", "content": "How do I connect Ollama?"}]
        for model in ("panal-extractive", "auto", "standard"):
            answer = client.chat.completions.create(model=model, messages=messages)
            assert answer.model == "panal-extractive"
            assert answer.choices[0].message.content == (
                "To connect Ollama, do this: [1]\n\n1. Install it.\n2. Set OLLAMA_CPU_URL."
            )

    def test_usage_in_the_stream_only_when_asked(self, client):
        chunks = list(chat(client, "mock-len5", stream=True, stream_options={"include_usage": True}))
        assert chunks[-1].choices == []
        assert chunks[-1].usage.completion_tokens == 5
        assert all(chunk.usage is None for chunk in chunks[:-1])
        assert all(chunk.usage is None for chunk in chat(client, "mock-len5", stream=True))

    def test_max_tokens(self, client):
        answer = chat(client, "mock-len50", max_completion_tokens=7)
        assert (answer.usage.completion_tokens, answer.choices[0].finish_reason) == (7, "length")

    @pytest.mark.parametrize(("fake", "model"), [("fake_ollama", "llama3.1:8b"), ("fake_openai", "gpt-fake")])
    def test_tools_whole_and_streamed(self, client, cast, connect, request, fake, model):
        connect(request.getfixturevalue(fake), cast.scope)
        tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
        [call] = chat(client, model, tools=tools).choices[0].message.tool_calls
        assert (call.function.name, json.loads(call.function.arguments)) == ("weather", {"city": "Lisbon"})
        with client.chat.completions.stream(model=model, messages=HELLO, tools=tools) as stream:
            final = stream.get_final_completion()
        assert final.choices[0].finish_reason == "tool_calls"
        assert json.loads(final.choices[0].message.tool_calls[0].function.arguments) == {"city": "Lisbon"}
        history = [
            *HELLO,
            {"role": "assistant", "content": None, "tool_calls": [call.model_dump()]},
            {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
        ]
        assert (
            client.chat.completions.create(model=model, messages=history).choices[0].message.content == ANSWER
        )

    def test_json_schema(self, client, cast, connect, fake_ollama):
        connect(fake_ollama, cast.scope)
        schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
        wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
        answer = chat(client, "llama3.1:8b", response_format=wanted)
        assert json.loads(answer.choices[0].message.content) == {"answer": "w0"}
        assert fake_ollama.chats[-1].json["format"] == schema

    def test_headers(self, raw):
        body = {"model": "mock-len3", "messages": HELLO}
        whole = raw.post("/v1/chat/completions", json=body)
        assert whole.headers["x-panal-model"] == "mock-len3"
        assert whole.headers["x-panal-pool"] == "builtin"
        assert whole.headers["x-panal-route"] == "asked for by name"
        assert (whole.headers["x-panal-attempts"], whole.headers["x-panal-cache"]) == ("1", "miss")
        assert float(whole.headers["x-panal-cost-usd"]) == 0
        assert whole.headers["x-panal-request-id"].replace("-", "") in whole.json()["id"]
        streamed = raw.post("/v1/chat/completions", json={**body, "stream": True})
        assert streamed.headers["content-type"].startswith("text/event-stream")
        assert streamed.headers["x-panal-model"] == "mock-len3"
        assert streamed.text.endswith("data: [DONE]\n\n")

    def test_fields_that_would_redirect_the_call_are_dropped(self, raw, cast, connect, fake_openai):
        connect(fake_openai, cast.scope)
        body = {
            "model": "gpt-fake",
            "messages": HELLO,
            "api_base": "http://127.0.0.1:1",
            "extra_headers": {"x": "y"},
        }
        assert raw.post("/v1/chat/completions", json=body).status_code == 200
        sent = fake_openai.chats[-1]
        assert not {"api_base", "extra_headers"} & set(sent.json)
        assert "x" not in sent.headers


class TestModels:
    def test_list(self, client, cast, connect, fake_ollama):
        connect(fake_ollama, cast.scope)
        names = [model.id for model in client.models.list()]
        assert names[:4] == ["auto", "standard", "premium", "llama3.1:8b"]
        assert "panal-extractive" in names
        assert client.models.retrieve("llama3.1:8b").owned_by == "lab"
        assert client.models.retrieve("mock-len7").id == "mock-len7"
        with pytest.raises(openai.NotFoundError) as caught:
            client.models.retrieve("nobody")
        assert caught.value.code == "model_not_found"


class TestRefusals:
    def test_unknown_model(self, client):
        with pytest.raises(openai.NotFoundError) as caught:
            chat(client, "no-such-model")
        assert caught.value.code == "model_not_found"

    def test_no_premium(self, raw):
        answer = raw.post("/v1/chat/completions", json={"model": "premium", "messages": HELLO})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_capacity")
        assert int(answer.headers["retry-after"]) > 0

    @pytest.mark.parametrize(
        "bad", ["", "nonsense", "pnl_aaaaaaaa_bbbbbbbb_" + "c" * 43, "pnl___", "x" * 5000]
    )
    def test_bad_keys(self, port, bad):
        headers = {"authorization": f"Bearer {bad}"} if bad else {}
        answer = httpx.get(f"http://127.0.0.1:{port}/v1/models", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")

    def test_hosts(self, port, key):
        def code(host):
            headers = {"authorization": f"Bearer {key}", "host": host}
            return httpx.get(f"http://127.0.0.1:{port}/v1/models", headers=headers).status_code

        hosts = ("localhost:8000", "acme.localhost", "globex.localhost", "nobody.localhost")
        assert [code(host) for host in hosts] == [200, 200, 401, 404]

    def test_scopes_and_roles(self, port, token, cast):
        def code(actor, *scopes):
            headers = {"authorization": f"Bearer {token(actor, *scopes)}"}
            body = {"model": "mock-len1", "messages": HELLO}
            answer = httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body, headers=headers)
            return answer.status_code, answer.json().get("error", {}).get("code")

        assert code(cast.member, "usage") == (403, "insufficient_scope")
        assert code(cast.viewer, "chat") == (403, "forbidden")
        assert code(cast.admin, "admin") == (200, None)

    def test_a_revoked_token_stops_within_a_second(self, raw, cast):
        from django.utils import timezone

        from tenants.people.models import ApiToken
        from tenants.scope import tenant_scope

        assert raw.get("/v1/models").status_code == 200
        with tenant_scope(cast.scope):
            ApiToken.objects.update(revoked_at=timezone.now())
        time.sleep(1.05)
        assert raw.get("/v1/models").status_code == 401

    @pytest.mark.parametrize(
        ("body", "param"),
        [
            ({"messages": HELLO}, "model"),
            ({"model": 5, "messages": HELLO}, "model"),
            ({"model": "mock"}, "messages"),
            ({"model": "mock", "messages": []}, "messages"),
            ({"model": "mock", "messages": "hi"}, "messages"),
            ({"model": "mock", "messages": [5]}, "messages[0]"),
            ({"model": "mock", "messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
            ({"model": "mock", "messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
            (
                {"model": "mock", "messages": [{"role": "user", "content": [{"type": "audio"}]}]},
                "messages[0].content[0].type",
            ),
            ({"model": "mock", "messages": HELLO, "n": 2}, "n"),
            ({"model": "mock", "messages": HELLO, "temperature": 3}, "temperature"),
            ({"model": "mock", "messages": HELLO, "temperature": "hot"}, "temperature"),
            ({"model": "mock", "messages": HELLO, "max_tokens": -1}, "max_tokens"),
            ({"model": "mock", "messages": HELLO, "max_tokens": True}, "max_tokens"),
            ({"model": "mock", "messages": HELLO, "stream": "yes"}, "stream"),
            ({"model": "mock", "messages": HELLO, "stop": [1]}, "stop"),
            ({"model": "mock", "messages": HELLO, "tools": [{}]}, "tools[0].type"),
            (
                {"model": "mock", "messages": HELLO, "response_format": {"type": "xml"}},
                "response_format.type",
            ),
        ],
    )
    def test_bad_fields_are_named(self, raw, body, param):
        answer = raw.post("/v1/chat/completions", json=body)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["param"]) == (422, "invalid_request", param)
        assert error["type"] == "invalid_request_error"

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'"text"', b"[" * 100_000])
    def test_what_is_not_json(self, raw, body):
        answer = raw.post("/v1/chat/completions", content=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_json")

    def test_too_large(self, raw):
        answer = raw.post("/v1/chat/completions", content=b"x" * (11 << 20))
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")
        assert raw.get("/v1/models").status_code == 200

    def test_too_deep(self, raw, cast, connect, fake_ollama):
        connect(fake_ollama, cast.scope)
        deep: dict = {}
        for _ in range(300):
            deep = {"a": deep}
        tools = [{"type": "function", "function": {"name": "f", "parameters": deep}}]
        answer = raw.post(
            "/v1/chat/completions", json={"model": "llama3.1:8b", "messages": HELLO, "tools": tools}
        )
        assert (answer.status_code, answer.json()["error"]["param"]) == (422, "tools[0].function")

    def test_longer_than_the_context(self, raw, cast, connect, fake_ollama):
        connect(fake_ollama, cast.scope)
        messages = [{"role": "user", "content": "word " * 9000}]
        answer = raw.post("/v1/chat/completions", json={"model": "llama3.1:8b", "messages": messages})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "context_length_exceeded")
        assert not fake_ollama.chats

    def test_paths_and_methods(self, raw):
        assert raw.get("/v1/nothing").json()["error"]["code"] == "unknown_path"
        assert raw.get("/v1/chat/completions").status_code == 405
        assert raw.delete("/v1/models").status_code == 405


class TestFaults:
    def test_before_the_first_token_is_a_plain_error(self, client, cast, connect, fake_openai):
        connect(fake_openai, cast.scope)
        for fault, code, status in (("500", "upstream_error", 502), ("429", "no_capacity", 503)):
            fake_openai.set_fault(fault)
            for stream in (False, True):
                with pytest.raises(openai.APIStatusError) as caught:
                    list(chat(client, "gpt-fake", stream=stream))
                assert (caught.value.code, caught.value.status_code) == (code, status)

    @pytest.mark.parametrize("fault", ["cut_after:4", "error_event_after:4", "malformed_after:4"])
    def test_a_broken_stream_ends_with_an_error_and_no_done(
        self, raw, client, cast, connect, fake_ollama, fault
    ):
        connect(fake_ollama, cast.scope)
        fake_ollama.set_fault(fault)
        text = raw.post(
            "/v1/chat/completions", json={"model": "llama3.1:8b", "messages": HELLO, "stream": True}
        ).text
        assert '"code":"upstream_interrupted"' in text
        assert "[DONE]" not in text
        assert '"finish_reason":"stop"' not in text
        seen = []
        with pytest.raises(openai.APIError):
            seen.extend(chunk.choices[0].delta.content for chunk in chat(client, "llama3.1:8b", stream=True))
        with pytest.raises(openai.APIStatusError) as caught:
            chat(client, "llama3.1:8b")
        assert caught.value.code == "upstream_interrupted"

    @pytest.mark.parametrize("stream", [True, False])
    async def test_a_client_that_leaves_cancels_the_provider(
        self, port, key, cast, connect, fake_ollama, stream
    ):
        await asyncio.to_thread(connect, fake_ollama, cast.scope)
        fake_ollama.tokens, fake_ollama.delay_ms = 500, 20
        body = {"model": "llama3.1:8b", "messages": HELLO, "stream": stream}
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        data = json.dumps(body).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n"
            f"content-length: {len(data)}\r\n\r\n"
        )
        writer.write(head.encode() + data)
        await fake_ollama.until_tokens(5)
        left = time.monotonic()
        writer.close()
        await fake_ollama.until_aborted()
        assert time.monotonic() - left < 2
        [row] = await settled(cast.scope)
        assert (row.status, row.usage_source) == ("stopped", "estimate")
        assert row.output_tokens >= 5

    def test_the_provider_never_learns_our_token_nor_the_client_its_key(
        self, raw, key, cast, connect, fake_openai
    ):
        connect(fake_openai, cast.scope)
        raw.post("/v1/chat/completions", json={"model": "gpt-fake", "messages": HELLO})
        assert key not in json.dumps(fake_openai.chats[-1].headers)
        fake_openai.set_fault("401")
        answer = raw.post("/v1/chat/completions", json={"model": "gpt-fake", "messages": HELLO})
        assert "sk-fake" not in answer.text + str(answer.headers)


async def test_two_tenants_at_once(port, token, cast, globex_cast):
    """Each call is one row in its own tenant, and every answer is its own."""
    keys = await asyncio.to_thread(lambda: [token(cast.member, "chat"), token(globex_cast.member, "chat")])
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:

        async def one(number):
            body = {"model": f"mock-itl2-len{number % 7 + 1}", "messages": HELLO}
            headers = {"authorization": f"Bearer {keys[number % 2]}"}
            answer = (await http.post("/v1/chat/completions", json=body, headers=headers)).json()
            return answer["id"].removeprefix("chatcmpl-")

        ids = await asyncio.gather(*(one(number) for number in range(60)))
    for parity, scope in ((0, cast.scope), (1, globex_cast.scope)):
        rows = await settled(scope, 30)
        assert {row.request_id.hex for row in rows} == set(ids[parity::2])
