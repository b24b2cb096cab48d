"""Frames are coalesced without losing order or text, and an outline rebuilds them exactly."""

import json
from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chat.turns import frames

TURN = UUID("01900000-0000-7000-8000-000000000001")
STATUS = ("status", {"stage": "generating"})

items = st.lists(st.one_of(st.text(min_size=1), st.just(STATUS)), max_size=30)


def test_texts_in_a_row_become_one_delta():
    assert frames.coalesce(["a", "b", STATUS, "c"]) == [
        ("delta", {"text": "ab"}), STATUS, ("delta", {"text": "c"}),
    ]  # fmt: skip


@given(items)
def test_coalescing_keeps_text_and_order(given_items):
    joined = frames.coalesce(given_items)
    assert "".join(body["text"] for kind, body in joined if kind == "delta") == "".join(
        item for item in given_items if isinstance(item, str)
    )
    assert [kind for kind, _ in joined].count("status") == given_items.count(STATUS)
    assert all(one != two or one == "status" for one, two in pairwise(kind for kind, _ in joined))


@given(items)
def test_an_outline_rebuilds_the_same_frames(given_items):
    parts = [("accepted", {"request_id": "r"}), *frames.coalesce(given_items), ("done", {"finish": "stop"})]
    sent = [frames.encode_turn(TURN, seq, kind, body) for seq, (kind, body) in enumerate(parts, start=1)]
    outline = json.loads(json.dumps(frames.outline_of(sent)))  # as the database keeps it
    again = frames.rebuild(TURN, outline, frames.text_of(sent))
    assert [json.loads(frame) for frame in again] == [json.loads(frame) for frame in sent]


def test_the_last_frame_is_recognised():
    assert frames.is_last(frames.encode_turn(TURN, 9, "done", {}))
    assert frames.is_last(frames.encode_turn(TURN, 9, "error", {"code": "x"}))
    assert not frames.is_last(frames.encode_turn(TURN, 9, "delta", {"text": '{"type":"done"'}))
