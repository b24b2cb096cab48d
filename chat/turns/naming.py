"""The automatic title of a conversation, after its first answer by a connected model."""

import logging
from contextlib import aclosing

from chat import selectors, services, titles
from chat.selectors import TurnBrief
from chat.turns import bus
from chat.turns.refs import TurnRef
from panal.kit.errors import PanalError
from panal.kit.ids import uuid7
from routing import catalog, gateway
from routing.policy import plan
from routing.vocabulary import Delta, Message, Request
from tenants.scope import in_tenant

QUESTION_CHARACTERS = 2000
TITLE_TOKENS = 32

logger = logging.getLogger(__name__)


async def name_conversation(ref: TurnRef, brief: TurnBrief | None) -> None:
    """Never fails: without a better title the first words of the question stay."""
    if brief is None or len(brief.history) != 1:
        return
    try:
        model = await _model(ref, brief)
        if model is not None and await _is_first(ref, brief):
            await _store(ref, brief, titles.from_answer(await _ask(ref, brief, model)))
    except PanalError as error:
        logger.info("Conversation %s keeps its first words as title: %s", brief.conversation_id, error.code)
    except Exception:
        logger.exception("Conversation %s keeps its first words as title", brief.conversation_id)


async def _is_first(ref: TurnRef, brief: TurnBrief) -> bool:
    return await in_tenant(
        ref.scope,
        selectors.is_first_answer,
        conversation_id=brief.conversation_id,
        answer_id=brief.answer_id,
    )


async def _model(ref: TurnRef, brief: TurnBrief) -> str | None:
    """The cheapest standard model, else the one that answered; None when that one was built in."""
    offers = await catalog.aoffers_for(ref.scope)
    answered = plan(brief.model, offers, prompt_tokens=0).offers[0].card
    if answered.builtin:
        return None
    standard = plan("standard", offers, prompt_tokens=0).offers[0].card
    return answered.name if standard.builtin else standard.name


async def _ask(ref: TurnRef, brief: TurnBrief, model: str) -> str:
    request = Request(
        id=uuid7(),
        scope=ref.scope,
        actor=brief.actor,
        feature="title",
        model=model,
        messages=(
            Message(role="system", content=titles.INSTRUCTION),
            Message(role="user", content=brief.history[0].text[:QUESTION_CHARACTERS]),
        ),
        max_tokens=TITLE_TOKENS,
        conversation_id=brief.conversation_id,
    )
    async with aclosing(gateway.start(request)) as generation:
        return "".join([event.text async for event in generation if isinstance(event, Delta)])


async def _store(ref: TurnRef, brief: TurnBrief, title: str) -> None:
    if not title:
        return
    changed = await in_tenant(
        ref.scope, services.conversation_title_set, conversation_id=brief.conversation_id, title=title
    )
    if changed:
        await bus.send(
            "notice",
            tenant_id=ref.scope.tenant_id,
            user_id=brief.actor.user_id,
            frame={"type": "title", "conversation_id": str(brief.conversation_id), "title": title},
        )
