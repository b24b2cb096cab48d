"""Where knowledge plugs in: a model that answers from documents asks here when a request brings none.

Routing lies below knowledge and must not import it; `knowledge.apps` registers its search at start.
"""

from collections.abc import Awaitable, Callable

from routing.vocabulary import Source
from tenants.actors import Actor

Retriever = Callable[[Actor, str, int], Awaitable[tuple[Source, ...]]]

_retriever: Retriever | None = None


def register_retriever(retriever: Retriever) -> None:
    """`await retriever(actor, query, k)` answers at most `k` numbered sources the actor may see."""
    global _retriever
    _retriever = retriever


async def retrieve(actor: Actor, query: str, k: int) -> tuple[Source, ...]:
    return await _retriever(actor, query, k) if _retriever else ()
