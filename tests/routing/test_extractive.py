"""panal-extractive: useful, cited, honest, continued exactly."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panal.kit.ids import uuid7
from routing.builtin.extractive import answer, rest_after, stream
from routing.builtin.language import CLOSEST, NOTHING, asks_how, language_of, terms
from routing.builtin.units import sentences, units
from routing.vocabulary import Delta, Finished, Message, Request, Source
from tenants.actors import system_actor
from tenants.scope import PUBLIC

HANDBOOK = Path(__file__).resolve().parents[2] / "docs" / "handbook"
GUIDE = """# Connect Ollama

Panal answers with the models of your own Ollama servers.

## On the same machine

To connect Ollama on the same machine:

1. Install Ollama from its site and start it.
2. Pull a model:
   ```
   ollama pull llama3.1:8b
   ```
3. Open **Models** in the console.

## Elsewhere

Set `OLLAMA_CPU_URL` to its address and restart Panal. Servers with graphics cards go into `OLLAMA_GPU_URL`.
"""
LEAVE = "Holiday policy\n\nEverybody has 25 days of paid leave a year. Leave is asked for two weeks ahead."


def source(text, n=1, title="Guide"):
    return Source(n, uuid4(), uuid4(), title, None, text, 0, len(text))


def test_steps_and_commands_stay_whole():
    said = answer("How do I connect Ollama?", (source(GUIDE),))
    assert "To connect Ollama on the same machine: [1]\n\n1. Install Ollama" in said
    assert "   ```\n   ollama pull llama3.1:8b\n   ```\n3. Open **Models** in the console." in said


def test_a_fact_is_quoted_and_cited_right_after():
    said = answer("How many days of leave do I have?", (source(GUIDE, 1), source(LEAVE, 2, "Leave")))
    assert said.startswith("Everybody has 25 days of paid leave a year. [2]")
    assert "Ollama" not in said


def test_a_name_with_underscores_is_found():
    said = answer("What is OLLAMA_GPU_URL for?", (source(GUIDE),))
    assert "go into `OLLAMA_GPU_URL`. [1]" in said


def test_pieces_of_several_documents_are_each_cited():
    one = source("Tokens expire after 90 days.", 1, "Tokens")
    other = source("Expired tokens are removed after 7 days.", 2, "Cleaning")
    said = answer("When do tokens expire?", (one, other))
    assert "[1]" in said
    assert "[2]" in said


def test_overlapping_chunks_are_quoted_once():
    said = answer(
        "When do tokens expire?", tuple(source("Tokens expire after 90 days.", n) for n in (1, 2, 3))
    )
    assert said.count("Tokens expire") == 1


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Who won the world cup in 1998?", "en"),
        ("¿Quién ganó el mundial de fútbol?", "es"),
        ("Wer hat die Weltmeisterschaft gewonnen und wann war das?", "de"),
        ("Qui a gagné la coupe du monde et dans quelle ville ?", "fr"),
        ("Quem ganhou a copa do mundo e em que ano?", "pt"),
        ("Chi ha vinto la coppa del mondo e in quale anno?", "it"),
        ("誰がワールドカップで優勝しましたか", "en"),
    ],
)
def test_it_says_plainly_that_nothing_was_found(question, language):
    assert language_of(question) == language
    assert answer(question, (source(GUIDE),)) == NOTHING[language]
    assert answer(question, ()) == NOTHING[language]


def test_what_is_only_near_is_called_so():
    said = answer("Which colour has the admin's console banner on Tuesdays in Portugal?", (source(GUIDE),))
    assert said.startswith(CLOSEST["en"])
    assert "[1]" in said


def test_other_scripts_are_matched_too():
    text = "Ollamaを接続するには、コンソールを開きます。料金は毎月請求されます。"
    said = answer("料金はいつ請求されますか", (source(text),))
    assert said.startswith("料金は毎月請求されます。 [1]")


@pytest.mark.skipif(not HANDBOOK.exists(), reason="no handbook here")
def test_the_handbook_answers_its_question():
    pages = sorted(HANDBOOK.glob("*.md"))
    first = HANDBOOK / "connect-ollama.md"
    pages = [first, *(page for page in pages if page != first)][:6]
    sources = tuple(source(page.read_text(), n, page.stem) for n, page in enumerate(pages, start=1))
    said = answer("How do I connect Ollama?", sources)
    assert "[1]" in said
    assert re.search(r"^\s*(\d\.|-) ", said, re.MULTILINE), said


@given(st.text(max_size=300), st.text(max_size=300), st.integers(0, 500))
def test_any_text_any_question_any_cut(text, question, at):
    whole = answer(question, (source(text),))
    assert whole
    prefix = whole[:at]
    assert prefix + rest_after(prefix, whole) == whole


def test_a_foreign_prefix_is_followed_by_the_whole_answer():
    assert rest_after("Once upon", "Tokens expire. [1]") == "\n\nTokens expire. [1]"


def _request(**fields):
    fields.setdefault("feature", "chat")
    fields.setdefault("messages", (Message("system", "Be kind."), Message("user", "When do tokens expire?")))
    return Request(id=uuid7(), scope=PUBLIC, actor=system_actor(PUBLIC), model="panal-extractive", **fields)


async def _play(**fields):
    events = [event async for event in stream(_request(**fields))]
    return "".join(event.text for event in events if isinstance(event, Delta)), events


TOKENS = (source("Tokens expire after 90 days. Nobody is told before."),)


async def test_it_streams_in_pieces_and_continues_exactly():
    whole, events = await _play(sources=TOKENS)
    assert whole == answer("When do tokens expire?", TOKENS)
    assert sum(isinstance(event, Delta) for event in events) == 2
    assert events[-1] == Finished("stop")
    assert events[-2].input_tokens > 10
    rest, _ = await _play(sources=TOKENS, prefix=whole[:17])
    assert whole[:17] + rest == whole


async def test_limits():
    cut, events = await _play(sources=TOKENS, max_tokens=5)
    assert (len(cut.split()) <= 5, events[-1]) == (True, Finished("length"))
    assert (await _play(sources=TOKENS, stop=("after",)))[0] == "Tokens expire "


async def test_it_asks_the_retriever_only_when_the_caller_did_not_search(monkeypatch):
    asked = []

    async def retriever(actor, query, k):
        asked.append((query, k))
        return TOKENS

    monkeypatch.setattr("routing.retrieval._retriever", retriever)
    assert (await _play(feature="api"))[0].startswith("Tokens expire after 90 days. [1]")
    assert asked == [("When do tokens expire?", 8)]
    assert (await _play(feature="chat"))[0] == NOTHING["en"]
    assert len(asked) == 1
    assert (await _play(feature="api", messages=(Message("system", "x"),)))[0] == NOTHING["en"]


def test_sentences():
    assert sentences("See e.g. page 3. It costs 2.50 a day! Really? Yes.") == [
        "See e.g. page 3.", "It costs 2.50 a day!", "Really?", "Yes.",
    ]  # fmt: skip
    assert sentences("A line\nbroken in the middle. Next.") == ["A line broken in the middle.", "Next."]


def test_units_know_their_heading():
    found = units(source(GUIDE))
    assert [unit.heading for unit in found] == [
        "Connect Ollama",
        "On the same machine",
        "Elsewhere",
        "Elsewhere",
    ]
    assert found[1].has_steps


def test_words_meet_their_forms():
    assert terms("connecting") == terms("connection") == terms("connects") == terms("connected")
    assert terms("políticas") == terms("politica")


def test_questions_for_steps():
    assert asks_how("How do I connect Ollama?")
    assert asks_how("¿Cómo conecto mi servidor con la plataforma?")
    assert not asks_how("How many users are there?")
    assert not asks_how("What is a token?")
