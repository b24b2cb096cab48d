"""Passages of a workspace's documents for a question: exact offsets, best first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import connection, transaction
from pgvector.django import CosineDistance

from knowledge import embedding, errors
from knowledge.models import Chunk, KnowledgeBase
from tenants.actors import Actor
from tenants.policy import Action, require

# Measured: docs/decisions/0008-sections-and-source-floor.md
SOURCE_FLOOR = 0.25
MAX_K = 100
MAX_QUERY = 8_000
# A trimmed remainder shorter than this says nothing that its neighbour does not.
MIN_REMAINDER = 40
EF_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Hit:
    """`text` is the document's text from `start` to `end`; `score` is a cosine, 1.0 at best."""

    document_id: UUID
    knowledge_base_id: UUID
    external_id: str
    title: str
    chunk_id: UUID
    start: int
    end: int
    page: int | None
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    hits: list[Hit]
    embed_ms: float
    search_ms: float


def search(
    *,
    actor: Actor,
    query: str,
    knowledge_base_ids: Sequence[UUID] | None,
    k: int,
    floor: float = SOURCE_FLOOR,
) -> SearchResult:
    """The `k` best passages scoring at least `floor`, from the given knowledge bases or, with None, from all.

    `actor` is who asks; the passages are those of the scope this runs in. Raises KnowledgeBaseNotFound,
    BadQuery, BadCount, Forbidden.
    """
    require(actor, Action.KNOWLEDGE_QUOTE)
    if not query.strip():
        raise errors.BadQuery
    if not 1 <= k <= MAX_K:
        raise errors.BadCount
    began = time.perf_counter()
    vector = embedding.embed_query(" ".join(query[:MAX_QUERY].split()))
    embedded = time.perf_counter()
    _check_bases(knowledge_base_ids)
    hits = [hit for hit in _nearest(vector, knowledge_base_ids, k) if hit.score >= floor]
    hits = without_repeats(hits)[:k]
    ended = time.perf_counter()
    return SearchResult(
        hits, embed_ms=round((embedded - began) * 1000, 3), search_ms=round((ended - embedded) * 1000, 3)
    )


def without_repeats(hits: Sequence[Hit]) -> list[Hit]:
    """Say nothing twice: drop equal passages, and cut from a hit what a better one of its document
    already shows.
    """
    kept: list[Hit] = []
    for hit in hits:
        if any(hit.text == better.text for better in kept):
            continue
        remainder = _remainder(hit, [better for better in kept if better.document_id == hit.document_id])
        if remainder is not None:
            kept.append(remainder)
    return kept


def _remainder(hit: Hit, better: Sequence[Hit]) -> Hit | None:
    start, end = hit.start, hit.end
    for other in better:
        if other.start <= start < other.end:
            start = other.end
        if other.start < end <= other.end:
            end = other.start
    if (start, end) == (hit.start, hit.end):
        return hit
    text = hit.text[max(start - hit.start, 0) : max(end - hit.start, 0)]
    if len(text.strip()) < MIN_REMAINDER:
        return None
    start += len(text) - len(text.lstrip())
    return replace(hit, start=start, end=start + len(text.strip()), text=text.strip())


def _check_bases(knowledge_base_ids: Sequence[UUID] | None) -> None:
    if knowledge_base_ids is None:
        return
    wanted = set(knowledge_base_ids)
    if KnowledgeBase.objects.filter(id__in=wanted).count() < len(wanted):
        raise errors.KnowledgeBaseNotFound


@transaction.atomic
def _nearest(vector: embedding.Vector, knowledge_base_ids: Sequence[UUID] | None, k: int) -> list[Hit]:
    with connection.cursor() as cursor:
        # Without the iterative scan a filter that few chunks pass would empty the page.
        cursor.execute(
            "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true), "
            "set_config('hnsw.ef_search', %s, true)",
            [str(EF_SEARCH)],
        )
    chunks = Chunk.objects.select_related("document").defer("embedding")
    if knowledge_base_ids is not None:
        chunks = chunks.filter(knowledge_base_id__in=list(knowledge_base_ids))
    nearest = chunks.annotate(distance=CosineDistance("embedding", vector)).order_by("distance")[
        : k + k // 4 + 5
    ]
    hits = [_hit(chunk) for chunk in nearest]
    # The relaxed order of the scan is almost, not quite, by distance.
    return sorted(hits, key=lambda hit: -hit.score)


def _hit(chunk: Chunk) -> Hit:
    distance: float = chunk.distance  # type: ignore[attr-defined]
    return Hit(
        document_id=chunk.document_id,
        knowledge_base_id=chunk.knowledge_base_id,
        external_id=chunk.document.external_id,
        title=chunk.document.title,
        chunk_id=chunk.id,
        start=chunk.start,
        end=chunk.end,
        page=chunk.page,
        text=chunk.text,
        score=round(1.0 - distance, 6),
    )
