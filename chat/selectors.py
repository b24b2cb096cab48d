"""Reads of conversations and turns of the current scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from chat.errors import ConversationNotFound, TurnNotFound
from chat.models import Conversation, Message, Turn
from chat.prompt import Past
from knowledge.models import Chunk
from knowledge.retriever import as_sources
from knowledge.search import search
from routing.vocabulary import Source
from tenants.actors import Actor
from tenants.authentication import actor_of_user
from tenants.policy import Action, can
from tenants.scope import current_scope

MAX_HISTORY = 200  # messages: more never fit a context window worth paying for
SOURCES = 8


@dataclass(frozen=True, slots=True)
class TurnBrief:
    """All a process needs to start, continue or replay a turn. `history` ends with the question."""

    turn_id: UUID
    conversation_id: UUID
    question_id: UUID
    answer_id: UUID
    request_id: str
    status: str
    attempt: int
    model: str
    knowledge_base_ids: list[UUID] | None
    actor: Actor
    history: tuple[Past, ...]
    answer_text: str
    answer_finish: str
    sources: list[dict[str, Any]]
    outline: list[Any] | None
    done: dict[str, Any]


def _actor_of_turn(turn: Turn) -> Actor:
    actor = actor_of_user(turn.owner, current_scope())
    if turn.token_scopes is None:
        return actor
    return Actor(
        scope=actor.scope,
        user_id=actor.user_id,
        email=actor.email,
        name=actor.name,
        role=actor.role,
        token_id=turn.token_id,
        token_scopes=frozenset(turn.token_scopes),
    )


BRANCH = """
WITH RECURSIVE branch AS (
    SELECT id, parent_id, role, text, status, 1 AS depth FROM chat_message WHERE id = %s
    UNION ALL
    SELECT m.id, m.parent_id, m.role, m.text, m.status, depth + 1
    FROM chat_message m JOIN branch ON m.id = branch.parent_id WHERE depth < %s
)
SELECT id, role, text, status FROM branch ORDER BY depth DESC
"""


def branch_to(message_id: UUID, *, limit: int = MAX_HISTORY) -> tuple[Past, ...]:
    """The message and what it follows, oldest first: one query however large the tree is."""
    rows = Message.objects.raw(BRANCH, [message_id, limit])
    return tuple(
        Past(role=row.role, text=row.text, failed=row.status == Message.Status.FAILED) for row in rows
    )


def turn_brief(turn_id: UUID) -> TurnBrief:
    """Raises `TurnNotFound`."""
    turn = Turn.objects.select_related("answer", "owner").filter(pk=turn_id).first()
    if turn is None:
        raise TurnNotFound
    history = branch_to(turn.question_id) if turn.status == Turn.Status.RUNNING else ()
    return brief_of(turn, actor=_actor_of_turn(turn), history=history)


def brief_of(turn: Turn, *, actor: Actor, history: tuple[Past, ...]) -> TurnBrief:
    answer = turn.answer
    bases = turn.ask["knowledge_base_ids"]
    return TurnBrief(
        turn_id=turn.pk,
        conversation_id=turn.conversation_id,
        question_id=turn.question_id,
        answer_id=turn.answer_id,
        request_id=turn.request_id,
        status=turn.status,
        attempt=turn.attempt,
        model=turn.ask["model"],
        knowledge_base_ids=None if bases is None else [UUID(base) for base in bases],
        actor=actor,
        history=history,
        answer_text=answer.text,
        answer_finish=answer.finish,
        sources=answer.sources,
        outline=turn.outline,
        done={
            "usage": answer.usage,
            "model": answer.model,
            "pool": answer.pool,
            "tier": answer.tier,
            "cost_usd": None if answer.cost_usd is None else format(answer.cost_usd, "f"),
        },
    )


def turn_is_mine(*, actor: Actor, turn_id: UUID) -> bool:
    return Turn.objects.filter(pk=turn_id, owner_id=actor.user_id).exists()


def turns_running(*, before: datetime) -> list[UUID]:
    """Turns that began before that moment and have not ended."""
    running = Turn.objects.filter(status=Turn.Status.RUNNING, created_at__lt=before)
    return list(running.values_list("pk", flat=True))


def sources_for(
    *, actor: Actor, query: str, knowledge_base_ids: Sequence[UUID] | None, k: int = SOURCES
) -> tuple[Source, ...]:
    """The passages an answer may cite; none for an actor who may not quote documents."""
    if not can(actor, Action.KNOWLEDGE_QUOTE):
        return ()
    if not Chunk.objects.exists():  # a new workspace need not embed its questions
        return ()
    bases = None if knowledge_base_ids is None else list(knowledge_base_ids)
    return as_sources(search(actor=actor, query=query, knowledge_base_ids=bases, k=k).hits)


def conversations_of(*, actor: Actor, search: str = "") -> QuerySet[Conversation]:
    """The actor's own, each with the id of its running turn."""
    running = Turn.objects.filter(conversation=OuterRef("pk"), status=Turn.Status.RUNNING)
    mine = Conversation.objects.filter(owner_id=actor.user_id, deleted_at__isnull=True)
    if search:
        mine = mine.filter(title__icontains=search)
    return mine.annotate(running_turn=Subquery(running.values("pk")[:1]))


def conversation_get(*, actor: Actor, conversation_id: UUID) -> Conversation:
    conversation = conversations_of(actor=actor).filter(pk=conversation_id).first()
    if conversation is None:
        raise ConversationNotFound
    return conversation


def messages_of(*, actor: Actor, conversation_id: UUID) -> QuerySet[Message]:
    """The whole tree, oldest first."""
    conversation_get(actor=actor, conversation_id=conversation_id)
    return (
        Message.objects.filter(conversation_id=conversation_id)
        .select_related("turn")
        .order_by("created_at", "id")
    )


def is_first_answer(*, conversation_id: UUID, answer_id: UUID) -> bool:
    answers = Message.objects.filter(conversation_id=conversation_id, role=Message.Role.ASSISTANT)
    return not answers.exclude(pk=answer_id).exists()
