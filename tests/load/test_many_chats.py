"""Two hundred clients in three tenants at once: every transcript is the stored answer, also across a crash."""

import asyncio

import pytest

from tests.load.chat_clients import is_clean, run

pytestmark = pytest.mark.stress
TENANTS = ("acme", "globex", "initech")


@pytest.fixture
def server(live):
    sibling = live.sibling().start()
    yield sibling
    sibling.stop()


@pytest.fixture
def tokens(live):
    return {slug: live.token(slug) for slug in TENANTS}


async def test_two_hundred_at_once(server, tokens, record_property):
    result = await run(base=server.base, tokens=tokens)
    print(result)
    record_property("result", result)
    assert is_clean(result), result
    assert result["reconnects"] == 0


async def test_a_crash_in_mid_answer_loses_nothing(server, tokens, record_property):
    async def crash() -> None:
        await asyncio.sleep(3)
        server.kill()
        await asyncio.to_thread(server.start)

    result = await run(base=server.base, tokens=tokens, model="mock-ttft200-itl40-len200", trouble=crash)
    print(result)
    record_property("result", result)
    assert is_clean(result), result
    assert result["reconnects"] > 0
