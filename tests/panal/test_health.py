"""What strangers may learn of the process."""

import asyncio

import pytest

from panal.health import ROUTES


def scraped(authorization: bytes) -> int:
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"path": "/metrics", "headers": [(b"authorization", authorization)]}
    asyncio.run(ROUTES["/metrics"](scope, send))
    return sent[0]["status"]


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (b"Bearer the-token", 200),
        (b"Bearer another", 404),
        (b"Bearer \xff\xe9", 404),
        (b"Basic the-token", 404),
        (b"", 404),
    ],
)
def test_metrics_are_for_who_has_the_token(settings, authorization, status):
    settings.PANAL_BASE_DOMAIN, settings.METRICS_TOKEN = "panal.test", "the-token"
    assert scraped(authorization) == status


def test_without_a_token_nobody_reads_metrics_from_outside(settings):
    settings.PANAL_BASE_DOMAIN, settings.METRICS_TOKEN = "panal.test", ""
    assert scraped(b"Bearer ") == 404
