"""The words of metering. Pure: no database, no Django."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from uuid import UUID

TOKENS_PER_PRICE = Decimal(1_000_000)
COST_STEP = Decimal("0.000000000001")  # 12 decimals of a US dollar


class CallStatus(StrEnum):
    OK = "ok"
    STOPPED = "stopped"  # the person or client ended it
    INTERRUPTED = "interrupted"  # the model broke after the first token
    ERROR = "error"  # nothing came
    LOST = "lost"  # the process died; settled later by the sweeper


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. The classes are disjoint: cached input is not counted again as input."""

    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    source: str = "estimate"  # provider, tokenizer or estimate

    @property
    def total_tokens(self) -> int:
        return (
            self.input_tokens
            + self.cached_tokens
            + self.cache_write_tokens
            + self.output_tokens
            + self.reasoning_tokens
        )


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars per million tokens."""

    input: Decimal = Decimal(0)
    output: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known before the provider is called. `event_id` names the call for good."""

    event_id: UUID
    request_id: UUID
    feature: str
    user_id: UUID | None
    token_id: UUID | None
    conversation_id: UUID | None
    provider: str
    model: str
    pool: str
    tier: str
    prices: Prices
    started_at: datetime


@dataclass(frozen=True, slots=True)
class CallOutcome:
    status: CallStatus
    usage: Usage
    first_token_at: datetime | None
    ended_at: datetime
    error_code: str = ""


def cost_usd(usage: Usage, prices: Prices) -> Decimal:
    """US dollars, 12 decimals, half-even. Cached input and cache writes cost the input price until a
    model's price list says otherwise; reasoning costs the output price."""
    input_tokens = usage.input_tokens + usage.cached_tokens + usage.cache_write_tokens
    output_tokens = usage.output_tokens + usage.reasoning_tokens
    total = (input_tokens * prices.input + output_tokens * prices.output) / TOKENS_PER_PRICE
    return total.quantize(COST_STEP, rounding=ROUND_HALF_EVEN)
