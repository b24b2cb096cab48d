"""A fake Ollama: /api/chat, /api/tags, /api/show, /api/ps, /api/version, /api/embed.

python -m tests.fakes.ollama --port 11434 --tokens 50 --delay-ms 20
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from tests.fakes.server import Exchange, FakeServer, main, resume_at, words

MODEL = "llama3.1:8b"
EMBEDDER = "nomic-embed-text:latest"


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"


class FakeOllama(FakeServer):
    name = "fake Ollama"

    def __init__(
        self, *, models: tuple[str, ...] = (MODEL, EMBEDDER), context: int = 131072, **pacing: Any
    ) -> None:
        super().__init__(**pacing)
        self.models, self.context = models, context

    async def handle(self, exchange: Exchange) -> None:
        routes = {
            "/api/chat": self._chat,
            "/api/tags": self._tags,
            "/api/show": self._show,
            "/api/ps": self._running,
            "/api/version": self._version,
            "/api/embed": self._embed,
        }
        route = routes.get(exchange.request.path)
        if route is None:
            await exchange.reply(404, {"error": "not found"})
        else:
            await route(exchange)

    async def _version(self, exchange: Exchange) -> None:
        await exchange.reply(200, {"version": "0.0.0-fake"})

    def _entry(self, name: str) -> dict[str, Any]:
        return {
            "name": name,
            "model": name,
            "modified_at": _now(),
            "size": 4_661_224_676,
            "digest": hashlib.sha256(name.encode()).hexdigest(),
            "details": {
                "parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"],
                "parameter_size": "8.0B", "quantization_level": "Q4_0",
            },
        }  # fmt: skip

    async def _tags(self, exchange: Exchange) -> None:
        await exchange.reply(200, {"models": [self._entry(name) for name in self.models]})

    async def _running(self, exchange: Exchange) -> None:
        running = {**self._entry(self.models[0]), "expires_at": _now(), "size_vram": 0}
        await exchange.reply(200, {"models": [running] if self.models else []})

    async def _show(self, exchange: Exchange) -> None:
        asked = exchange.request.json or {}
        name = asked.get("model") or asked.get("name")
        if name not in self.models:
            await exchange.reply(404, {"error": f"model '{name}' not found"})
            return
        embeds = "embed" in name
        await exchange.reply(200, {
            "details": self._entry(name)["details"],
            "model_info": {"general.architecture": "llama", "llama.context_length": self.context},
            "capabilities": ["embedding"] if embeds else ["completion", "tools"],
        })  # fmt: skip

    async def _embed(self, exchange: Exchange) -> None:
        asked = exchange.request.json or {}
        texts = asked.get("input")
        texts = texts if isinstance(texts, list) else [texts]
        vectors = [[byte / 255 for byte in hashlib.sha256(str(text).encode()).digest()] for text in texts]
        await exchange.reply(200, {
            "model": asked.get("model"), "embeddings": vectors, "total_duration": 1, "load_duration": 1,
            "prompt_eval_count": sum(len(str(text).split()) for text in texts),
        })  # fmt: skip

    async def _chat(self, exchange: Exchange) -> None:
        asked = exchange.request.json
        if not isinstance(asked, dict) or not isinstance(asked.get("messages"), list):
            await exchange.reply(400, {"error": "messages is required"})
            return
        if asked.get("model") not in self.models:
            await exchange.reply(404, {"error": f"model '{asked.get('model')}' not found"})
            return
        pieces, reason = self._pieces(asked)
        calls = self._tool_calls(asked)
        if asked.get("stream", True):
            await self._stream(exchange, asked, pieces, calls, reason)
            return
        for index in range(len(pieces)):
            await self.pace(exchange, index, b"", b"")
        message = {"role": "assistant", "content": "".join(pieces)} | ({"tool_calls": calls} if calls else {})
        await exchange.reply(200, self._frame(asked, message) | self._end(asked, len(pieces), reason))

    def _pieces(self, asked: dict[str, Any]) -> tuple[list[str], str]:
        if asked.get("tools"):
            return [], "stop"
        if asked.get("format"):
            return ['{"answer"', ': "w0"}'], "stop"
        last = asked["messages"][-1] if asked["messages"] else {}
        start = resume_at(last.get("content", "")) if last.get("role") == "assistant" else 0
        limit = (asked.get("options") or {}).get("num_predict")
        whole = max(self.tokens - start, 0)
        if isinstance(limit, int) and 0 <= limit < whole:
            return words(start, limit), "length"
        return words(start, whole), "stop"

    def _tool_calls(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {"function": {"name": tool["function"]["name"], "arguments": {"city": "Lisbon"}}}
            for tool in (asked.get("tools") or [])[:1]
        ]

    def _frame(self, asked: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
        return {"model": asked["model"], "created_at": _now(), "message": message, "done": False}

    def _end(self, asked: dict[str, Any], count: int, reason: str) -> dict[str, Any]:
        return {
            "done": True, "done_reason": reason, "total_duration": 5_000_000, "load_duration": 1_000_000,
            "prompt_eval_count": prompt_count(asked["messages"]), "prompt_eval_duration": 1_000_000,
            "eval_count": count or 1, "eval_duration": 3_000_000,
        }  # fmt: skip

    async def _stream(
        self,
        exchange: Exchange,
        asked: dict[str, Any],
        pieces: list[str],
        calls: list[dict[str, Any]],
        reason: str,
    ) -> None:
        await exchange.start("application/x-ndjson")
        broken, error = (
            b'{"model":"x","mess\n',
            _line({"error": "an error was encountered while running the model"}),
        )
        if asked.get("think"):
            await exchange.chunk(
                _line(self._frame(asked, {"role": "assistant", "content": "", "thinking": "hm"}))
            )
        for index, piece in enumerate(pieces):
            if not await self.pace(exchange, index, error, broken):
                return
            await exchange.chunk(_line(self._frame(asked, {"role": "assistant", "content": piece})))
        if calls:
            message = {"role": "assistant", "content": "", "tool_calls": calls}
            await exchange.chunk(_line(self._frame(asked, message)))
        last = self._frame(asked, {"role": "assistant", "content": ""}) | self._end(
            asked, len(pieces), reason
        )
        await exchange.chunk(_line(last))
        await exchange.end()


def prompt_count(messages: list[dict[str, Any]]) -> int:
    """Words of the prompt: what the fakes call tokens."""
    total = 0
    for message in messages:
        content = message.get("content") or ""
        if isinstance(content, list):
            content = " ".join(part.get("text", "") for part in content)
        total += len(content.split())
    return total


if __name__ == "__main__":
    main(FakeOllama())
