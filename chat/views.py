"""The chat page: one document; the script does the rest over the API and the websocket."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chat import selectors
from chat.asking import MAX_CHARACTERS
from tenants.policy import Action, can
from tenants.web import actor_of, policy_required


def chat_config(request: HttpRequest, conversation_id: UUID | None) -> dict[str, Any]:
    """What the page's script needs before its first request."""
    actor = actor_of(request)
    return {
        "conversation_id": str(conversation_id) if conversation_id else None,
        "socket_path": "/ws/chat/?notices=1",
        "api_path": "/api/",
        "can_ask": can(actor, Action.CHAT),
        "max_characters": MAX_CHARACTERS,
        "user": {"name": actor.name, "email": actor.email},
        "workspace": actor.scope.slug,
    }


@policy_required(Action.CHAT_READ)
def chat(request: HttpRequest, conversation_id: UUID | None = None) -> HttpResponse:
    if conversation_id is not None:
        # A link to somebody else's conversation, or to a deleted one, is a 404 page.
        selectors.conversation_get(actor=actor_of(request), conversation_id=conversation_id)
    return render(request, "chat/index.html", {"chat_config": chat_config(request, conversation_id)})
