"""The limit on what a request may carry: decided before Django, and before anybody is known."""

import asyncio
import json

import pytest

from panal.bodies import LIMIT, MIB, limit_of, limited

PIECE = b"x" * MIB


def asked(path="/sign-in/", *, pieces=1, declared=None):
    """What a client of so many MiB is answered, and how many bytes the application saw."""
    messages = [
        {"type": "http.request", "body": PIECE, "more_body": n < pieces} for n in range(1, pieces + 1)
    ]
    seen, sent = [], []
    headers = [] if declared is None else [(b"content-length", declared)]

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    async def application(scope, receive, send):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            seen.append(len(message["body"]))
            if not message["more_body"]:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                return

    scope = {"type": "http", "path": path, "headers": headers}
    asyncio.run(limited(application, scope, receive, send))
    return sent, sum(seen), len(messages)


def test_a_body_within_the_limit_passes_as_it_is():
    sent, seen, _ = asked(pieces=LIMIT // MIB)
    assert (sent[0]["status"], seen) == (200, LIMIT)


@pytest.mark.parametrize("declared", [None, b"5242880", b"99999999999999999999999", b"nonsense"])
def test_a_larger_one_is_a_413_the_application_never_answers(declared):
    sent, seen, left = asked(pieces=5, declared=declared)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert (sent[0]["status"], json.loads(sent[1]["body"])["code"]) == (413, "request_too_large")
    assert seen <= LIMIT
    assert left == 0  # read to its end, so that the client comes to read the answer


def test_one_that_announces_too_much_is_not_kept():
    assert asked(pieces=5, declared=b"5242880")[1] == 0


def test_one_that_never_ends_is_not_read_for_ever():
    assert asked(pieces=1000)[2] > 800


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/", 4),
        ("/api/tokens/", 4),
        ("/api/knowledge-bases/", 4),
        ("/api/knowledge-bases/x/documents/", 64),
        ("/console/knowledge/x/upload/", 256),
        ("/documents/", 4),
    ],
)
def test_only_uploads_may_be_large(path, limit):
    assert limit_of(path) == limit * MIB


def test_the_server_asks_it(monkeypatch):
    from panal.asgi import application

    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "path": "/sign-in/",
        "method": "POST",
        "headers": [(b"host", b"acme.localhost"), (b"content-length", b"99999999")],
    }
    asyncio.run(application(scope, receive, send))
    assert sent[0]["status"] == 413
