"""The gateway's skeleton: stages around one provider call, each a module, in one fixed order."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import reduce
from uuid import UUID

from billing.vocabulary import Usage
from panal.kit.ids import uuid7
from routing.offers import Offer
from routing.vocabulary import Delta, Event, Finished, Reasoning, Receipt, Request, ToolCall

Stream = AsyncGenerator[Event | Usage, None]
CONTENT = (Delta, Reasoning, ToolCall)


@dataclass(slots=True)
class Call:
    """What the stages of one generation know. Stages fill it; only the receipt leaves the gateway."""

    request: Request
    candidates: tuple[Offer, ...] = ()
    reason: str = ""
    attempts: int = 0
    event_id: UUID = field(default_factory=uuid7)
    first_token_at: datetime | None = None
    receipt: Receipt | None = None

    @property
    def offer(self) -> Offer:
        """The candidate being asked."""
        return self.candidates[self.attempts - 1]

    def close(self, finish: str, usage: Usage, cost: Decimal) -> None:
        card = self.offer.card
        self.receipt = Receipt(
            model=card.name,
            pool=card.pool,
            tier=card.tier,
            provider=card.provider,
            reason=self.reason,
            finish=finish,  # type: ignore[arg-type]
            usage=usage,
            cost_usd=cost,
            event_id=self.event_id,
            attempts=self.attempts,
        )


Proceed = Callable[[Call], Stream]
Stage = Callable[[Call, Proceed], Stream]


def around(stage: Stage, proceed: Proceed) -> Proceed:
    return lambda call: stage(call, proceed)


def compose(stages: tuple[Stage, ...], innermost: Proceed) -> Proceed:
    """The first stage is the outermost."""
    return reduce(lambda proceed, stage: around(stage, proceed), reversed(stages), innermost)


__all__ = ["CONTENT", "Call", "Finished", "Proceed", "Stage", "Stream", "compose"]
