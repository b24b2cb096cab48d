"""Answers in OpenAI's shapes. Pure; chunks are put together from bytes that are made once for a stream."""

import time
from typing import Any
from uuid import UUID

import orjson

from billing.vocabulary import Usage
from routing.vocabulary import Delta, Json, ModelCard, Reasoning, Receipt, Routed, ToolCall

DONE = b"data: [DONE]\n\n"


def completion_id(request_id: UUID) -> str:
    return f"chatcmpl-{request_id.hex}"


def usage_json(usage: Usage) -> Json:
    """OpenAI's totals: cached tokens are part of the prompt, reasoning of the completion."""
    prompt = usage.input_tokens + usage.cached_tokens + usage.cache_write_tokens
    completion = usage.output_tokens + usage.reasoning_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def _call_delta(call: ToolCall) -> Json:
    delta: Json = {"index": call.index, "function": {"arguments": call.arguments}}
    if call.name:
        delta |= {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
    return delta


class Chunks:
    """The events of one stream as server-sent `chat.completion.chunk`s."""

    def __init__(self, request_id: UUID, routed: Routed, *, include_usage: bool) -> None:
        head = {
            "id": completion_id(request_id),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": routed.model,
        }
        self._head = b"data: " + orjson.dumps(head)[:-1]
        self._tail = b',"usage":null}\n\n' if include_usage else b"}\n\n"

    def _choice(self, delta: bytes, finish: bytes = b"null") -> bytes:
        choice = b',"choices":[{"index":0,"delta":%b,"logprobs":null,"finish_reason":%b}]' % (delta, finish)
        return self._head + choice + self._tail

    def opening(self) -> bytes:
        return self._choice(b'{"role":"assistant","content":""}')

    def content(self, event: Delta | Reasoning | ToolCall) -> bytes:
        if isinstance(event, Delta):
            return self._choice(b'{"content":%b}' % orjson.dumps(event.text))
        if isinstance(event, Reasoning):
            return self._choice(b'{"reasoning_content":%b}' % orjson.dumps(event.text))
        return self._choice(orjson.dumps({"tool_calls": [_call_delta(event)]}))

    def finish(self, reason: str) -> bytes:
        return self._choice(b"{}", b'"%b"' % reason.encode())

    def usage(self, usage: Usage) -> bytes:
        return self._head + b',"choices":[],"usage":%b}\n\n' % orjson.dumps(usage_json(usage))


def error_event(body: Json) -> bytes:
    return b"data: %b\n\n" % orjson.dumps(body)


class Whole:
    """The events of one answer gathered into a `chat.completion`."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._calls: dict[int, list[str]] = {}  # index -> id, name, arguments

    def add(self, event: Delta | Reasoning | ToolCall) -> None:
        if isinstance(event, Delta):
            self._text.append(event.text)
        elif isinstance(event, Reasoning):
            self._thinking.append(event.text)
        else:
            call = self._calls.setdefault(event.index, ["", "", ""])
            call[0] = call[0] or event.id
            call[1] = call[1] or event.name
            call[2] += event.arguments

    def _message(self) -> Json:
        message: Json = {"role": "assistant", "content": "".join(self._text) or None, "refusal": None}
        if not self._calls:
            message["content"] = message["content"] or ""
        if self._thinking:
            message["reasoning_content"] = "".join(self._thinking)
        if self._calls:
            message["tool_calls"] = [
                {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
                for _, (call_id, name, arguments) in sorted(self._calls.items())
            ]
        return message

    def body(self, request_id: UUID, receipt: Receipt) -> Json:
        choice = {"index": 0, "message": self._message(), "logprobs": None, "finish_reason": receipt.finish}
        return {
            "id": completion_id(request_id),
            "object": "chat.completion",
            "created": int(time.time()),
            "model": receipt.model,
            "choices": [choice],
            "usage": usage_json(receipt.usage),
        }


def model_json(card: ModelCard) -> Json:
    return {
        "id": card.name,
        "object": "model",
        "created": 0,
        "owned_by": card.provider,
        "kind": card.kind,
        "tier": card.tier,
        "pool": card.pool,
        "context_length": card.context,
        "available": card.available,
    }


def alias_json(name: str) -> Json:
    """`auto`, `standard` and `premium`: not models, but what a client may send as one."""
    return {"id": name, "object": "model", "created": 0, "owned_by": "panal", "kind": "chat"}


def list_json(entries: list[Json]) -> dict[str, Any]:
    return {"object": "list", "data": entries}
