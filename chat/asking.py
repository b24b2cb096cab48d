"""What a client's frame says, checked. Pure: no database, no Django."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from chat.errors import AssistantNotFound, AttachmentNotFound, EmptyMessage, InvalidJson, MessageTooLong
from panal.kit.errors import Invalid

MAX_CHARACTERS = 100_000
MAX_NAME = 200
MAX_REQUEST_ID = 100
MAX_KNOWLEDGE_BASES = 100
DEFAULT_MODEL = "auto"


@dataclass(frozen=True, slots=True)
class Ask:
    """A question. `knowledge_base_ids` None means all the asker may see, () none at all.

    `parent_id` is the message it follows. With an empty text it is a prompt to answer once more; a text with
    a prompt as its parent takes that prompt's place.
    """

    request_id: str
    conversation_id: UUID | None
    text: str
    model: str = DEFAULT_MODEL
    knowledge_base_ids: tuple[UUID, ...] | None = None
    parent_id: UUID | None = None

    def body(self) -> dict[str, Any]:
        """What must be equal when the same `request_id` comes again, as JSON."""
        bases = self.knowledge_base_ids
        return {
            "conversation_id": str(self.conversation_id) if self.conversation_id else None,
            "text": self.text,
            "model": self.model,
            "knowledge_base_ids": None if bases is None else [str(base) for base in bases],
            "parent_id": str(self.parent_id) if self.parent_id else None,
        }


@dataclass(frozen=True, slots=True)
class Resume:
    turn_id: UUID
    after: int


def parse_json(text: str | None) -> dict[str, Any]:
    """The object a text frame holds. Raises `InvalidJson`."""
    if text is None:
        raise InvalidJson("Frames are JSON text, not binary.")
    try:
        frame = orjson.loads(text)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise InvalidJson from error
    if not isinstance(frame, dict):
        raise InvalidJson
    return frame


def parse_ask(frame: Mapping[str, Any]) -> Ask:
    """Raises `Invalid` naming the field, `EmptyMessage`, `MessageTooLong` and the errors of what is not there."""
    request_id = _string(frame, "request_id", maximum=MAX_REQUEST_ID)
    if not request_id:
        raise Invalid("request_id: a text of 1 to 100 characters is needed.")
    text = _text(frame)
    parent_id = _uuid(frame, "parent_id")
    if not text.strip() and parent_id is None:
        raise EmptyMessage
    if frame.get("assistant"):
        raise AssistantNotFound
    if _uuids(frame, "attachment_ids"):
        raise AttachmentNotFound
    return Ask(
        request_id=request_id,
        conversation_id=_uuid(frame, "conversation_id"),
        text=text if text.strip() else "",
        model=_string(frame, "model", maximum=MAX_NAME) or DEFAULT_MODEL,
        knowledge_base_ids=_uuids(frame, "knowledge_base_ids"),
        parent_id=parent_id,
    )


def parse_turn_id(frame: Mapping[str, Any]) -> UUID:
    turn_id = _uuid(frame, "turn_id")
    if turn_id is None:
        raise Invalid("turn_id: an id is needed.")
    return turn_id


def parse_resume(frame: Mapping[str, Any]) -> Resume:
    after = frame.get("after", 0)
    if isinstance(after, bool) or not isinstance(after, int) or after < 0:
        raise Invalid("after: a whole number of 0 or more is needed.")
    return Resume(turn_id=parse_turn_id(frame), after=after)


def _text(frame: Mapping[str, Any]) -> str:
    text = frame.get("text")
    if not isinstance(text, str):
        raise Invalid("text: a text is needed.")
    if len(text) > MAX_CHARACTERS:
        raise MessageTooLong
    if "\x00" in text:
        raise Invalid("text: the character NUL is not allowed.")
    return text


def _string(frame: Mapping[str, Any], name: str, *, maximum: int) -> str:
    value = frame.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > maximum or "\x00" in value:
        raise Invalid(f"{name}: a text of up to {maximum} characters is needed.")
    return value


def _uuid(frame: Mapping[str, Any], name: str) -> UUID | None:
    value = frame.get(name)
    return None if value is None else _as_uuid(value, name)


def _uuids(frame: Mapping[str, Any], name: str) -> tuple[UUID, ...] | None:
    values = frame.get(name)
    if values is None:
        return None
    if not isinstance(values, list) or len(values) > MAX_KNOWLEDGE_BASES:
        raise Invalid(f"{name}: a list of up to {MAX_KNOWLEDGE_BASES} ids is needed.")
    return tuple(_as_uuid(value, name) for value in values)


def _as_uuid(value: Any, name: str) -> UUID:
    try:
        if isinstance(value, str) and len(value) == 36:
            return UUID(value)
    except ValueError:
        pass
    raise Invalid(f"{name}: this is not an id.")
