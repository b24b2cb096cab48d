"""The mock model: knobs in its name, one endless text, exact continuation."""

import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panal.kit.ids import uuid7
from routing.builtin import mock
from routing.builtin.mock import Knobs, fails, is_mock, knobs_of, text
from routing.vocabulary import Delta, Finished, Message, Request
from tenants.actors import system_actor
from tenants.scope import PUBLIC


async def play(name, **fields):
    """(text, other events, error)."""
    fields.setdefault("id", uuid7())
    request = Request(
        scope=PUBLIC,
        actor=system_actor(PUBLIC),
        feature="api",
        model=name,
        messages=(Message("user", "hi"),),
        **fields,
    )
    parts, others = [], []
    try:
        async for event in mock.stream(request, name):
            (parts if isinstance(event, Delta) else others).append(event)
    except Exception as error:
        return "".join(part.text for part in parts), others, error
    return "".join(part.text for part in parts), others, None


@pytest.mark.parametrize(
    ("name", "knobs"),
    [
        ("mock", Knobs()),
        ("mock-len7", Knobs(len=7)),
        ("mock-ttft500-itl20-len400-fail5", Knobs(ttft=500, itl=20, len=400, fail=5)),
        ("mock-cut3-len9-itl1", Knobs(itl=1, len=9, cut=3)),
        ("mock-cut0", Knobs(cut=0)),
    ],
)
def test_names(name, knobs):
    assert knobs_of(name) == knobs


@pytest.mark.parametrize(
    "name",
    [
        "",
        "mocks",
        "mock-",
        "mock-len",
        "mock-len5-len6",
        "mock-speed5",
        "mock-fail101",
        "mock-len99999",
        "Mock",
    ],
)
def test_what_is_no_mock(name):
    assert not is_mock(name)


async def test_length_usage_and_end():
    answer, [usage, finished], error = await play("mock-len20")
    assert (answer, error) == (text(20), None)
    assert len(answer.split()) == 20
    assert (usage.output_tokens, usage.source, finished) == (20, "tokenizer", Finished("stop"))


async def test_max_tokens():
    answer, [_, finished], _ = await play("mock-len20", max_tokens=5)
    assert (answer, finished) == (text(5), Finished("length"))


@given(st.integers(0, 60), st.integers(0, 400))
async def test_a_prefix_is_continued_exactly(length, at):
    whole = text(length)
    prefix = whole[:at]
    rest, _, _ = await play(f"mock-len{length}", prefix=prefix)
    assert prefix + rest == whole


async def test_a_foreign_prefix_is_followed_by_its_words():
    rest, _, _ = await play("mock-len20", prefix="Something else entirely")
    assert rest == text(20).removeprefix(text(3))


async def test_cut_breaks_after_so_many_tokens():
    answer, others, error = await play("mock-len20-cut4")
    assert (answer, others, error.code) == (text(4), [], "upstream_interrupted")


async def test_failing_is_decided_by_the_request():
    ids = [UUID(int=number) for number in range(1000)]
    failing = [one for one in ids if fails(one, 10)]
    assert 60 < len(failing) < 140
    assert all(fails(one, 50) for one in failing)
    for _ in range(2):
        answer, _, error = await play("mock-len3-fail10", id=failing[0])
        assert (answer, error.code) == ("", "upstream_error")
    assert (await play("mock-len3-fail10", id=next(one for one in ids if not fails(one, 10))))[2] is None


async def test_pace():
    started = time.monotonic()
    await play("mock-ttft100-itl10-len11")
    assert 0.19 < time.monotonic() - started < 5
