"""The frames of a turn as JSON text, and their outline. Pure.

A turn's frames are numbered from 1 without holes and end with exactly one `done` or `error`.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson

DELTA_START = '{"type":"delta"'
SOURCES_START = '{"type":"sources"'
LAST_STARTS = ('{"type":"done"', '{"type":"error"')


def encode(kind: str, **body: Any) -> str:
    """A frame outside a turn."""
    return orjson.dumps({"type": kind, **body}).decode()


def encode_turn(turn_id: UUID, seq: int, kind: str, body: dict[str, Any]) -> str:
    return orjson.dumps({"type": kind, "turn_id": turn_id, "seq": seq, **body}).decode()


def is_last(frame: str) -> bool:
    return frame.startswith(LAST_STARTS)


def is_answered(frames: Sequence[str]) -> bool:
    return bool(frames) and frames[-1].startswith(LAST_STARTS[0])


def coalesce(items: Iterable[str | tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """Texts in a row become one `delta`; other frames keep their place."""
    joined: list[tuple[str, dict[str, Any]]] = []
    texts: list[str] = []
    for item in items:
        if isinstance(item, str):
            texts.append(item)
            continue
        if texts:
            joined.append(("delta", {"text": "".join(texts)}))
            texts = []
        joined.append(item)
    if texts:
        joined.append(("delta", {"text": "".join(texts)}))
    return joined


def text_of(frames: Iterable[str]) -> str:
    """The joined deltas."""
    return "".join(orjson.loads(frame)["text"] for frame in frames if frame.startswith(DELTA_START))


def sources_of(frames: Iterable[str]) -> list[dict[str, Any]]:
    for frame in frames:
        if frame.startswith(SOURCES_START):
            return list(orjson.loads(frame)["sources"])
    return []


def outline_of(frames: Iterable[str]) -> list[Any]:
    """The frames without ids, each delta as its number of characters."""
    outline: list[Any] = []
    for frame in frames:
        body = orjson.loads(frame)
        if body["type"] == "delta":
            outline.append(len(body["text"]))
        else:
            del body["turn_id"], body["seq"]
            outline.append(body)
    return outline


def rebuild(turn_id: UUID, outline: Sequence[Any], text: str) -> list[str]:
    """The frames an outline was made of, given the stored answer."""
    frames: list[str] = []
    start = 0
    for seq, part in enumerate(outline, start=1):
        if isinstance(part, int):
            body: dict[str, Any] = {"text": text[start : start + part]}
            frames.append(encode_turn(turn_id, seq, "delta", body))
            start += part
        else:
            body = {key: value for key, value in part.items() if key != "type"}
            frames.append(encode_turn(turn_id, seq, part["type"], body))
    return frames
