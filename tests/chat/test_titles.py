"""A title is short, plain and never markup."""

import pytest

from chat import titles


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("How do I connect Ollama?", "How do I connect Ollama?"),
        ("# Big **news**\n\nfor `all` of us", "Big news for all of us"),
        ("one two three four five six seven eight nine", "one two three four five six seven eight…"),
        ("", ""),
        ("如何连接", "如何连接"),
    ],
)
def test_first_words(text, title):
    assert titles.from_words(text) == title


def test_one_endless_word_is_cut():
    assert len(titles.from_words("x" * 5000)) == titles.MAX_CHARACTERS + 1


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ('"Connecting Ollama."', "Connecting Ollama"),
        ("Title: **Costs this month**\nmore", "Costs this month"),
        ("\n\n„Ollama verbinden“\n", "Ollama verbinden"),
        ("***", ""),
    ],
)
def test_a_proposal_is_cleaned(answer, title):
    assert titles.from_answer(answer) == title
