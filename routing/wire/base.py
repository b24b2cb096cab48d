"""What a wire format is: a request out, events in, and a table of errors. Pure: nothing here does I/O."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from panal.kit.errors import PanalError
from routing.vocabulary import Request, WireEvent


@dataclass(frozen=True, slots=True)
class Target:
    """The model at a provider a request goes to. `context` is in tokens."""

    model: str
    context: int
    key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class HttpCall:
    """`path` comes after the provider's base URL."""

    method: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes


class Decoder(Protocol):
    """Bytes of one answer in, events out, wherever the bytes happen to be cut.

    `ended` turns true once the format's own end mark arrived. `feed` and `close` yield every event that came
    before a fault and then raise a `PanalError`; `close` raises when the answer has no proper end.
    """

    ended: bool

    def feed(self, data: bytes) -> Iterator[WireEvent]: ...

    def close(self) -> Iterator[WireEvent]: ...


@dataclass(frozen=True, slots=True)
class Listed:
    """A model a provider says it has. `context` 0 and `kind` "" mean: not told."""

    name: str
    context: int = 0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """`failure(status, retry_after, body)` is the error table; the list is read from `list_path`."""

    name: str
    request: Callable[[Request, Target], HttpCall]
    decoder: Callable[[], Decoder]
    failure: Callable[[int, str | None, bytes], PanalError]
    list_path: str
    listed: Callable[[bytes], list[Listed]]
    auth: Callable[[str], dict[str, str]]
