"""Text to vectors on this machine's processor: all-MiniLM-L6-v2, 384 numbers of length one.

The model is loaded once per process, on first use. It runs on one thread: many processes share the machine,
and for texts of 512 tokens on a CPU one text per call is faster than a padded batch.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt

from knowledge import minilm

Vector = npt.NDArray[np.float32]

MODEL = minilm.NAME
DIMENSION = minilm.DIMENSION
WINDOW = minilm.WINDOW
# [CLS] and [SEP]
MARKS = 2
TITLE_TOKENS = 40
# A long text is tokenized in blocks, so that memory does not follow the longest document.
_BLOCK = 100_000
_QUERY_CACHE = 2_048


class Embedder:
    """One loaded model. Safe to call from several threads."""

    def __init__(self, home: Path) -> None:
        # A forked worker would deadlock in the tokenizer's own thread pool.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import ctranslate2
        from tokenizers import Tokenizer

        path = str(minilm.package_folder() / "tokenizer.json")
        # The file asks for truncation to 128 and padding to 128 tokens; neither is wanted.
        self._windowed = Tokenizer.from_file(path)
        self._windowed.no_padding()
        self._windowed.enable_truncation(WINDOW)
        self._whole = Tokenizer.from_file(path)
        self._whole.no_padding()
        self._whole.no_truncation()
        self._storage = ctranslate2.StorageView
        self._encoder = ctranslate2.Encoder(
            str(minilm.converted_folder(home)),
            device="cpu",
            compute_type="int8",
            inter_threads=1,
            intra_threads=1,
        )

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One vector per text; a text is seen up to the model's window of 512 tokens."""
        return [self._embed(text) for text in texts]

    def _embed(self, text: str) -> Vector:
        ids = self._windowed.encode(text).ids
        states = self._encoder.forward_batch([ids]).last_hidden_state
        mean: Vector = np.array(states, dtype=np.float32)[0, : len(ids)].mean(axis=0)
        return mean / max(float(np.linalg.norm(mean)), 1e-12)

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """The (start, end) of every token of a text of any length, in characters, without the model's
        marks.
        """
        offsets: list[tuple[int, int]] = []
        for start, end in _blocks(text):
            encoding = self._whole.encode(text[start:end], add_special_tokens=False)
            offsets.extend((start + a, start + b) for a, b in encoding.offsets)
        return offsets

    def count(self, text: str) -> int:
        return len(self._whole.encode(text, add_special_tokens=False).ids)

    def shorten(self, text: str, tokens: int) -> str:
        """The beginning of `text` that is at most `tokens` long."""
        offsets = self._whole.encode(text, add_special_tokens=False).offsets
        return text if len(offsets) <= tokens else text[: offsets[tokens][0]].rstrip()


def _blocks(text: str) -> list[tuple[int, int]]:
    """Ranges of about _BLOCK characters which end at white space, where no token can straddle."""
    ranges, start = [], 0
    while start < len(text):
        end = min(start + _BLOCK, len(text))
        if end < len(text):
            space = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
            end = space + 1 if space > start else end
        ranges.append((start, end))
        start = end
    return ranges


_lock = Lock()
_loaded: dict[Path, Embedder] = {}


def embedder(home: Path | None = None) -> Embedder:
    """This process's model; `home` is the folder whose models/ holds it, PANAL_HOME unless given."""
    if home is None:
        from django.conf import settings

        home = Path(settings.PANAL_HOME)
    with _lock:
        if home not in _loaded:
            _loaded[home] = Embedder(home)
        return _loaded[home]


def _forget() -> None:
    """The model's threads do not live on in a forked child: it loads its own."""
    global _lock
    _lock = Lock()
    _loaded.clear()
    embed_query.cache_clear()


def document_input(title: str, text: str) -> str:
    """What is embedded for a chunk: its document's title gives a passage the subject it does not repeat."""
    return f"{title}\n{text}" if title else text


def body_tokens(title_tokens: int) -> int:
    """How many tokens a chunk's own text may have, so that the window holds all of it, title and marks
    included.
    """
    return WINDOW - MARKS - title_tokens


def embed(texts: Sequence[str]) -> list[Vector]:
    return embedder().embed(texts)


@lru_cache(maxsize=_QUERY_CACHE)
def embed_query(query: str) -> Vector:
    """The vector of a question. A vector depends on nothing but the text, so all workspaces may share
    the cache.
    """
    vector = embedder().embed([query])[0]
    vector.setflags(write=False)
    return vector


os.register_at_fork(after_in_child=_forget)
