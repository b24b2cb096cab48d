"""A conversation's automatic title. Pure."""

import re

WORDS = 8
MAX_CHARACTERS = 80
INSTRUCTION = (
    "Write a title of at most six words for the conversation that starts with the following message, "
    "in the message's own language. Answer with the title alone, without quotation marks."
)

_markup = re.compile(r"[`*_#>\[\]{}|~]+")
_labels = re.compile(r"^\s*(title|titre|titel|título|titolo)\s*:\s*", re.IGNORECASE)


def from_words(text: str) -> str:
    """The first words of a question, without markup: the title until there is a better one."""
    words = _markup.sub(" ", text).split()
    title = " ".join(words[:WORDS])
    shortened = len(words) > WORDS or len(title) > MAX_CHARACTERS
    return _cut(title) + ("…" if shortened else "")


def from_answer(text: str) -> str:
    """What a model proposed, made fit for a list; empty when nothing usable is left."""
    lines = [line for line in text.splitlines() if line.strip()]
    title = _labels.sub("", _markup.sub(" ", lines[0] if lines else ""))
    return _cut(" ".join(title.split()).strip("\"'“”„«»‘’ .:"))


def _cut(title: str) -> str:
    if len(title) <= MAX_CHARACTERS:
        return title
    return title[:MAX_CHARACTERS].rsplit(" ", 1)[0]
