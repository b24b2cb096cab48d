"""Ollama's `/api/chat`: newline-delimited JSON. A trailing assistant message is continued by the model."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import orjson

from billing.vocabulary import Usage
from panal.kit.errors import PanalError
from routing.errors import BadRequest, ContextTooLong, UpstreamBroken, UpstreamError
from routing.vocabulary import (
    Delta,
    Finish,
    Finished,
    ImagePart,
    Json,
    Message,
    Reasoning,
    Request,
    ToolCall,
    WireEvent,
)
from routing.wire.base import HttpCall, Listed, Target, Wire
from routing.wire.failures import failure_of, is_about_context, json_or_none
from routing.wire.framing import BadFrame, Lines

KEEP_ALIVE = "10m"  # how long the server keeps the model in memory after an answer
FINISHES: dict[str, Finish] = {"stop": "stop", "length": "length"}


def auth(key: str) -> dict[str, str]:
    """Ollama itself has no keys; a proxy in front of it usually wants a bearer token."""
    return {"authorization": f"Bearer {key}"} if key else {}


def _image(part: ImagePart) -> str:
    head, comma, data = part.url.partition(";base64,")
    if not head.startswith("data:") or not comma:
        raise BadRequest("This model takes images only as data: URLs with base64.")
    return data


def _arguments(call: ToolCall) -> Any:
    try:
        return orjson.loads(call.arguments or "{}")
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The arguments of the tool call {call.id or call.name} are not JSON.") from error


def _message(message: Message) -> Json:
    out: Json = {"role": message.role, "content": message.text}
    if not isinstance(message.content, str):
        images = [_image(part) for part in message.content if isinstance(part, ImagePart)]
        if images:
            out["images"] = images
    if message.tool_calls:
        out["tool_calls"] = [
            {"function": {"name": call.name, "arguments": _arguments(call)}} for call in message.tool_calls
        ]
    if message.role == "tool" and message.name:
        out["tool_name"] = message.name
    return out


def _options(request: Request, target: Target) -> Json:
    # Without num_ctx the server cuts the oldest messages at its own small default and says nothing.
    options: Json = {"num_ctx": target.context} if target.context else {}
    wanted = {
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stop": list(request.stop) if request.stop else None,
    }
    options.update({name: value for name, value in wanted.items() if value is not None})
    return options


def _format(response_format: Json | None) -> Any:
    kind = (response_format or {}).get("type")
    if kind == "json_object":
        return "json"
    if kind == "json_schema":
        return ((response_format or {}).get("json_schema") or {}).get("schema") or "json"
    return None


def _with_tool_names(messages: tuple[Message, ...]) -> list[Json]:
    """Tool results name their tool; callers in the OpenAI style give only the id of the call."""
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    out = []
    for message in messages:
        shaped = _message(message)
        if message.role == "tool" and "tool_name" not in shaped and message.tool_call_id in names:
            shaped["tool_name"] = names[message.tool_call_id]
        out.append(shaped)
    return out


def request_out(request: Request, target: Target) -> HttpCall:
    body: Json = {
        "model": target.model,
        "messages": _with_tool_names(request.messages),
        "stream": True,
        "keep_alive": KEEP_ALIVE,
        "options": _options(request, target),
    }
    if request.prefix:
        body["messages"].append({"role": "assistant", "content": request.prefix})
    if request.tools and request.tool_choice != "none":
        body["tools"] = list(request.tools)
    response_format = _format(request.response_format)
    if response_format is not None:
        body["format"] = response_format
    headers = {"content-type": "application/json", **auth(target.key)}
    return HttpCall("POST", "/api/chat", headers, orjson.dumps(body))


def error_in_band(message: str) -> PanalError:
    return (
        ContextTooLong()
        if is_about_context(message)
        else UpstreamError("The model's server reported an error.")
    )


def _tokens(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


class Decoder:
    """One JSON object a line; the last one has `done: true`, the reason and the counts."""

    def __init__(self) -> None:
        self.ended = False
        self._lines = Lines()
        self._calls = 0

    def feed(self, data: bytes) -> Iterator[WireEvent]:
        for line in self._lines.feed(data):
            if line.strip():
                yield from self._frame(line)

    def close(self) -> Iterator[WireEvent]:
        rest = self._lines.rest()
        if rest.strip() and not self.ended:
            yield from self._frame(rest)
        if not self.ended:
            raise UpstreamBroken

    def _frame(self, line: bytes) -> Iterator[WireEvent]:
        if self.ended:
            return
        try:
            frame = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise BadFrame from error
        if not isinstance(frame, dict):
            raise BadFrame
        if "error" in frame:
            raise error_in_band(str(frame["error"]))
        message = frame.get("message")
        if isinstance(message, dict):
            yield from self._message(message)
        if frame.get("done") is True:
            yield from self._end(frame)

    def _message(self, message: Json) -> Iterator[WireEvent]:
        thinking = message.get("thinking")
        if isinstance(thinking, str) and thinking:
            yield Reasoning(thinking)
        content = message.get("content")
        if isinstance(content, str) and content:
            yield Delta(content)
        for call in message.get("tool_calls") or ():
            yield self._tool_call(call)

    def _tool_call(self, call: object) -> ToolCall:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise BadFrame
        index, self._calls = self._calls, self._calls + 1
        call_id = call.get("id") if isinstance(call, dict) else None
        arguments = orjson.dumps(function.get("arguments") or {}).decode()
        return ToolCall(index, str(call_id or f"call_{uuid4().hex[:24]}"), function["name"], arguments)

    def _end(self, frame: Json) -> Iterator[WireEvent]:
        self.ended = True
        if isinstance(frame.get("eval_count"), int) and isinstance(frame.get("prompt_eval_count"), int):
            yield Usage(
                input_tokens=_tokens(frame["prompt_eval_count"]),
                output_tokens=_tokens(frame["eval_count"]),
                source="provider",
            )
        reason = FINISHES.get(str(frame.get("done_reason", "stop")), "stop")
        yield Finished("tool_calls" if self._calls and reason == "stop" else reason)


def failure(status: int, retry_after: str | None, body: bytes) -> PanalError:
    parsed = json_or_none(body)
    message = parsed.get("error") if isinstance(parsed, dict) else None
    return failure_of(status, retry_after, message if isinstance(message, str) else "")


def listed(body: bytes) -> list[Listed]:
    """The answer of `/api/tags`."""
    parsed = json_or_none(body)
    models = parsed.get("models") if isinstance(parsed, dict) else None
    if not isinstance(models, list):
        raise BadFrame("The provider's list of models cannot be read.")
    names = [model.get("name") or model.get("model") for model in models if isinstance(model, dict)]
    return [Listed(name) for name in names if isinstance(name, str) and name]


def shown(name: str, body: bytes) -> Listed:
    """The answer of `/api/show`: what the model is for and how long its context may be."""
    parsed = json_or_none(body)
    if not isinstance(parsed, dict):
        return Listed(name)
    info = parsed.get("model_info")
    lengths = [
        value
        for key, value in (info.items() if isinstance(info, dict) else ())
        if key.endswith(".context_length") and isinstance(value, int)
    ]
    capabilities = parsed.get("capabilities")
    kind = ""
    if isinstance(capabilities, list):
        kind = "embedding" if "embedding" in capabilities and "completion" not in capabilities else "chat"
    return Listed(name, context=max(lengths, default=0), kind=kind)


WIRE = Wire("ollama", request_out, Decoder, failure, "/api/tags", listed, auth)
