"""A client's frame is checked once, and each fault has its own code."""

import json
from uuid import uuid4

import pytest

from chat import asking
from panal.kit.errors import PanalError

GOOD = {"type": "ask", "request_id": "r1", "conversation_id": None, "text": "Hello"}


def test_a_plain_question():
    ask = asking.parse_ask(GOOD)
    assert (ask.request_id, ask.text, ask.model, ask.conversation_id) == ("r1", "Hello", "auto", None)
    assert ask.knowledge_base_ids is None


def test_none_of_the_knowledge_differs_from_all_of_it():
    assert asking.parse_ask({**GOOD, "knowledge_base_ids": []}).knowledge_base_ids == ()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"request_id": None}, "invalid"),
        ({"request_id": 5}, "invalid"),
        ({"request_id": "x" * 101}, "invalid"),
        ({"text": None}, "invalid"),
        ({"text": ["a"]}, "invalid"),
        ({"text": "a\x00b"}, "invalid"),
        ({"text": ""}, "empty_message"),
        ({"text": " \n "}, "empty_message"),
        ({"text": "x" * 100_001}, "message_too_long"),
        ({"conversation_id": "nonsense"}, "invalid"),
        ({"conversation_id": 7}, "invalid"),
        ({"parent_id": "{" + str(uuid4()) + "}"}, "invalid"),
        ({"model": 3}, "invalid"),
        ({"model": "m" * 201}, "invalid"),
        ({"assistant": "helper"}, "assistant_not_found"),
        ({"attachment_ids": [str(uuid4())]}, "attachment_not_found"),
        ({"attachment_ids": "x"}, "invalid"),
        ({"knowledge_base_ids": ["x"]}, "invalid"),
        ({"knowledge_base_ids": [str(uuid4())] * 101}, "invalid"),
    ],
)
def test_what_is_wrong_is_named(change, code):
    with pytest.raises(PanalError) as raised:
        asking.parse_ask({**GOOD, **change})
    assert raised.value.code == code
    if code == "invalid":
        assert next(iter(change)) in raised.value.detail


@pytest.mark.parametrize("text", ["{", "[1]", '"ask"', "null", "", '{"a":"\\ud800"}', "[" * 5000, None])
def test_broken_json(text):
    with pytest.raises(asking.InvalidJson):
        asking.parse_json(text)


@pytest.mark.parametrize("after", [-1, 1.5, "3", True, None])
def test_a_bad_place_to_resume_from(after):
    with pytest.raises(asking.Invalid):
        asking.parse_resume({"turn_id": str(uuid4()), "after": after})


def test_the_same_question_has_the_same_body_as_json():
    first = asking.parse_ask({**GOOD, "knowledge_base_ids": [str(uuid4())]})
    assert json.loads(json.dumps(first.body())) == first.body()
    assert asking.parse_ask({**GOOD, "request_id": "r2"}).body() == asking.parse_ask(GOOD).body()
