"""Panal's web server around a tiny application: `PORT=… python -m tests.embedded.echo_server`."""

import asyncio
import json
import os
import sys

from panal import web
from panal.kit import drain


@drain.on_drain
async def _drain_slowly() -> None:
    await asyncio.sleep(float(os.environ.get("DRAIN_SECONDS", "0")))


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    elif scope["type"] == "websocket":
        await _echo_lengths(receive, send)
    else:
        body = json.dumps({"draining": drain.draining()}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


async def _echo_lengths(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": str(len(message.get("text") or message.get("bytes")))})
    sys.stderr.write(f"closed {message['code']}\n")


if __name__ == "__main__":
    web.server("tests.embedded.echo_server:application").run()
