"""Providers of the fakes in a tenant or on the platform, and requests to ask them."""

from contextlib import aclosing
from decimal import Decimal

import pytest


@pytest.fixture
def connect():
    """`connect(fake, scope)` stores the fake as a provider with its first model; scope None: the platform's."""

    def make(fake, scope=None, *, slug="lab", tier="standard", price="0.5", names=None):
        from routing.services import model_add, provider_add
        from tenants.scope import PUBLIC, tenant_scope
        from tests.fakes.openai import KEY, FakeOpenAI

        speaks_openai = isinstance(fake, FakeOpenAI)
        with tenant_scope(scope or PUBLIC):
            provider_add(
                slug=slug,
                wire="openai" if speaks_openai else "ollama",
                base_url=fake.base_url if speaks_openai else fake.url,
                pool="external" if speaks_openai else "cpu",
                key=KEY if speaks_openai else None,
            )
            for name in names or fake.models[:1]:
                model_add(
                    provider=slug,
                    name=name,
                    kind="chat",
                    tier=tier,
                    input_price=Decimal(price),
                    output_price=Decimal(price) * 2,
                )

    return make


@pytest.fixture
def ask():
    """`ask(actor, model, text)` -> a Request."""

    def make(actor, model="auto", text="hello there", **fields):
        from panal.kit.ids import uuid7
        from routing.vocabulary import Message, Request

        fields.setdefault("messages", (Message("user", text),))
        fields.setdefault("feature", "api")
        return Request(id=uuid7(), scope=actor.scope, actor=actor, model=model, **fields)

    return make


@pytest.fixture
def run():
    """Runs a request to its end: (events, receipt, error)."""

    async def go(request):
        from routing import gateway

        events, error = [], None
        async with aclosing(gateway.start(request)) as generation:
            try:
                async for event in generation:
                    events.append(event)  # noqa: PERF401 - what came before an error is kept
            except Exception as failed:
                error = failed
        return events, generation.receipt, error

    return go


def text_of(events) -> str:
    from routing.vocabulary import Delta

    return "".join(event.text for event in events if isinstance(event, Delta))


async def rows_of(scope):
    """The tenant's ledger: settled rows and calls still open."""
    from billing.models import OpenCall, UsageEvent
    from tenants.scope import in_tenant

    return await in_tenant(
        scope, lambda: (list(UsageEvent.objects.order_by("started_at")), list(OpenCall.objects.all()))
    )


@pytest.fixture(autouse=True)
async def _transport_closes():
    yield
    from routing import transport

    await transport.close()
