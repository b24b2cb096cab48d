"""Wire formats, pure: what goes out, what comes in wherever the bytes are cut, and every way it can be wrong."""

import json
from itertools import pairwise
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.vocabulary import Usage
from routing.vocabulary import (
    Delta,
    Finished,
    ImagePart,
    Message,
    Reasoning,
    Request,
    TextPart,
    ToolCall,
)
from routing.wire import WIRES, Target
from routing.wire.framing import LINE_LIMIT, Lines, ServerSentEvents
from routing.wire.ollama import shown
from tenants.actors import system_actor
from tenants.scope import PUBLIC

OLLAMA, OPENAI = WIRES["ollama"], WIRES["openai"]
TARGET = Target("some-model", 4096, "sk-secret-of-the-provider")


def request(*messages: Message, **fields) -> Request:
    messages = messages or (Message("user", "hello"),)
    return Request(
        id=UUID(int=1),
        scope=PUBLIC,
        actor=system_actor(PUBLIC),
        feature="api",
        model="x",
        messages=messages,
        **fields,
    )


def sent(wire, *messages, **fields) -> dict:
    return orjson.loads(wire.request(request(*messages, **fields), TARGET).body)


def decode(wire, *pieces: bytes):
    """(events, error) of an answer that arrived in these pieces."""
    decoder, events = wire.decoder(), []
    try:
        for piece in pieces:
            events.extend(decoder.feed(piece))
            if decoder.ended:
                return events, None
        events.extend(decoder.close())
    except Exception as error:
        return events, error
    return events, None


def joined(events) -> list:
    """Neighbouring texts as one, so that answers cut differently compare."""
    out: list = []
    for event in events:
        if out and isinstance(event, Delta) and isinstance(out[-1], Delta):
            out[-1] = Delta(out[-1].text + event.text)
        else:
            out.append(event)
    return out


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


# -- answers as the servers send them


def ollama_answer(texts, end=b"\n") -> bytes:
    lines = [
        orjson.dumps({"model": "m", "message": {"role": "assistant", "content": text}, "done": False})
        for text in texts
    ]
    last = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    return end.join([*lines, orjson.dumps({**last, "prompt_eval_count": 5, "eval_count": 7})]) + end


def openai_answer(texts, end=b"\n") -> bytes:
    def event(value) -> bytes:
        return b"data: " + orjson.dumps(value) + end + end

    chunks = [
        event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})
        for text in texts
    ]
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    return b"".join(
        [
            b": keep-alive" + end + end,
            *chunks,
            event({"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}),
            event({"choices": [], "usage": usage}),
            b"data: [DONE]" + end + end,
        ]
    )


texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=6)
places = st.lists(st.integers(min_value=0), max_size=12)
ends = st.sampled_from([b"\n", b"\r\n"])


class TestAnyCutGivesTheSameEvents:
    @given(texts, places, ends)
    def test_ollama(self, texts, places, end):
        data = ollama_answer(texts, end)
        expected = [Usage(input_tokens=5, output_tokens=7, source="provider"), Finished("stop")]
        if texts:
            expected.insert(0, Delta("".join(texts)))
        events, error = decode(OLLAMA, *cut(data, places))
        assert (joined(events), error) == (expected, None)

    @given(texts, places, ends)
    def test_openai(self, texts, places, end):
        data = openai_answer(texts, end)
        usage = Usage(input_tokens=5, cached_tokens=4, output_tokens=5, reasoning_tokens=2, source="provider")
        expected = [usage, Finished("length")]
        if texts:
            expected.insert(0, Delta("".join(texts)))
        events, error = decode(OPENAI, *cut(data, places))
        assert (joined(events), error) == (expected, None)

    @given(st.binary(max_size=400), places)
    def test_junk_is_a_typed_error_or_an_answer_and_never_a_crash(self, data, places):
        from panal.kit.errors import PanalError

        for wire in (OLLAMA, OPENAI):
            _, error = decode(wire, *cut(data, places))
            assert isinstance(error, PanalError)

    @given(places, st.integers(min_value=0))
    def test_an_answer_cut_short_is_never_whole(self, places, at):
        for wire, data in ((OLLAMA, ollama_answer(["one", "two"])), (OPENAI, openai_answer(["one", "two"]))):
            whole = data.rstrip()
            short = data[: at % len(whole)]
            if wire is OPENAI and b'"finish_reason":"length"}]}' in short:
                continue  # the finish came: what is missing is the usage and the end mark
            events, error = decode(wire, *cut(short, places))
            assert error is not None
            assert not any(isinstance(event, Finished) for event in events)


@pytest.mark.parametrize("wire", [OLLAMA, OPENAI])
class TestBrokenAnswers:
    def answer(self, wire, texts):
        return (ollama_answer if wire is OLLAMA else openai_answer)(texts)

    def beginning(self, wire):
        data, end = self.answer(wire, ["one"]), b"\n" if wire is OLLAMA else b"\n\n"
        return data[: data.index(end, data.index(b"one")) + len(end)]

    def frame(self, wire, data: bytes) -> bytes:
        return (data if wire is OLLAMA else b"data: " + data) + b"\n\n"

    @pytest.mark.parametrize("junk", [b'{"cut', b"[1]", b"null", b'"text"', b"\xff\xfe", b"<html>"])
    def test_malformed_frames(self, wire, junk):
        events, error = decode(wire, self.beginning(wire), self.frame(wire, junk))
        assert events == [Delta("one")]
        assert (error.code, error.status) == ("upstream_error", 502)

    def test_errors_in_band(self, wire):
        body = (
            b'{"error": "boom sk-secret-of-the-provider"}'
            if wire is OLLAMA
            else b'{"error": {"message": "boom sk-x"}}'
        )
        events, error = decode(wire, self.beginning(wire), self.frame(wire, body))
        assert (events, error.code) == ([Delta("one")], "upstream_error")
        assert "sk-" not in error.detail

    def test_a_full_context_in_band(self, wire):
        said = "the input length exceeds the context length"
        body = {"error": said} if wire is OLLAMA else {"error": {"message": said}}
        _, error = decode(wire, self.frame(wire, orjson.dumps(body)))
        assert error.code == "context_length_exceeded"

    def test_a_line_without_end(self, wire):
        _, error = decode(wire, *[b"x" * 65536] * (LINE_LIMIT // 65536 + 1))
        assert error.code == "upstream_error"

    def test_nothing_at_all(self, wire):
        assert decode(wire)[1].code == "upstream_interrupted"

    def test_what_follows_the_end_is_ignored(self, wire):
        events, error = decode(wire, self.answer(wire, ["one"]) + self.frame(wire, b'{"error": "late"}') * 2)
        assert (events[0], error) == (Delta("one"), None)


class TestOllama:
    def test_request(self):
        call = OLLAMA.request(request(max_tokens=5, top_p=0.5, seed=3), TARGET)
        assert (call.method, call.path) == ("POST", "/api/chat")
        body = orjson.loads(call.body)
        assert body["options"] == {"num_ctx": 4096, "num_predict": 5, "top_p": 0.5, "seed": 3}
        assert body["messages"] == [{"role": "user", "content": "hello"}]
        assert body["stream"] is True

    def test_prefix_is_a_trailing_assistant_message(self):
        assert sent(OLLAMA, prefix="So far")["messages"][-1] == {"role": "assistant", "content": "So far"}

    def test_images(self):
        parts = (TextPart("what is this?"), ImagePart("data:image/png;base64,AAAA"))
        assert sent(OLLAMA, Message("user", parts))["messages"] == [
            {"role": "user", "content": "what is this?", "images": ["AAAA"]}
        ]
        with pytest.raises(Exception, match="data: URLs"):
            sent(OLLAMA, Message("user", (ImagePart("https://example.test/x.png"),)))

    def test_tool_results_name_their_tool(self):
        call = ToolCall(0, "call_1", "weather", '{"city": "Lisbon"}')
        messages = sent(
            OLLAMA,
            Message("assistant", "", tool_calls=(call,)),
            Message("tool", "sunny", tool_call_id="call_1"),
        )["messages"]
        assert messages[0]["tool_calls"] == [
            {"function": {"name": "weather", "arguments": {"city": "Lisbon"}}}
        ]
        assert messages[1] == {"role": "tool", "content": "sunny", "tool_name": "weather"}

    def test_json_output(self):
        schema = {"type": "object"}
        wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
        assert sent(OLLAMA, response_format=wanted)["format"] == schema
        assert sent(OLLAMA, response_format={"type": "json_object"})["format"] == "json"
        assert "format" not in sent(OLLAMA)

    def test_thinking_and_tool_calls_in_answers(self):
        lines = [
            {"message": {"role": "assistant", "content": "", "thinking": "hm"}},
            {"message": {"content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}},
            {"message": {"content": ""}, "done": True, "done_reason": "stop"},
        ]
        events, error = decode(OLLAMA, *[orjson.dumps(line) + b"\n" for line in lines])
        assert error is None
        assert events[0] == Reasoning("hm")
        assert (events[1].name, events[1].arguments) == ("f", '{"a":1}')
        assert events[1].id.startswith("call_")
        assert events[2] == Finished("tool_calls")  # no counts were sent: usage is left to be estimated

    def test_lists(self):
        body = orjson.dumps({"models": [{"name": "a:latest"}, {"model": "b"}, {"x": 1}, 5]})
        assert [model.name for model in OLLAMA.listed(body)] == ["a:latest", "b"]
        for junk in (b"", b"{}", b"[]", b"\xff"):
            with pytest.raises(Exception, match="cannot be read"):
                OLLAMA.listed(junk)

    def test_shown(self):
        body = {"model_info": {"llama.context_length": 8192}, "capabilities": ["completion", "tools"]}
        assert (shown("m", orjson.dumps(body)).context, shown("m", orjson.dumps(body)).kind) == (8192, "chat")
        assert shown("m", orjson.dumps({"capabilities": ["embedding"]})).kind == "embedding"
        assert shown("m", b"junk").context == 0


class TestOpenAI:
    def test_request(self):
        call = OPENAI.request(request(max_tokens=5, stop=("END",)), TARGET)
        assert (call.method, call.path) == ("POST", "/chat/completions")
        assert call.headers["authorization"] == "Bearer sk-secret-of-the-provider"
        assert "sk-secret" not in repr(call)
        assert "sk-secret" not in repr(TARGET)
        body = orjson.loads(call.body)
        assert (body["max_tokens"], body["stop"]) == (5, ["END"])
        assert body["stream_options"] == {"include_usage": True}
        assert "tools" not in body

    def test_prefix_is_continued_by_instruction(self):
        messages = sent(OPENAI, prefix="So far")["messages"]
        assert messages[-2] == {"role": "assistant", "content": "So far"}
        assert messages[-1]["role"] == "user"
        assert "exactly where it stops" in messages[-1]["content"]

    def test_images_tools_and_formats_pass_through(self):
        tool = {"type": "function", "function": {"name": "f"}}
        body = sent(
            OPENAI,
            Message("user", (TextPart("look"), ImagePart("https://example.test/x.png", "low"))),
            tools=(tool,),
            tool_choice="required",
            response_format={"type": "json_object"},
        )
        assert body["messages"][0]["content"][1] == {
            "type": "image_url", "image_url": {"url": "https://example.test/x.png", "detail": "low"},
        }  # fmt: skip
        assert (body["tools"], body["tool_choice"]) == ([tool], "required")
        assert body["response_format"] == {"type": "json_object"}

    def test_tool_calls_come_in_pieces(self):
        pieces = [
            {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": ""}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
        ]
        frames = [{"choices": [{"delta": piece}]} for piece in pieces]
        frames.append({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
        data = b"".join(b"data:" + json.dumps(frame).encode() + b"\n\n" for frame in frames)
        events, error = decode(OPENAI, data)
        assert error is None
        assert events[0] == ToolCall(0, "c1", "f", "")
        assert "".join(event.arguments for event in events[:-1]) == '{"a":1}'
        assert events[-1] == Finished("tool_calls")

    def test_reasoning_refusal_and_filter(self):
        frames = [
            {"choices": [{"delta": {"reasoning_content": "hm"}}]},
            {"choices": [{"delta": {"refusal": "No."}}]},
            {"choices": [{"delta": {}, "finish_reason": "content_filter"}]},
        ]
        data = b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames)
        assert decode(OPENAI, data)[0] == [Reasoning("hm"), Delta("No."), Finished("content_filter")]

    def test_an_end_without_done_counts(self):
        data = openai_answer(["one"]).replace(b"data: [DONE]\n\n", b"")
        events, error = decode(OPENAI, data)
        assert (events[0], events[-1], error) == (Delta("one"), Finished("length"), None)


ERRORS = [
    (400, "bad thing", "upstream_rejected", 422),
    (400, "maximum context length is 4096 tokens", "context_length_exceeded", 422),
    (401, "wrong key sk-secret-of-the-provider", "upstream_error", 502),
    (403, "no", "upstream_error", 502),
    (404, "no model", "upstream_error", 502),
    (408, "", "upstream_timeout", 504),
    (413, "", "context_length_exceeded", 422),
    (429, "slow down", "no_capacity", 503),
    (500, "oops", "upstream_error", 502),
    (503, "busy", "no_capacity", 503),
    (302, "", "upstream_error", 502),
]


@pytest.mark.parametrize("wire", [OLLAMA, OPENAI])
class TestErrorTable:
    @pytest.mark.parametrize(("status", "message", "code", "ours"), ERRORS)
    def test_statuses(self, wire, status, message, code, ours):
        body = {"error": message} if wire is OLLAMA else {"error": {"message": message, "code": None}}
        error = wire.failure(status, "11" if status == 429 else None, orjson.dumps(body))
        assert (error.code, error.status) == (code, ours)
        assert "sk-secret" not in error.detail
        if status == 429:
            assert error.retry_after == 11

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": 5}', b"\xff"])
    def test_bodies_that_say_nothing(self, wire, body):
        assert wire.failure(500, None, body).code == "upstream_error"

    def test_a_refusal_repeats_no_key(self, wire):
        said = "invalid api key sk-abcdef123456 in Bearer sk-abcdef123456"
        body = {"error": said} if wire is OLLAMA else {"error": {"message": said}}
        detail = wire.failure(400, None, orjson.dumps(body)).detail
        assert "sk-abcdef" not in detail
        assert "invalid api key" in detail


def test_framing_keeps_lines_whole():
    lines = Lines()
    assert list(lines.feed(b"a\r\nb\n\nc")) == [b"a", b"b", b""]
    assert lines.rest() == b"c"
    events = ServerSentEvents()
    assert list(events.feed(b"event: x\ndata: a\ndata: b\nid: 1\n\n:c\n\ndata:c")) == [b"a\nb"]
    assert list(events.rest()) == [b"c"]
