"""The words every stage of the gateway shares. Frozen, pure, without Django.

Units: tokens, milliseconds, US dollars as `Decimal`.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from billing.vocabulary import Prices, Usage
from tenants.actors import Actor
from tenants.scope import Scope

Role = Literal["system", "user", "assistant", "tool"]
Finish = Literal["stop", "length", "tool_calls", "content_filter"]
Json = dict[str, Any]

FREE = Prices(input=Decimal(0), output=Decimal(0))


@dataclass(frozen=True, slots=True)
class TextPart:
    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """`url` is an address, or a `data:` URL that holds the image itself."""

    url: str
    detail: str | None = None


Part = TextPart | ImagePart


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool, or a piece of one while streaming: pieces of one `index` are joined.

    `arguments` is JSON text; `id` and `name` are set in the first piece.
    """

    index: int
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    content: str | tuple[Part, ...]
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content if isinstance(part, TextPart))


@dataclass(frozen=True, slots=True)
class Source:
    """A passage of the workspace's knowledge, cited in the answer as `[n]`.

    `start` and `end` are character offsets in the document's extracted text.
    """

    n: int
    document_id: UUID
    chunk_id: UUID
    title: str
    page: int | None
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt. `prefix` is assistant text already sent: the answer continues right after it."""

    id: UUID
    scope: Scope
    actor: Actor
    feature: str
    model: str
    messages: tuple[Message, ...]
    prefix: str = ""
    sources: tuple[Source, ...] = ()
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] | None = None
    seed: int | None = None
    tools: tuple[Json, ...] | None = None
    tool_choice: str | Json | None = None
    response_format: Json | None = None
    conversation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model as people and the policy see it. `own`: it belongs to the workspace, not to the platform."""

    name: str
    kind: str
    tier: str
    pool: str
    provider: str
    context: int
    prices: Prices
    available: bool
    reason: str
    builtin: bool = False
    own: bool = False


@dataclass(frozen=True, slots=True)
class Routed:
    model: str
    pool: str
    tier: str
    provider: str
    reason: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Delta:
    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    finish: Finish


Event = Routed | Delta | Reasoning | ToolCall | Finished
WireEvent = Delta | Reasoning | ToolCall | Finished | Usage
"""What a wire format or a built-in model yields: the events of an answer and, once known, its usage."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How a generation ended. `finish` is also `stopped` (by the caller) or `interrupted` (by a fault)."""

    model: str
    pool: str
    tier: str
    provider: str
    reason: str
    finish: Finish | Literal["stopped", "interrupted"]
    usage: Usage
    cost_usd: Decimal
    event_id: UUID
    attempts: int
