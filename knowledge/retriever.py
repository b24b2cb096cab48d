"""Knowledge as the gateway's retriever: sources for a model that was asked without any."""

from __future__ import annotations

from knowledge.search import Hit, search
from routing.vocabulary import Source
from tenants.actors import Actor
from tenants.policy import Action, can
from tenants.scope import in_tenant


def as_sources(hits: list[Hit]) -> tuple[Source, ...]:
    return tuple(
        Source(
            n=number,
            document_id=hit.document_id,
            chunk_id=hit.chunk_id,
            title=hit.title,
            page=hit.page,
            text=hit.text,
            start=hit.start,
            end=hit.end,
        )
        for number, hit in enumerate(hits, start=1)
    )


async def retrieve(actor: Actor, query: str, k: int) -> tuple[Source, ...]:
    """The best `k` passages of all knowledge bases of the actor's workspace; none when nothing fits or
    is asked.
    """
    if not query.strip() or not can(actor, Action.KNOWLEDGE_QUOTE):
        return ()
    result = await in_tenant(actor.scope, search, actor=actor, query=query, knowledge_base_ids=None, k=k)
    return as_sources(result.hits)
