"""The whole product in a process of its own, driven as a customer's program drives it."""

import secrets
import time

import openai
import pytest

from tests.fakes.openai import KEY
from tests.fixtures.live import PASSWORD

HELLO = [{"role": "user", "content": "say hello"}]
ANSWER = " ".join(f"w{index}" for index in range(12))
GUIDE = "# Connect Ollama\n\nTo connect Ollama:\n\n1. Install Ollama.\n2. Start it with `ollama serve`.\n"


@pytest.fixture(scope="module")
def worker(live):
    with live.worker("-c", "1"):
        yield


@pytest.fixture(scope="module")
def workspace(live):
    """A workspace of this file's own: what it connects must not change what others find."""
    slug = f"hooli-{secrets.token_hex(3)}"
    live.manage(
        "tenant_create", "--slug", slug, "--name", "Hooli", "--plan", "enterprise",
        "--owner-email", f"owner@{slug}.test", "--owner-password", PASSWORD,
    )  # fmt: skip
    return slug


@pytest.fixture
def client(live, workspace):
    with openai.OpenAI(base_url=f"{live.base}/v1", api_key=live.token(workspace), max_retries=0) as made:
        yield made


def both_ways(client, model, text="say hello"):
    messages = [{"role": "user", "content": text}]
    whole = client.chat.completions.create(model=model, messages=messages).choices[0].message.content
    stream = client.chat.completions.create(model=model, messages=messages, stream=True)
    return whole, "".join(chunk.choices[0].delta.content or "" for chunk in stream)


def test_documents_answer_where_nothing_is_connected(live, workspace, worker):
    with live.client(workspace) as http:
        base = http.post("/api/knowledge-bases/", json={"name": "Handbook"}).json()["id"]
        added = http.post(
            f"/api/knowledge-bases/{base}/documents/", json={"title": "Connect Ollama", "text": GUIDE}
        )
        document, deadline = added.json()["id"], time.monotonic() + 60
        while http.get(f"/api/documents/{document}/").json()["status"] != "ready":
            assert time.monotonic() < deadline
            time.sleep(0.2)
    with openai.OpenAI(base_url=f"{live.base}/v1", api_key=live.token(workspace), max_retries=0) as client:
        for model in ("panal-extractive", "auto"):
            whole, streamed = both_ways(client, model, "How do I connect Ollama?")
            assert (
                whole
                == streamed
                == ("To connect Ollama: [1]\n\n1. Install Ollama.\n2. Start it with `ollama serve`.")
            )
        assert client.chat.completions.create(model="auto", messages=HELLO).model == "panal-extractive"


def test_every_kind_of_model_answers_and_is_counted_once(live, workspace, client, fake_ollama, fake_openai):
    live.manage("provider_add", "--slug", "fo", "--wire", "ollama", "--url", fake_ollama.url, "--pool", "cpu",
                "--tenant", workspace)  # fmt: skip
    live.manage("provider_add", "--slug", "fa", "--wire", "openai", "--url", fake_openai.base_url, "--key", KEY,
                "--pool", "external", "--tenant", workspace)  # fmt: skip
    live.manage("model_add", "--provider", "fo", "--name", "llama3.1:8b", "--kind", "chat",
                "--tier", "standard", "--tenant", workspace)  # fmt: skip
    live.manage("model_add", "--provider", "fa", "--name", "gpt-fake", "--kind", "chat", "--tier", "premium",
                "--input-price", "0.15", "--output-price", "0.60", "--tenant", workspace)  # fmt: skip
    for model in ("llama3.1:8b", "gpt-fake", "standard", "premium"):
        assert both_ways(client, model) == (ANSWER, ANSWER)
    whole, streamed = both_ways(client, "mock-len50")
    assert whole == streamed
    assert len(whole.split()) == 50
    with live.client(workspace) as http:
        rows = {
            row["model"]: row for row in http.get("/api/usage/", params={"group_by": "model"}).json()["rows"]
        }
    rows.pop("panal-extractive", None)
    assert {model: row["requests"] for model, row in rows.items()} == {
        "llama3.1:8b": 4,
        "gpt-fake": 4,
        "mock-len50": 2,
    }
    assert (rows["gpt-fake"]["input_tokens"], rows["gpt-fake"]["output_tokens"]) == (8, 48)
    assert float(rows["gpt-fake"]["cost_usd"]) == pytest.approx((8 * 0.15 + 48 * 0.60) / 1e6)
    assert (len(fake_ollama.chats), len(fake_openai.chats)) == (4, 4)


def test_metrics_have_bounded_labels(live, workspace, client):
    both_ways(client, "mock-len51-itl1")
    with live.client(workspace) as http:
        text = http.get("/metrics").text
    lines = [line for line in text.splitlines() if line.startswith(("ai_", "panal_pool"))]
    assert any(
        line.startswith('ai_tokens_total{endpoint="api",model="mock",type="output"}') for line in lines
    )
    assert any(line.startswith("ai_ttft_seconds_bucket") for line in lines)
    assert any(line.startswith('ai_llm_latency_seconds_count{endpoint="api",model="mock"}') for line in lines)
    assert "mock-len51" not in text
    assert "hooli" not in text
