"""Changes to conversations and turns of the current scope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from chat import titles
from chat.asking import Ask
from chat.errors import (
    ConversationNotFound,
    EmptyMessage,
    MessageNotFound,
    RequestIdReused,
    TurnInProgress,
)
from chat.models import Conversation, Message, Turn
from chat.prompt import Past
from chat.selectors import TurnBrief, branch_to, brief_of, turn_brief
from knowledge.errors import KnowledgeBaseNotFound
from knowledge.models import KnowledgeBase
from panal.kit.errors import Unauthenticated
from tenants.actors import Actor
from tenants.policy import Action, can, require

UNDO_PERIOD = timedelta(days=30)  # how long a deleted conversation can come back


@dataclass(frozen=True, slots=True)
class Opened:
    """A turn that exists now. `brief` is there when this call made it: its caller has claimed it."""

    turn_id: UUID
    conversation_id: UUID
    question_id: UUID
    answer_id: UUID
    brief: TurnBrief | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an answer ended. `finish` is empty when nothing was answered; cost in US dollars."""

    text: str
    status: str
    finish: str = ""
    error_code: str = ""
    error_detail: str = ""
    retry_after: int | None = None
    model: str = ""
    pool: str = ""
    tier: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    cost_usd: Decimal = Decimal(0)


def turn_open(*, actor: Actor, ask: Ask) -> Opened:
    """Store a question and the place of its answer; the same `request_id` finds what it started before.

    Raises `RequestIdReused`, `TurnInProgress`, `ConversationNotFound`, `MessageNotFound`, `EmptyMessage`,
    `KnowledgeBaseNotFound`.
    """
    require(actor, Action.CHAT)
    found = _turn_of_request(actor, ask)
    if found is not None:
        return found
    _check_knowledge_bases(actor, ask)
    try:
        return _turn_create(actor, ask)
    except IntegrityError as error:
        # Two of the same request at once, or two requests in one conversation: the constraints chose one.
        found = _turn_of_request(actor, ask)
        if found is None:
            raise TurnInProgress from error
        return found


def _check_knowledge_bases(actor: Actor, ask: Ask) -> None:
    wanted = set(ask.knowledge_base_ids or ())
    if not wanted:
        return
    visible = can(actor, Action.KNOWLEDGE_QUOTE)
    if not visible or KnowledgeBase.objects.filter(pk__in=wanted).count() < len(wanted):
        raise KnowledgeBaseNotFound


def _turn_of_request(actor: Actor, ask: Ask) -> Opened | None:
    turn = (
        Turn.objects.filter(owner_id=actor.user_id, request_id=ask.request_id)
        .select_related("conversation")
        .first()
    )
    if turn is None:
        return None
    if turn.ask != ask.body():
        raise RequestIdReused
    if turn.conversation.deleted_at is not None:
        raise ConversationNotFound
    return Opened(turn.pk, turn.conversation_id, turn.question_id, turn.answer_id)


@transaction.atomic
def _turn_create(actor: Actor, ask: Ask) -> Opened:
    if ask.conversation_id is None:
        conversation, parent = _conversation_new(actor, ask), None
    else:
        conversation = _conversation_lock(actor, ask.conversation_id)
        if conversation.turns.filter(status=Turn.Status.RUNNING).exists():
            raise TurnInProgress
        parent = _parent_of(conversation, ask)
    question, is_new_question = _question_for(conversation, parent, ask)
    answer = Message(
        conversation=conversation,
        parent=question,
        role=Message.Role.ASSISTANT,
        status=Message.Status.STREAMING,
    )
    turn = _turn_for(actor, ask, conversation, question, answer)
    conversation.active_leaf = answer
    conversation.updated_at = timezone.now()
    # Foreign keys are checked at the commit: all rows go in as they are, in as few statements as possible.
    conversation.save(force_insert=ask.conversation_id is None)
    Message.objects.bulk_create([question, answer] if is_new_question else [answer])
    turn.save(force_insert=True)
    earlier = branch_to(question.parent_id) if question.parent_id else ()
    history = (*earlier, Past(role=question.role, text=question.text))
    brief = brief_of(turn, actor=actor, history=history)
    return Opened(turn.pk, conversation.pk, question.pk, answer.pk, brief)


def _turn_for(actor: Actor, ask: Ask, conversation: Conversation, question: Message, answer: Message) -> Turn:
    return Turn(
        conversation=conversation,
        question=question,
        answer=answer,
        owner_id=_owner_id(actor),
        token_id=actor.token_id,
        token_scopes=None if actor.token_scopes is None else sorted(actor.token_scopes),
        request_id=ask.request_id,
        ask=ask.body(),
        attempt=1,
    )


def _owner_id(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise Unauthenticated
    return actor.user_id


def _conversation_new(actor: Actor, ask: Ask) -> Conversation:
    if ask.parent_id is not None:
        raise MessageNotFound
    return Conversation(owner_id=_owner_id(actor), title=titles.from_words(ask.text))


def _conversation_lock(actor: Actor, conversation_id: UUID) -> Conversation:
    conversation = (
        Conversation.objects.select_for_update()
        .filter(pk=conversation_id, owner_id=actor.user_id, deleted_at__isnull=True)
        .first()
    )
    if conversation is None:
        raise ConversationNotFound
    return conversation


def _parent_of(conversation: Conversation, ask: Ask) -> Message | None:
    parent_id = ask.parent_id or conversation.active_leaf_id
    if parent_id is None:
        return None
    parent = conversation.messages.filter(pk=parent_id).first()
    if parent is None:
        raise MessageNotFound
    return parent


def _question_for(conversation: Conversation, parent: Message | None, ask: Ask) -> tuple[Message, bool]:
    """The prompt to answer, and whether it is new. See `Ask` for what a parent means."""
    parent_id = parent.pk if parent else None
    if parent is not None and parent.role == Message.Role.USER:
        if not ask.text:
            return parent, False
        parent_id = parent.parent_id
    if not ask.text:
        raise EmptyMessage
    question = Message(conversation=conversation, parent_id=parent_id, role=Message.Role.USER, text=ask.text)
    return question, True


def turn_claim(*, turn_id: UUID) -> TurnBrief:
    """Become the one process that may store this turn's answer. Raises `TurnNotFound`."""
    Turn.objects.filter(pk=turn_id, status=Turn.Status.RUNNING).update(attempt=F("attempt") + 1)
    return turn_brief(turn_id)


@transaction.atomic
def turn_finish(
    *,
    brief: TurnBrief,
    outcome: Outcome,
    sources: Sequence[Mapping[str, Any]] = (),
    outline: Sequence[Any] | None,
) -> bool:
    """Store an answer once; False when it was stored before or another process claimed the turn."""
    now = timezone.now()
    failed = outcome.status == Message.Status.FAILED
    mine = Turn.objects.filter(pk=brief.turn_id, status=Turn.Status.RUNNING, attempt=brief.attempt)
    if not mine.update(
        status=Turn.Status.FAILED if failed else Turn.Status.DONE, outline=outline, ended_at=now
    ):
        return False
    Message.objects.filter(pk=brief.answer_id).update(
        text=outcome.text,
        status=outcome.status,
        finish=outcome.finish,
        error_code=outcome.error_code,
        model=outcome.model,
        pool=outcome.pool,
        tier=outcome.tier,
        usage=dict(outcome.usage),
        cost_usd=outcome.cost_usd,
        sources=list(sources),
    )
    Conversation.objects.filter(pk=brief.conversation_id).update(updated_at=now)
    return True


def turn_checkpoint(*, turn_id: UUID, text: str) -> None:
    """Keep what a running answer has so far, for the case that its process and Redis are lost together."""
    Message.objects.filter(turn=turn_id, status=Message.Status.STREAMING).update(text=text)


def turn_interrupt(*, turn_id: UUID) -> bool:
    """Give up a turn nobody can continue; its checkpoint stays as the answer."""
    brief = turn_claim(turn_id=turn_id)
    outcome = Outcome(
        text=brief.answer_text,
        status=Message.Status.INTERRUPTED,
        finish="interrupted",
        error_code="process_died",
    )
    return turn_finish(brief=brief, outcome=outcome, outline=None)


@transaction.atomic
def conversation_update(
    *, actor: Actor, conversation_id: UUID, title: str | None, pinned: bool | None, active_leaf: UUID | None
) -> Conversation:
    """Rename, pin, or turn to another branch; None leaves a field as it is."""
    conversation = _conversation_lock(actor, conversation_id)
    if title is not None:
        conversation.title = title
        conversation.title_is_manual = True
    if pinned is not None:
        conversation.pinned = pinned
    if active_leaf is not None:
        if not conversation.messages.filter(pk=active_leaf).exists():
            raise MessageNotFound
        conversation.active_leaf_id = active_leaf
    conversation.save(update_fields=["title", "title_is_manual", "pinned", "active_leaf"])
    return conversation


@transaction.atomic
def conversation_delete(*, actor: Actor, conversation_id: UUID) -> None:
    """Hide it; `conversation_restore` brings it back within the undo period."""
    conversation = _conversation_lock(actor, conversation_id)
    conversation.deleted_at = timezone.now()
    conversation.save(update_fields=["deleted_at"])


def conversation_restore(*, actor: Actor, conversation_id: UUID) -> None:
    """Bring a deleted conversation back; one that was not deleted stays as it is."""
    mine = Conversation.objects.filter(pk=conversation_id, owner_id=actor.user_id)
    if not mine.update(deleted_at=None):
        raise ConversationNotFound


def conversation_title_set(*, conversation_id: UUID, title: str) -> bool:
    """An automatic title; one that a person wrote stays."""
    automatic = Conversation.objects.filter(pk=conversation_id, title_is_manual=False)
    return bool(automatic.update(title=title))


def conversations_purge(*, now: datetime | None = None) -> int:
    """Erase conversations whose undo period is over; answers how many."""
    limit = (now or timezone.now()) - UNDO_PERIOD
    old = Conversation.objects.filter(deleted_at__lt=limit)
    count = old.count()
    old.delete()
    return count
