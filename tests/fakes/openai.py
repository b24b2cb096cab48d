"""A fake OpenAI: /v1/chat/completions and /v1/models.

python -m tests.fakes.openai --port 9001 --tokens 50 --delay-ms 20
"""

import itertools
import json
import time
from typing import Any

from tests.fakes.ollama import prompt_count
from tests.fakes.server import Exchange, FakeServer, main, resume_at, words

MODEL = "gpt-fake"
KEY = "sk-fake-key-for-tests"


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


class FakeOpenAI(FakeServer):
    name = "fake OpenAI"

    def __init__(self, *, models: tuple[str, ...] = (MODEL,), key: str | None = KEY, **pacing: Any) -> None:
        super().__init__(**pacing)
        self.models, self.key = models, key
        self._numbers = itertools.count(1)

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def error_body(self, message: str) -> Any:
        return {"error": {"message": message, "type": "fake_error", "param": None, "code": None}}

    async def handle(self, exchange: Exchange) -> None:
        path = exchange.request.path
        if self.key and exchange.request.headers.get("authorization") != f"Bearer {self.key}":
            message = f"Incorrect API key provided: {exchange.request.headers.get('authorization', '')}"
            await exchange.reply(401, {"error": {"message": message, "type": "invalid_request_error",
                                                 "param": None, "code": "invalid_api_key"}})  # fmt: skip
        elif path == "/v1/models":
            data = [{"id": name, "object": "model", "created": 1, "owned_by": "fake"} for name in self.models]
            await exchange.reply(200, {"object": "list", "data": data})
        elif path == "/v1/chat/completions":
            await self._chat(exchange)
        else:
            await exchange.reply(404, self.error_body("unknown path"))

    async def _chat(self, exchange: Exchange) -> None:
        asked = exchange.request.json
        if (
            not isinstance(asked, dict)
            or not isinstance(asked.get("messages"), list)
            or not asked["messages"]
        ):
            await exchange.reply(400, self.error_body("messages is required"))
            return
        if asked.get("model") not in self.models:
            await exchange.reply(404, self.error_body(f"The model `{asked.get('model')}` does not exist"))
            return
        pieces, finish = self._pieces(asked)
        if asked.get("stream"):
            await self._stream(exchange, asked, pieces, finish)
        else:
            await self._whole(exchange, asked, pieces, finish)

    def _pieces(self, asked: dict[str, Any]) -> tuple[list[str], str]:
        if asked.get("tools") and asked.get("tool_choice") != "none":
            return [], "tool_calls"
        if (asked.get("response_format") or {}).get("type") in {"json_object", "json_schema"}:
            return ['{"answer"', ': "w0"}'], "stop"
        sent = [message for message in asked["messages"][-2:] if message.get("role") == "assistant"]
        start = (
            resume_at(sent[-1]["content"] or "") if sent and "cut off" in str(asked["messages"][-1]) else 0
        )
        limit = asked.get("max_completion_tokens") or asked.get("max_tokens")
        whole = max(self.tokens - start, 0)
        if isinstance(limit, int) and limit < whole:
            return words(start, limit), "length"
        return words(start, whole), "stop"

    def _usage(self, asked: dict[str, Any], count: int) -> dict[str, Any]:
        prompt = prompt_count(asked["messages"])
        return {
            "prompt_tokens": prompt, "completion_tokens": count, "total_tokens": prompt + count,
            "prompt_tokens_details": {"cached_tokens": 0}, "completion_tokens_details": {"reasoning_tokens": 0},
        }  # fmt: skip

    def _head(self, asked: dict[str, Any], kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-fake-{next(self._numbers)}", "object": kind,
            "created": int(time.time()), "model": asked["model"],
        }  # fmt: skip

    def _tool_call(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["tools"][0]["function"]["name"]
        return {"id": "call_fake_1", "type": "function",
                "function": {"name": name, "arguments": '{"city": "Lisbon"}'}}  # fmt: skip

    async def _whole(self, exchange: Exchange, asked: dict[str, Any], pieces: list[str], finish: str) -> None:
        for index in range(len(pieces)):
            await self.pace(exchange, index, b"", b"")
        message: dict[str, Any] = {"role": "assistant", "content": "".join(pieces)}
        if finish == "tool_calls":
            message = {"role": "assistant", "content": None, "tool_calls": [self._tool_call(asked)]}
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        count = len(pieces) or 1
        await exchange.reply(
            200,
            self._head(asked, "chat.completion") | {"choices": [choice], "usage": self._usage(asked, count)},
        )

    async def _stream(
        self, exchange: Exchange, asked: dict[str, Any], pieces: list[str], finish: str
    ) -> None:
        head = self._head(asked, "chat.completion.chunk")
        with_usage = bool((asked.get("stream_options") or {}).get("include_usage"))

        def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": reason, "logprobs": None}
            return _event(head | {"choices": [choice]} | ({"usage": None} if with_usage else {}))

        await exchange.start("text/event-stream; charset=utf-8")
        error = _event(
            {"error": {"message": "The server had an error", "type": "server_error", "code": None}}
        )
        for index, piece in enumerate(pieces):
            if not await self.pace(exchange, index, error, b'data: {"id":"x","choices":[{"del\n\n'):
                return
            await exchange.chunk(
                chunk({"role": "assistant", "content": piece} if index == 0 else {"content": piece})
            )
        if finish == "tool_calls":
            await self._stream_call(exchange, asked, chunk)
        await exchange.chunk(chunk({}, finish))
        if with_usage:
            await exchange.chunk(
                _event(head | {"choices": [], "usage": self._usage(asked, len(pieces) or 1)})
            )
        await exchange.chunk(b"data: [DONE]\n\n")
        await exchange.end()

    async def _stream_call(self, exchange: Exchange, asked: dict[str, Any], chunk: Any) -> None:
        call = self._tool_call(asked)
        first = {"index": 0, "id": call["id"], "type": "function",
                 "function": {"name": call["function"]["name"], "arguments": ""}}  # fmt: skip
        await exchange.chunk(chunk({"role": "assistant", "content": None, "tool_calls": [first]}))
        for piece in ('{"city":', ' "Lisbon"}'):
            await exchange.chunk(chunk({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}))


if __name__ == "__main__":
    main(FakeOpenAI())
