"""`/api/conversations/`: one's own, searched, renamed, pinned, deleted with undo."""

from datetime import timedelta

from django.utils import timezone

from chat import services
from chat.models import Conversation
from tenants.scope import tenant_scope


def test_the_list_has_what_the_page_shows(cast, api, asked):
    opened = asked(cast.member, "First question")
    (row,) = api(cast.member).get("/api/conversations/").json()["results"]
    assert row.keys() == {"id", "title", "pinned", "updated_at", "running_turn"}
    assert (row["title"], row["running_turn"]) == ("First question", str(opened.turn_id))


def test_the_latest_comes_first_and_pages_follow(cast, api, asked):
    for number in range(3):
        asked(cast.member, f"question {number}", answer="a")
    client = api(cast.member)
    page = client.get("/api/conversations/?limit=2").json()
    assert [row["title"] for row in page["results"]] == ["question 2", "question 1"]
    rest = client.get(page["next"]).json()
    assert [row["title"] for row in rest["results"]] == ["question 0"]


def test_the_list_costs_the_same_however_long(cast, api, asked, count_queries):
    client = api(cast.member)
    asked(cast.member, answer="a")
    client.get("/api/conversations/")  # the first use of a token is noted
    with count_queries() as few:
        client.get("/api/conversations/")
    for _ in range(5):
        asked(cast.member, answer="a")
    with count_queries() as many:
        client.get("/api/conversations/")
    assert len(many) == len(few)


def test_search_by_title(cast, api, asked):
    asked(cast.member, "Ollama on a laptop", answer="a")
    asked(cast.member, "Costs", answer="a")
    results = api(cast.member).get("/api/conversations/?search=oLLama").json()["results"]
    assert [row["title"] for row in results] == ["Ollama on a laptop"]
    assert api(cast.member).get("/api/conversations/?search=%00%25").json()["results"] == []


def test_rename_and_pin(cast, api, asked, acme):
    opened = asked(cast.member, answer="a")
    client, url = api(cast.member), f"/api/conversations/{opened.conversation_id}/"
    answer = client.patch(url, {"title": "Mine", "pinned": True}, format="json").json()
    assert answer == {
        "id": str(opened.conversation_id), "title": "Mine", "pinned": True,
        "active_leaf": str(opened.answer_id), "running_turn": None,
    }  # fmt: skip
    with tenant_scope(acme):
        assert not services.conversation_title_set(conversation_id=opened.conversation_id, title="Automatic")
    assert client.get(url).json()["title"] == "Mine"


def test_turning_to_another_branch(cast, api, asked):
    first = asked(cast.member, "one", answer="1")
    asked(cast.member, "two", conversation_id=first.conversation_id, answer="2")
    other = asked(cast.member, answer="x")
    client, url = api(cast.member), f"/api/conversations/{first.conversation_id}/"
    leaf = str(first.answer_id)
    assert client.patch(url, {"active_leaf": leaf}, format="json").json()["active_leaf"] == leaf
    foreign = client.patch(url, {"active_leaf": str(other.answer_id)}, format="json")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "message_not_found")


def test_bad_changes_are_refused(cast, api, asked):
    url = f"/api/conversations/{asked(cast.member, answer='a').conversation_id}/"
    client = api(cast.member)
    for change in ({"title": ""}, {"title": "x" * 201}, {"pinned": "maybe"}, {"active_leaf": "x"}):
        answer = client.patch(url, change, format="json")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), change


def test_delete_and_undo(cast, api, asked):
    opened = asked(cast.member, answer="a")
    client, url = api(cast.member), f"/api/conversations/{opened.conversation_id}/"
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404
    assert client.delete(url).status_code == 404
    assert client.get("/api/conversations/").json()["results"] == []
    assert client.post(url + "restore/").json()["id"] == str(opened.conversation_id)
    assert client.get(url).status_code == 200


def test_deleted_conversations_are_erased_after_the_undo_period(cast, asked, acme):
    opened = asked(cast.member, answer="a")
    with tenant_scope(acme):
        services.conversation_delete(actor=cast.member, conversation_id=opened.conversation_id)
        assert services.conversations_purge() == 0
        later = timezone.now() + services.UNDO_PERIOD + timedelta(minutes=1)
        assert services.conversations_purge(now=later) == 1
        assert not Conversation.objects.exists()


def test_messages_are_the_whole_tree(cast, api, asked):
    first = asked(cast.member, "one", answer="1")
    asked(cast.member, "uno", conversation_id=first.conversation_id, parent_id=first.question_id, answer="1")
    client = api(cast.member)
    results = client.get(f"/api/conversations/{first.conversation_id}/messages/").json()["results"]
    assert [row["text"] for row in results] == ["one", "1", "uno", "1"]
    assert results[0].keys() == {
        "id", "parent_id", "role", "text", "status", "finish", "error_code", "model", "pool", "tier",
        "usage", "cost_usd", "sources", "turn_id", "created_at",
    }  # fmt: skip
    assert [row["parent_id"] for row in results] == [None, str(first.question_id), None, results[2]["id"]]
    assert results[1]["turn_id"] == str(first.turn_id)
    assert results[0]["turn_id"] is None


def test_others_find_nothing(cast, globex_cast, api, asked):
    conversation_id = asked(cast.member, answer="a").conversation_id
    for stranger in (cast.owner, globex_cast.member):
        client = api(stranger)
        for method, tail in (
            ("get", ""), ("patch", ""), ("delete", ""), ("post", "restore/"), ("get", "messages/"),
        ):  # fmt: skip
            answer = getattr(client, method)(
                f"/api/conversations/{conversation_id}/{tail}", {}, format="json"
            )
            assert (answer.status_code, answer.json()["code"]) == (404, "conversation_not_found"), tail
        assert client.get("/api/conversations/").json()["results"] == []


def test_nobody_signed_in(api, acme):
    assert api(host="acme.localhost").get("/api/conversations/").status_code == 401


def test_a_token_without_the_scope(cast, api):
    answer = api(cast.member, "usage").get("/api/conversations/")
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
