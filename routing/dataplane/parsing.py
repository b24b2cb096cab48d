"""The body of a chat completion as a `Request`. Pure.

Unknown fields are ignored. Fields that would redirect the call (`api_base`, `extra_headers`, …) are unknown
fields like any other: nothing of the body reaches a provider that is not read here.
"""

from dataclasses import dataclass
from typing import Any, get_args
from uuid import UUID

from routing.dataplane.errors import BadField
from routing.dataplane.fields import flag, items, number, obj, text, whole
from routing.vocabulary import ImagePart, Json, Message, Part, Request, Role, TextPart, ToolCall
from tenants.actors import Actor

MAX_MESSAGES = 4096
MAX_PARTS = 256
MAX_TOOLS = 256
MAX_STOPS = 16
MAX_TOKENS = 10_000_000
SEED_LIMIT = 2**63 - 1
ROLES = frozenset(get_args(Role))
FORMATS = frozenset({"text", "json_object", "json_schema"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client wants of one completion: the request, and how to send the answer."""

    request: Request
    stream: bool
    include_usage: bool


def _image(part: Json, path: str) -> ImagePart:
    image = part.get("image_url")
    if isinstance(image, str):
        image = {"url": image}
    if not isinstance(image, dict):
        raise BadField(f"{path}image_url", "must be an object with a url.")
    url = text(image, "url", path=f"{path}image_url.", required=True) or ""
    if not url.startswith(("data:", "https://", "http://")):
        raise BadField(f"{path}image_url.url", "must be a data: or http(s): address.")
    return ImagePart(url, text(image, "detail", path=f"{path}image_url."))


def _part(part: Any, path: str) -> Part:
    if not isinstance(part, dict):
        raise BadField(path.rstrip("."), "must be an object.")
    kind = part.get("type")
    if kind in {"text", "refusal"}:
        return TextPart(text(part, str(kind), path=path) or "")
    if kind == "image_url":
        return _image(part, path)
    raise BadField(f"{path}type", "must be text or image_url.")


def _content(message: Json, path: str) -> str | tuple[Part, ...]:
    content = message.get("content")
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise BadField(f"{path}content", "must be a text or a list of parts.")
    parts = items(message, "content", path=path, most=MAX_PARTS)
    return tuple(_part(part, f"{path}content[{number}].") for number, part in enumerate(parts))


def _tool_call(call: Any, index: int, path: str) -> ToolCall:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        raise BadField(f"{path}function", "must be an object.")
    return ToolCall(
        index,
        text(call, "id", path=path) or "",
        text(function, "name", path=f"{path}function.", required=True) or "",
        text(function, "arguments", path=f"{path}function.") or "",
    )


def _message(message: Any, path: str) -> Message:
    if not isinstance(message, dict):
        raise BadField(path.rstrip("."), "must be an object.")
    role = text(message, "role", path=path, required=True)
    role = "system" if role == "developer" else role
    if role not in ROLES:
        raise BadField(f"{path}role", "must be system, developer, user, assistant or tool.")
    calls = items(message, "tool_calls", path=path, most=MAX_PARTS)
    return Message(
        role=role,  # type: ignore[arg-type]
        content=_content(message, path),
        tool_calls=tuple(
            _tool_call(call, index, f"{path}tool_calls[{index}].") for index, call in enumerate(calls)
        ),
        tool_call_id=text(message, "tool_call_id", path=path),
        name=text(message, "name", path=path, limit=200),
    )


def _messages(body: Json) -> tuple[Message, ...]:
    messages = items(body, "messages", most=MAX_MESSAGES)
    if not messages:
        raise BadField("messages", "must have at least one message.")
    return tuple(_message(message, f"messages[{index}].") for index, message in enumerate(messages))


def _stop(body: Json) -> tuple[str, ...] | None:
    stop = body.get("stop")
    stops = [stop] if isinstance(stop, str) else items(body, "stop", most=MAX_STOPS)
    if not all(isinstance(one, str) and one for one in stops):
        raise BadField("stop", "must be a text or a list of texts.")
    return tuple(stops) or None


def _tools(body: Json) -> tuple[Json, ...] | None:
    tools = items(body, "tools", most=MAX_TOOLS)
    for index, tool in enumerate(tools):
        path = f"tools[{index}]."
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise BadField(f"{path}type", "must be function.")
        function = obj(tool, "function", path=path)
        if function is None:
            raise BadField(f"{path}function", "is required.")
        text(function, "name", path=f"{path}function.", required=True, limit=200)
        obj(function, "parameters", path=f"{path}function.")
    return tuple({"type": "function", "function": tool["function"]} for tool in tools) or None


def _tool_choice(body: Json) -> str | Json | None:
    choice = body.get("tool_choice")
    if choice is None or choice in ("none", "auto", "required"):
        return choice
    if isinstance(choice, dict):
        return obj(body, "tool_choice")
    raise BadField("tool_choice", "must be none, auto, required or an object.")


def _response_format(body: Json) -> Json | None:
    wanted = obj(body, "response_format")
    if wanted is None:
        return None
    if wanted.get("type") not in FORMATS:
        raise BadField("response_format.type", "must be text, json_object or json_schema.")
    if wanted["type"] == "json_schema" and obj(wanted, "json_schema", path="response_format.") is None:
        raise BadField("response_format.json_schema", "is required.")
    return None if wanted["type"] == "text" else wanted


def _max_tokens(body: Json) -> int | None:
    newer = whole(body, "max_completion_tokens", 1, MAX_TOKENS)
    return newer if newer is not None else whole(body, "max_tokens", 1, MAX_TOKENS)


def parse(body: Json, *, actor: Actor, request_id: UUID) -> Asked:
    """Raises `BadField`."""
    if whole(body, "n", 1, 128) not in (None, 1):
        raise BadField("n", "must be 1; send one request for each answer.")
    options = obj(body, "stream_options") or {}
    request = Request(
        id=request_id,
        scope=actor.scope,
        actor=actor,
        feature="api",
        model=text(body, "model", required=True, limit=200) or "",
        messages=_messages(body),
        max_tokens=_max_tokens(body),
        temperature=number(body, "temperature", 0, 2),
        top_p=number(body, "top_p", 0, 1),
        stop=_stop(body),
        seed=whole(body, "seed", -SEED_LIMIT, SEED_LIMIT),
        tools=_tools(body),
        tool_choice=_tool_choice(body),
        response_format=_response_format(body),
    )
    return Asked(request, flag(body, "stream"), flag(options, "include_usage", path="stream_options."))
