"""Knowledge bases, their documents, and reading one at a cited passage."""

from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from knowledge.models import Chunk, Document, KnowledgeBase
from knowledge.services import knowledge_base_create
from tenants.scope import tenant_scope


@pytest.fixture
def page(browser, cast):
    return browser(cast.admin)


@pytest.fixture
def at(base):
    return lambda tail="": f"/console/knowledge/{base.id}/{tail}"


def documents(cast):
    with tenant_scope(cast.scope):
        return list(Document.objects.order_by("title"))


def test_creating_one(page, cast):
    answer = page.post(
        "/console/knowledge/new/", {"name": "Handbook", "description": "How we work"}, follow=True
    )
    shown = answer.content.decode()
    assert "“Handbook” is ready for documents." in shown
    assert "No documents yet" in shown
    assert "Handbook" in page.get("/console/knowledge/").content.decode()


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_a_bad_name_is_refused_in_the_form(page, cast, name):
    answer = page.post("/console/knowledge/new/", {"name": name})
    assert answer.status_code == 422
    assert "field-error" in answer.content.decode()


def test_nothing_yet(page, cast):
    assert "Nothing to know yet" in page.get("/console/knowledge/").content.decode()


def test_renaming(page, base, at):
    shown = page.post(at("edit/"), {"name": "Manual", "description": ""}, follow=True).content.decode()
    assert "Manual" in shown
    assert page.post(at("edit/"), {"name": ""}).status_code == 422


def test_deleting_asks_for_the_name(page, cast, base, at, document):
    document()
    wrong = page.post(at("delete/"), {"typed": "handbook"})
    assert wrong.status_code == 422
    assert "That is not its name." in wrong.content.decode()
    assert page.post(at("delete/"), {"typed": "Handbook"}).status_code == 302
    with tenant_scope(cast.scope):
        assert not KnowledgeBase.objects.exists()
        assert not Document.objects.exists()


def test_uploading_many(page, cast, at):
    files = [SimpleUploadedFile("a.txt", b"one"), SimpleUploadedFile("b.md", b"# two")]
    shown = page.post(at("upload/"), {"files": files}, follow=True).content.decode()
    assert "2 files taken." in shown
    assert [row.title for row in documents(cast)] == ["a.txt", "b.md"]


def test_uploading_tells_which_was_not_taken(page, cast, at):
    files = [SimpleUploadedFile("a.txt", b"one"), SimpleUploadedFile("empty.txt", b"")]
    answer = page.post(at("upload/"), {"files": files})
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "empty.txt" in shown
    assert [row.title for row in documents(cast)] == ["a.txt"]


def test_uploading_nothing(page, at):
    answer = page.post(at("upload/"), {})
    assert answer.status_code == 422
    assert "Choose one or more files first." in answer.content.decode()


def test_states_and_errors_are_shown(page, at, document):
    document("Good")
    document("Bad", status="failed", error="This PDF is locked with a password.")
    shown = page.get(at()).content.decode()
    assert "1 ready" in shown
    assert "1 failed" in shown
    assert "This PDF is locked with a password." in shown


def test_the_table_asks_again_only_while_something_is_in_progress(page, at, document):
    document("Good")
    assert "every 2s" not in page.get(at()).content.decode()
    document("Slow", status="embedding")
    assert "every 2s" in page.get(at("documents/")).content.decode()


def test_an_odd_filter_breaks_nothing(page, at, document):
    document()
    assert page.get(at(), {"title": "\x00", "status": "\x00"}).status_code == 200


def test_filtering(page, at, document):
    document("Leave")
    document("Travel", status="failed", error="no")
    shown = page.get(at("?status=failed")).content.decode()
    assert "Travel" in shown
    assert ">Leave<" not in shown
    assert ">Leave<" in page.get(at("?title=lea")).content.decode()
    assert "No document fits" in page.get(at("?title=zzz")).content.decode()


@pytest.mark.parametrize(
    "sort", ["title", "-title", "status", "added", "chunks", "-chunks", "bytes", "drop table"]
)
def test_sorting(page, at, document, sort):
    document()
    assert page.get(at(), {"sort": sort}).status_code == 200


def test_the_list_takes_the_same_queries_for_any_number(page, at, document, count_queries):
    document("One")
    page.get(at())
    with count_queries() as few:
        page.get(at())
    for number in range(5):
        document(f"More {number}")
    with count_queries() as many:
        page.get(at())
    assert len(many) == len(few)


def test_trying_again(page, cast, document, base, at):
    one = document("One", status="failed", error="no")
    document("Two", status="failed", error="no")
    assert page.post(f"/console/documents/{one.pk}/retry/").status_code == 302
    assert [row.status for row in documents(cast)] == ["queued", "failed"]
    assert page.post(at("retry/")).status_code == 302
    assert [row.status for row in documents(cast)] == ["queued", "queued"]
    assert page.post(f"/console/documents/{one.pk}/retry/").status_code == 409


def test_deleting_a_document(page, cast, document):
    row = document()
    assert page.post(f"/console/documents/{row.pk}/delete/").status_code == 302
    assert documents(cast) == []


def test_trying_a_search(page, at, document, monkeypatch):
    vector = [1.0] + [0.0] * 383
    monkeypatch.setattr("knowledge.embedding.embed_query", lambda text: vector)
    document("Leave")
    shown = page.get(at("search/?query=days")).content.decode()
    assert "days carry over." in shown
    assert "1.00" in shown
    assert "days carry over." in page.get(at("?query=days")).content.decode()


@pytest.mark.parametrize("query", ["", "   ", "\x00"])
def test_an_empty_search_shows_nothing(page, at, query, monkeypatch):
    monkeypatch.setattr("knowledge.embedding.embed_query", lambda text: [0.0] * 383 + [1.0])
    assert page.get(at("search/"), {"query": query}).status_code == 200


def test_reading_at_a_passage(page, cast, document):
    row = document("Leave")
    with tenant_scope(cast.scope):
        chunk = Chunk.objects.get()
    shown = page.get(f"/console/documents/{row.pk}/?chunk={chunk.pk}").content.decode()
    assert ">days carry over.</mark>" in shown


def test_a_passage_that_is_gone_says_so(page, document):
    row = document("Leave")
    for gone in (uuid4(), "nonsense"):
        shown = page.get(f"/console/documents/{row.pk}/?chunk={gone}").content.decode()
        assert "no longer in this document" in shown
        assert "Five days carry over." in shown


def test_a_long_text_is_read_in_pages_without_losing_a_word(page, document):
    words = [f"word{number}" for number in range(12_000)]
    row = document("Long", " ".join(words))
    seen, start = [], 0
    for _ in range(10):
        answer = page.get(f"/console/documents/{row.pk}/?start={start}")
        window = answer.context["window"]
        seen += window.before.split()
        if window.later is None:
            break
        start = window.later
    assert seen == words


@pytest.mark.parametrize("start", ["-1", "x", "1e9", "9999999999", "٣"])
def test_a_bad_position_is_refused(page, document, start):
    row = document()
    assert page.get(f"/console/documents/{row.pk}/", {"start": start}).status_code == 422


def test_a_position_behind_the_end_is_the_end(page, document):
    row = document()
    assert page.get(f"/console/documents/{row.pk}/?start=999999999").status_code == 200


def test_a_document_not_read_yet(page, document):
    row = document(status="queued")
    assert page.get(f"/console/documents/{row.pk}/").status_code == 200


@pytest.mark.parametrize("tail", ["", "documents/", "search/?query=x"])
def test_another_workspaces_base_is_not_found(browser, globex_cast, at, tail):
    assert browser(globex_cast.owner).get(at(tail)).status_code == 404


@pytest.mark.parametrize("tail", ["edit/", "delete/", "upload/", "retry/"])
def test_another_workspaces_base_is_not_changed(browser, cast, globex_cast, at, tail):
    fields = {"name": "Mine now", "typed": "Handbook", "files": [SimpleUploadedFile("a.txt", b"x")]}
    assert browser(globex_cast.owner).post(at(tail), fields).status_code == 404
    with tenant_scope(cast.scope):
        assert KnowledgeBase.objects.get().name == "Handbook"
        assert not Document.objects.exists()


def test_another_workspaces_document_is_not_found(browser, cast, globex_cast, document):
    row = document(status="failed", error="no")
    theirs = browser(globex_cast.owner)
    assert theirs.get(f"/console/documents/{row.pk}/").status_code == 404
    assert theirs.post(f"/console/documents/{row.pk}/retry/").status_code == 404
    assert theirs.post(f"/console/documents/{row.pk}/delete/").status_code == 404
    assert [found.status for found in documents(cast)] == ["failed"]


def test_the_passage_of_a_citation(api, cast, globex_cast, document):
    row = document("Leave")
    with tenant_scope(cast.scope):
        chunk = Chunk.objects.get()
    body = api(cast.viewer, session=True).get(f"/api/chunks/{chunk.pk}/passage/").json()
    assert body["document_id"] == str(row.pk)
    assert (body["title"], body["before"], body["text"]) == ("Leave", "Five ", "days carry over.")
    assert body["after"].startswith(" Five days")
    assert api(globex_cast.owner, session=True).get(f"/api/chunks/{chunk.pk}/passage/").status_code == 404
    assert api(cast.owner, "chat").get(f"/api/chunks/{chunk.pk}/passage/").status_code == 200
    assert api(cast.owner, "usage").get(f"/api/chunks/{chunk.pk}/passage/").status_code == 403


def test_hostile_names_are_shown_as_text(page, cast, document):
    hostile = "<script>alert(1)</script>"
    with tenant_scope(cast.scope):
        base = knowledge_base_create(actor=cast.admin, name=hostile, description=hostile)
    row = document(hostile, f"{hostile} and text", into=base)
    for path in (
        "/console/knowledge/",
        f"/console/knowledge/{base.id}/",
        f"/console/documents/{row.pk}/",
        "/console/",
    ):
        shown = page.get(path).content.decode()
        assert "<script>alert(1)" not in shown
        assert "&lt;script&gt;alert(1)" in shown
