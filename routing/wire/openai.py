"""OpenAI's `/chat/completions` as server-sent events, as spoken by OpenAI, vLLM, llama.cpp and many others."""

from collections.abc import Iterator
from typing import Any

import orjson

from billing.vocabulary import Usage
from panal.kit.errors import PanalError
from routing.errors import ContextTooLong, NoCapacity, UpstreamBroken, UpstreamError
from routing.vocabulary import (
    Delta,
    Finish,
    Finished,
    Json,
    Message,
    Reasoning,
    Request,
    TextPart,
    ToolCall,
    WireEvent,
)
from routing.wire.base import HttpCall, Listed, Target, Wire
from routing.wire.failures import failure_of, is_about_context, json_or_none
from routing.wire.framing import BadFrame, ServerSentEvents

# The format has no way to prefill an answer, so a cut one is continued by asking for its rest.
CONTINUE = (
    "Your answer above was cut off in transit. Continue it exactly where it stops, beginning with the very next "
    "character. Repeat nothing, add no introduction and do not mention the interruption."
)
FINISHES: dict[str, Finish] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}


def auth(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}


def _content(message: Message) -> Any:
    if isinstance(message.content, str):
        return message.content
    parts: list[Json] = []
    for part in message.content:
        if isinstance(part, TextPart):
            parts.append({"type": "text", "text": part.text})
        else:
            image = {"url": part.url} | ({"detail": part.detail} if part.detail else {})
            parts.append({"type": "image_url", "image_url": image})
    return parts


def _message(message: Message) -> Json:
    out: Json = {"role": message.role, "content": _content(message)}
    if message.name:
        out["name"] = message.name
    if message.tool_call_id:
        out["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        out["content"] = out["content"] or None
        out["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    return out


def _messages(request: Request) -> list[Json]:
    messages = [_message(message) for message in request.messages]
    if request.prefix:
        messages.append({"role": "assistant", "content": request.prefix})
        messages.append({"role": "user", "content": CONTINUE})
    return messages


def request_out(request: Request, target: Target) -> HttpCall:
    body: Json = {
        "model": target.model,
        "messages": _messages(request),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    wanted = {
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stop": list(request.stop) if request.stop else None,
        "tools": list(request.tools) if request.tools else None,
        "tool_choice": request.tool_choice if request.tools else None,
        "response_format": request.response_format,
    }
    body.update({name: value for name, value in wanted.items() if value is not None})
    headers = {"content-type": "application/json", "accept": "text/event-stream", **auth(target.key)}
    return HttpCall("POST", "/chat/completions", headers, orjson.dumps(body))


def _count(holder: object, name: str) -> int:
    value = holder.get(name) if isinstance(holder, dict) else None
    return value if isinstance(value, int) and value > 0 else 0


def usage_in(frame: Json) -> Usage | None:
    """OpenAI counts cached tokens within the prompt and reasoning within the completion; ours are disjoint."""
    usage = frame.get("usage")
    if not isinstance(usage, dict) or not isinstance(usage.get("prompt_tokens"), int):
        return None
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    cached = min(_count(usage.get("prompt_tokens_details"), "cached_tokens"), prompt)
    reasoning = min(_count(usage.get("completion_tokens_details"), "reasoning_tokens"), completion)
    return Usage(
        input_tokens=prompt - cached,
        cached_tokens=cached,
        output_tokens=completion - reasoning,
        reasoning_tokens=reasoning,
        source="provider",
    )


def _error_parts(error: object) -> tuple[str, str]:
    if isinstance(error, dict):
        return str(error.get("message") or ""), str(error.get("code") or error.get("type") or "")
    return str(error or ""), ""


def error_in_band(error: object) -> PanalError:
    message, code = _error_parts(error)
    if code == "context_length_exceeded" or is_about_context(message):
        return ContextTooLong()
    if code in {"rate_limit_exceeded", "server_overloaded", "overloaded_error"}:
        return NoCapacity("The model's server is busy.")
    return UpstreamError("The model's server reported an error.")


class Decoder:
    """Chunks of choice 0; usage comes in a chunk of its own after the finish, then `[DONE]`."""

    def __init__(self) -> None:
        self.ended = False
        self._events = ServerSentEvents()
        self._finish: Finish | None = None
        self._usage: Usage | None = None
        self._called = False

    def feed(self, data: bytes) -> Iterator[WireEvent]:
        for event in self._events.feed(data):
            yield from self._frame(event)

    def close(self) -> Iterator[WireEvent]:
        for event in self._events.rest():
            yield from self._frame(event)
        if not self.ended:
            yield from self._end()  # some servers close after the finish without [DONE]

    def _frame(self, data: bytes) -> Iterator[WireEvent]:
        if self.ended:
            return
        if data.strip() == b"[DONE]":
            yield from self._end()
            return
        try:
            frame = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise BadFrame from error
        if not isinstance(frame, dict):
            raise BadFrame
        if frame.get("error"):
            raise error_in_band(frame["error"])
        self._usage = usage_in(frame) or self._usage
        choices = frame.get("choices")
        if isinstance(choices, list) and choices:
            yield from self._choice(choices[0])

    def _choice(self, choice: object) -> Iterator[WireEvent]:
        if not isinstance(choice, dict):
            raise BadFrame
        delta = choice.get("delta")
        if isinstance(delta, dict):
            yield from self._delta(delta)
        finish = choice.get("finish_reason")
        if finish:
            self._finish = FINISHES.get(str(finish), "stop")

    def _delta(self, delta: Json) -> Iterator[WireEvent]:
        thinking = delta.get("reasoning_content") or delta.get("reasoning")
        if isinstance(thinking, str) and thinking:
            yield Reasoning(thinking)
        text = delta.get("content") or delta.get("refusal")
        if isinstance(text, str) and text:
            yield Delta(text)
        for call in delta.get("tool_calls") or ():
            yield self._tool_call(call)

    def _tool_call(self, call: object) -> ToolCall:
        if not isinstance(call, dict):
            raise BadFrame
        function = call.get("function") or {}
        index = call.get("index", 0)
        if not isinstance(function, dict) or not isinstance(index, int):
            raise BadFrame
        self._called = True
        return ToolCall(
            index, call.get("id") or "", function.get("name") or "", function.get("arguments") or ""
        )

    def _end(self) -> Iterator[WireEvent]:
        if self._finish is None:
            raise UpstreamBroken
        self.ended = True
        if self._usage is not None:
            yield self._usage
        yield Finished("tool_calls" if self._called and self._finish == "stop" else self._finish)


def failure(status: int, retry_after: str | None, body: bytes) -> PanalError:
    parsed = json_or_none(body)
    message, code = _error_parts(parsed.get("error") if isinstance(parsed, dict) else None)
    return failure_of(status, retry_after, message, code)


def listed(body: bytes) -> list[Listed]:
    """The answer of `/models`."""
    parsed = json_or_none(body)
    models = parsed.get("data") if isinstance(parsed, dict) else None
    if not isinstance(models, list):
        raise BadFrame("The provider's list of models cannot be read.")
    return [
        Listed(model["id"], context=_count(model, "max_model_len"))
        for model in models
        if isinstance(model, dict) and isinstance(model.get("id"), str)
    ]


WIRE = Wire("openai", request_out, Decoder, failure, "/models", listed, auth)
