"""One process, four doors: health, the data plane, the chat socket, and Django for the rest."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panal.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from chat.consumers import ChatConsumer  # noqa: E402
from panal.bodies import limited  # noqa: E402
from panal.health import ROUTES  # noqa: E402
from panal.kit import lifecycle  # noqa: E402
from routing.dataplane import application as dataplane  # noqa: E402

chat_socket = ChatConsumer.as_asgi()
CHAT_PATH = "/ws/chat/"


async def _lifespan(receive: Any, send: Any) -> None:
    """Run the apps' long-lived tasks for as long as the server lives (ASGI lifespan protocol)."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                await lifecycle.startup()
            except Exception as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                raise
            await send({"type": "lifespan.startup.complete"})
        else:
            await lifecycle.shutdown()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _refuse_socket(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 4404})


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "websocket":
        if scope["path"] == CHAT_PATH:
            await chat_socket(scope, receive, send)
        else:
            await _refuse_socket(receive, send)
    elif scope["path"] in ROUTES:
        await ROUTES[scope["path"]](scope, send)
    elif scope["path"].startswith("/v1/"):
        await dataplane(scope, receive, send)
    else:
        await limited(django_application, scope, receive, send)
