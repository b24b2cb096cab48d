"""Answers cite the workspace's documents: listed by id and title, kept with the answer, the same after a crash."""

import time

import httpx
import pytest

from panal.kit.ids import uuid7
from tests.chat.client import ChatClient, Transcript
from tests.chat.test_resume import connection_to, stored

TEXT = (
    "Honey harvest. The autumn harvest of the northern hives starts on the ninth of September. "
    "Each keeper signs the harvest ledger before opening a hive."
)


@pytest.fixture(scope="module")
def handbook(live):
    """A document that the workspace initech knows, read by a real worker; answers its knowledge base's id."""
    with live.client("initech") as client:
        base_id = client.post("/api/knowledge-bases/", json={"name": "Handbook"}).json()["id"]
        body = {"title": "Harvest guide", "text": TEXT, "external_id": "harvest"}
        document = client.post(f"/api/knowledge-bases/{base_id}/documents/", json=body).json()
        with live.worker("-P", "solo"):
            deadline = time.monotonic() + 60
            while client.get(f"/api/documents/{document['id']}/").json()["status"] != "ready":
                assert time.monotonic() < deadline, "the document was not read in time"
                time.sleep(0.3)
    return base_id


async def test_a_question_gets_a_cited_answer(live, handbook):
    async with connection_to(live, live, "initech") as client:
        turn = await client.turn("When does the autumn harvest start?")
    (frame,) = turn.of("sources")
    source = frame["sources"][0]
    assert source.keys() == {"n", "document_id", "title", "page", "chunk_id"}
    assert (source["n"], source["title"]) == (1, "Harvest guide")
    assert "ninth of September" in turn.text
    assert "[1]" in turn.text
    assert stored(live, "initech", turn)["sources"] == frame["sources"]


async def test_no_knowledge_is_asked_when_none_is_wanted(live, handbook):
    async with connection_to(live, live, "initech") as client:
        turn = await client.turn("When does the harvest start?", knowledge_base_ids=[], model="mock-len5")
        assert turn.of("sources") == []
        assert [frame["stage"] for frame in turn.of("status")] == ["generating"]
        turn = await client.turn(
            "When does the harvest start?", knowledge_base_ids=[handbook], model="mock-len5"
        )
        assert len(turn.of("sources")) == 1


async def test_a_token_for_chat_alone_quotes_documents_but_does_not_list_them(live, handbook):
    token = live.token("initech", scopes="chat")
    async with ChatClient(live.base, "initech", token) as client:
        turn = await client.turn("When does the harvest start?", model="mock-len5")
        (source,) = turn.of("sources")[0]["sources"]
    headers = {"Host": live.host("initech"), "Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=live.base, headers=headers) as rest:
        passage = await rest.get(f"/api/chunks/{source['chunk_id']}/passage/")
        assert "ninth of September" in passage.text
        listing = await rest.get("/api/knowledge-bases/")
        assert (listing.status_code, listing.json()["code"]) == (403, "insufficient_scope")


async def test_a_token_without_chat_or_knowledge_quotes_nothing(live, handbook):
    token = live.token("initech", scopes="usage")
    headers = {"Host": live.host("initech"), "Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=live.base, headers=headers) as rest:
        answer = await rest.get(f"/api/chunks/{uuid7()}/passage/")
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


async def test_another_workspace_does_not_see_them(live, handbook):
    async with connection_to(live, live, "globex") as client:
        turn = await client.turn("When does the autumn harvest start?")
        assert turn.of("sources") == []
        await client.ask("When?", knowledge_base_ids=[handbook])
        assert (await client.receive())["code"] == "knowledge_base_not_found"


async def test_the_sources_survive_a_crash(live, handbook):
    doomed, heir = live.sibling().start(), live.sibling().start()
    try:
        async with connection_to(doomed, live, "initech") as client:
            await client.ask("When does the harvest start?", model="mock-itl40-len100")
            turn = await client.collect(until=lambda seen: len(seen.of("delta")) > 4)
        doomed.kill()
        async with connection_to(heir, live, "initech") as client:
            await client.send(type="resume", turn_id=turn.turn_id, after=0)
            whole = await client.collect(Transcript())
        assert len(whole.of("sources")) == 1
        assert stored(heir, "initech", whole)["sources"] == turn.of("sources")[0]["sources"]
        assert stored(heir, "initech", whole)["text"] == whole.text
    finally:
        doomed.stop()
        heir.stop()
