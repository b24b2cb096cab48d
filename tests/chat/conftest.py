"""Questions asked directly of the services, without a socket."""

from uuid import uuid4

import pytest


@pytest.fixture
def asked():
    """`asked(actor, "text", …)` -> the opened turn; `answer=` stores that text as its answer at once."""
    from chat import services
    from chat.asking import parse_ask
    from chat.services import Outcome
    from tenants.scope import tenant_scope

    def make(actor, text="Hello", *, answer: str | None = None, request_id: str | None = None, **fields):
        frame = {"request_id": request_id or str(uuid4()), "text": text, "conversation_id": None}
        frame |= {name: str(value) if hasattr(value, "hex") else value for name, value in fields.items()}
        with tenant_scope(actor.scope):
            opened = services.turn_open(actor=actor, ask=parse_ask(frame))
            if answer is not None:
                services.turn_finish(
                    brief=opened.brief,
                    outcome=Outcome(text=answer, status="complete", finish="stop", model="mock"),
                    outline=None,
                )
        return opened

    return make
