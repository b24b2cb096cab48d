"""The fakes are proved with the vendors' own client libraries."""

import time

import httpx
import ollama
import openai
import pytest

from tests.fakes.openai import KEY

HELLO = [{"role": "user", "content": "say hello"}]
TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}
ANSWER = " ".join(f"w{index}" for index in range(12))


@pytest.fixture
def vendor_ollama(fake_ollama):
    return ollama.Client(host=fake_ollama.url)


@pytest.fixture
def vendor_openai(fake_openai):
    return openai.OpenAI(base_url=fake_openai.base_url, api_key=KEY, max_retries=0)


def test_ollama_answers_its_own_client(vendor_ollama):
    whole = vendor_ollama.chat(model="llama3.1:8b", messages=HELLO)
    assert whole.message.content == ANSWER
    assert (whole.prompt_eval_count, whole.eval_count, whole.done_reason) == (2, 12, "stop")
    parts = list(vendor_ollama.chat(model="llama3.1:8b", messages=HELLO, stream=True))
    assert "".join(part.message.content for part in parts) == ANSWER
    assert (parts[-1].done, parts[-1].eval_count) == (True, 12)


def test_ollama_lists_shows_and_runs(vendor_ollama):
    assert [model.model for model in vendor_ollama.list().models] == [
        "llama3.1:8b",
        "nomic-embed-text:latest",
    ]
    shown = vendor_ollama.show("llama3.1:8b")
    assert shown.modelinfo["llama.context_length"] == 131072
    assert vendor_ollama.ps().models[0].model == "llama3.1:8b"
    assert len(vendor_ollama.embed("nomic-embed-text:latest", ["a", "b"]).embeddings) == 2


def test_ollama_continues_and_calls_tools(vendor_ollama):
    begun = [*HELLO, {"role": "assistant", "content": "w0 w1"}]
    assert vendor_ollama.chat(model="llama3.1:8b", messages=begun).message.content.startswith(" w2 w3")
    called = vendor_ollama.chat(model="llama3.1:8b", messages=HELLO, tools=[TOOL])
    assert called.message.tool_calls[0].function.arguments == {"city": "Lisbon"}
    with pytest.raises(ollama.ResponseError, match="not found"):
        vendor_ollama.chat(model="nobody", messages=HELLO)


def test_openai_answers_its_own_client(vendor_openai):
    whole = vendor_openai.chat.completions.create(model="gpt-fake", messages=HELLO)
    assert whole.choices[0].message.content == ANSWER
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (2, 12)
    stream = vendor_openai.chat.completions.create(
        model="gpt-fake", messages=HELLO, stream=True, stream_options={"include_usage": True}, max_tokens=3
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "w0 w1 w2"
    assert chunks[-2].choices[0].finish_reason == "length"
    assert chunks[-1].usage.completion_tokens == 3


def test_openai_tools_models_and_errors(vendor_openai, fake_openai):
    assert [model.id for model in vendor_openai.models.list()] == ["gpt-fake"]
    called = vendor_openai.chat.completions.create(model="gpt-fake", messages=HELLO, tools=[TOOL])
    assert called.choices[0].message.tool_calls[0].function.name == "weather"
    with pytest.raises(openai.NotFoundError):
        vendor_openai.chat.completions.create(model="nobody", messages=HELLO)
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=fake_openai.base_url, api_key="wrong").models.list()


def _stream(fake_openai) -> str:
    body = {"model": "gpt-fake", "messages": HELLO, "stream": True}
    with httpx.stream(
        "POST",
        fake_openai.base_url + "/chat/completions",
        json=body,
        headers={"authorization": f"Bearer {KEY}"},
        timeout=1,
    ) as answer:
        return "".join(answer.iter_text())


@pytest.mark.parametrize("fault", ["refuse", "cut_after:3"])
def test_broken_connections(fake_openai, fault):
    fake_openai.set_fault(fault)
    with pytest.raises(httpx.RemoteProtocolError if fault.startswith("cut") else httpx.TransportError):
        _stream(fake_openai)


@pytest.mark.parametrize("fault", ["hang", "headers", "stall_after:3"])
def test_silence(fake_openai, fault):
    fake_openai.set_fault(fault)
    with pytest.raises(httpx.ReadTimeout):
        _stream(fake_openai)


def test_faults_inside_the_stream(fake_openai):
    fake_openai.set_fault("error_event_after:2")
    assert '"error"' in _stream(fake_openai)
    fake_openai.set_fault("malformed_after:2")
    text = _stream(fake_openai)
    assert '"choices":[{"del\n\n' in text
    assert "[DONE]" not in text


def test_control_endpoint_and_one_shot_faults(fake_ollama):
    httpx.post(fake_ollama.url + "/_ctl", json={"fault": "429", "times": 1, "tokens": 3})
    body = {"model": "llama3.1:8b", "messages": HELLO, "stream": False}
    first = httpx.post(fake_ollama.url + "/api/chat", json=body)
    assert (first.status_code, first.headers["retry-after"]) == (429, "7")
    assert httpx.post(fake_ollama.url + "/api/chat", json=body).json()["message"]["content"] == "w0 w1 w2"
    counters = httpx.get(fake_ollama.url + "/_ctl").json()
    assert (counters["requests"], counters["tokens"]) == (2, 3)


async def test_a_client_that_leaves_is_seen(fake_ollama):
    fake_ollama.set_fault("slow")
    body = {"model": "llama3.1:8b", "messages": HELLO}
    async with (
        httpx.AsyncClient() as client,
        client.stream("POST", fake_ollama.url + "/api/chat", json=body) as answer,
    ):
        await anext(answer.aiter_bytes())
    left = time.monotonic()
    await fake_ollama.until_aborted()
    assert time.monotonic() - left < 2
