"""Paths, authentication and the one place where errors become answers."""

import logging
from typing import Any

from django.db import Error as DatabaseError
from redis import RedisError

from panal.kit.errors import PanalError
from routing.dataplane.auth import authenticate
from routing.dataplane.chat import chat_completions
from routing.dataplane.errors import Defect, Unavailable, UnknownPath, WrongMethod
from routing.dataplane.http import ClientGone, Exchange, Receive, Send
from routing.dataplane.models import list_models, one_model

CHAT = "/v1/chat/completions"
MODELS = "/v1/models"

logger = logging.getLogger(__name__)


async def _dispatch(exchange: Exchange) -> None:
    path = exchange.path.rstrip("/")
    if path not in {CHAT, MODELS} and not path.startswith(MODELS + "/"):
        raise UnknownPath
    if exchange.method != ("POST" if path == CHAT else "GET"):
        raise WrongMethod
    actor = await authenticate(exchange.header(b"authorization"), exchange.header(b"host"))
    if path == CHAT:
        await chat_completions(exchange, actor)
    elif path == MODELS:
        await list_models(exchange, actor)
    else:
        await one_model(exchange, actor, path.removeprefix(MODELS + "/"))


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    exchange = Exchange(scope, receive, send)
    try:
        await _dispatch(exchange)
    except ClientGone:
        return
    except PanalError as error:
        if not exchange.started:
            await exchange.fail(error)
    except (DatabaseError, RedisError):
        logger.warning("The data plane has no database or Redis", exc_info=True)
        if not exchange.started:
            await exchange.fail(Unavailable())
    except Exception:
        logger.exception("The data plane failed at %s", exchange.path)
        if exchange.started:
            raise  # the server closes the connection, so that the client sees a break and not an end
        await exchange.fail(Defect())
