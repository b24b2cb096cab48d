"""What one process leaves in Redis for the next one that continues its turn, as JSON."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from billing.vocabulary import Usage
from chat.services import Outcome
from routing.vocabulary import Source


def listed(source: Source) -> dict[str, Any]:
    """A source as clients see it: never its text."""
    return {
        "n": source.n,
        "document_id": str(source.document_id),
        "title": source.title,
        "page": source.page,
        "chunk_id": str(source.chunk_id),
    }


def sources_kept(sources: tuple[Source, ...]) -> bytes:
    return orjson.dumps([asdict(source) for source in sources])


def sources_from(kept: bytes | None) -> tuple[Source, ...]:
    return tuple(
        Source(
            **{**item, "document_id": UUID(item["document_id"]), "chunk_id": UUID(item["chunk_id"])},
        )
        for item in (orjson.loads(kept) if kept else [])
    )


def usage_body(usage: Usage) -> dict[str, Any]:
    return {**asdict(usage), "total_tokens": usage.total_tokens}


def outcome_kept(outcome: Outcome) -> bytes:
    return orjson.dumps({**asdict(outcome), "cost_usd": str(outcome.cost_usd)})


def outcome_from(kept: bytes | str | None) -> Outcome | None:
    if not kept:
        return None
    fields = orjson.loads(kept)
    return Outcome(**{**fields, "cost_usd": Decimal(fields["cost_usd"])})
