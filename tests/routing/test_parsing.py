"""Bodies of chat completions: whatever comes, a `Request` or an error that names the field."""

from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panal.kit.errors import PanalError
from routing.dataplane.errors import BadField
from routing.dataplane.parsing import parse
from routing.vocabulary import ImagePart, TextPart, ToolCall
from routing.wire import WIRES, Target
from tenants.actors import system_actor
from tenants.scope import PUBLIC

HELLO = [{"role": "user", "content": "hello"}]
FIELDS = (
    "model", "messages", "n", "stream", "stream_options", "max_tokens", "max_completion_tokens",
    "temperature", "top_p", "stop", "seed", "tools", "tool_choice", "response_format", "role",
    "content", "name", "tool_calls", "tool_call_id", "function", "arguments", "type", "text",
    "image_url", "url", "include_usage", "parameters", "json_schema", "api_base",
)  # fmt: skip
WORDS = [
    "mock",
    "user",
    "assistant",
    "tool",
    "system",
    "function",
    "text",
    "image_url",
    "json_schema",
    "auto",
]

leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text(max_size=8),
    st.sampled_from(WORDS),
)  # fmt: skip
json_values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=20,
)
likely = {"model": st.just("mock") | json_values, "messages": st.just(HELLO) | json_values}
bodies = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, json_values) | likely)


def parsed(**body):
    return parse(
        {"model": "mock", "messages": HELLO, **body}, actor=system_actor(PUBLIC), request_id=UUID(int=1)
    )


def outcome(body):
    """The accepted request, or the refusal."""
    try:
        return parse(body, actor=system_actor(PUBLIC), request_id=UUID(int=1)).request
    except BadField as refused:
        return refused


def refusal(wire, request):
    """How a wire format refuses to send a request, or None when it can be sent."""
    try:
        assert orjson.loads(wire.request(request, Target("m", 4096)).body)["model"] == "m"
    except PanalError as refused:
        return refused.code
    return None


@settings(max_examples=400)
@given(bodies)
def test_any_body_is_a_request_or_a_named_field(body):
    found = outcome(orjson.loads(orjson.dumps(body)))
    if isinstance(found, BadField):
        assert found.param.split(".")[0].split("[")[0] in FIELDS
    else:
        assert {refusal(wire, found) for wire in WIRES.values()} <= {None, "invalid_request"}


def test_everything_at_once():
    asked = parsed(
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "name": "ana", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}},
            ]},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "c1", "content": "a bee"},
        ],
        stream=True, stream_options={"include_usage": True}, max_tokens=9, max_completion_tokens=5,
        temperature=0, top_p=1, stop="END", seed=7, n=1, user="somebody", logprobs=True, metadata={"a": 1},
        tools=[{"type": "function", "function": {"name": "look"}, "extra": 1}], tool_choice="auto",
        response_format={"type": "json_object"}, api_base="http://evil", extra_headers={"x": 1},
    )  # fmt: skip
    request = asked.request
    assert [message.role for message in request.messages] == ["system", "user", "assistant", "tool"]
    assert request.messages[1].content == (
        TextPart("What is this?"),
        ImagePart("data:image/png;base64,AA", "low"),
    )
    assert request.messages[2].tool_calls == (ToolCall(0, "c1", "look", "{}"),)
    assert (request.max_tokens, request.temperature, request.stop, request.seed) == (5, 0, ("END",), 7)
    assert request.tools == ({"type": "function", "function": {"name": "look"}},)
    assert (asked.stream, asked.include_usage) == (True, True)


@pytest.mark.parametrize("wanted", [None, {"type": "text"}])
def test_plain_text_is_no_format(wanted):
    assert parsed(response_format=wanted).request.response_format is None


def test_deep_nesting_is_refused():
    deep: dict = {}
    for _ in range(100):
        deep = {"a": [deep]}
    with pytest.raises(BadField, match="nested too deeply"):
        parsed(response_format={"type": "json_schema", "json_schema": deep})
