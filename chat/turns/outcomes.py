"""How a turn ended, as what is stored and as its last frame. Nothing here does I/O."""

from decimal import Decimal
from typing import Any

from chat.models import Message
from chat.selectors import TurnBrief
from chat.services import Outcome
from chat.turns import frames, handover
from panal.kit.errors import PanalError
from routing.vocabulary import Receipt, Routed


def answered(text: str, finish: str, receipt: Receipt | None, routed: Routed | None) -> Outcome:
    """The model said all it had to say; `finish` is the provider's reason."""
    status = Message.Status.COMPLETE
    return _outcome(text, status, "length" if finish == "length" else "stop", receipt, routed)


def stopped(text: str, receipt: Receipt | None = None, routed: Routed | None = None) -> Outcome:
    return _outcome(text, Message.Status.STOPPED, "stopped", receipt, routed)


def broken(
    text: str, error: PanalError, receipt: Receipt | None = None, routed: Routed | None = None
) -> Outcome:
    """Text was written and no more will come."""
    return _outcome(text, Message.Status.INTERRUPTED, "interrupted", receipt, routed, error)


def failed(error: PanalError) -> Outcome:
    """Nothing was answered."""
    return Outcome(
        text="",
        status=Message.Status.FAILED,
        error_code=error.code,
        error_detail=error.detail,
        retry_after=error.retry_after,
    )


def _outcome(
    text: str,
    status: str,
    finish: str,
    receipt: Receipt | None,
    routed: Routed | None,
    error: PanalError | None = None,
) -> Outcome:
    by = receipt or routed
    return Outcome(
        text=text,
        status=status,
        finish=finish,
        error_code=error.code if error else "",
        error_detail=error.detail if error else "",
        model=by.model if by else "",
        pool=by.pool if by else "",
        tier=by.tier if by else "",
        usage=handover.usage_body(receipt.usage) if receipt else {},
        cost_usd=receipt.cost_usd if receipt else Decimal(0),
    )


def accepted_body(brief: TurnBrief) -> dict[str, Any]:
    """`message_id` is the answer's, as in `done`; `user_message_id` the question's."""
    return {
        "request_id": brief.request_id,
        "conversation_id": brief.conversation_id,
        "message_id": brief.answer_id,
        "user_message_id": brief.question_id,
    }


def last_frame(brief: TurnBrief, outcome: Outcome) -> tuple[str, dict[str, Any]]:
    """`error` when nothing was answered, else `done`: each turn ends with exactly one of them."""
    if outcome.status == Message.Status.FAILED:
        body = {"code": outcome.error_code, "detail": outcome.error_detail, "message_id": brief.answer_id}
        return "error", body | ({"retry_after": outcome.retry_after} if outcome.retry_after else {})
    body = {
        "message_id": brief.answer_id,
        "finish": outcome.finish,
        "usage": dict(outcome.usage),
        "model": outcome.model,
        "pool": outcome.pool,
        "tier": outcome.tier,
        "cost_usd": format(outcome.cost_usd, "f"),
    }
    if outcome.error_code:
        body["error"] = {"code": outcome.error_code, "detail": outcome.error_detail}
    return "done", body


def stored_frames(brief: TurnBrief) -> list[str]:
    """The frames of an ended turn, from the database."""
    if brief.outline is not None:
        return frames.rebuild(brief.turn_id, brief.outline, brief.answer_text)
    parts: list[tuple[str, dict[str, Any]]] = [("accepted", accepted_body(brief))]
    if brief.sources:
        parts.append(("sources", {"sources": brief.sources}))
    if brief.answer_text:
        parts.append(("delta", {"text": brief.answer_text}))
    parts.append(("done", {"message_id": brief.answer_id, "finish": brief.answer_finish, **brief.done}))
    return [
        frames.encode_turn(brief.turn_id, seq, kind, body) for seq, (kind, body) in enumerate(parts, start=1)
    ]
