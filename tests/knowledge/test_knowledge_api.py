"""CONTRACT 4 for knowledge: shapes, codes, roles, and the other tenant's 404."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from knowledge.ingest import document_ingest
from tenants.scope import tenant_scope
from tests.knowledge.test_documents import BEES, SHIPS

BASES = "/api/knowledge-bases/"


def make_base(client, **more) -> str:
    answer = client.post(BASES, {"name": "Handbook", **more}, format="json")
    assert answer.status_code == 201, answer.content
    return answer.json()["id"]


def make_text(client, base_id: str, title: str = "Bees", text: str = BEES, **more) -> dict:
    answer = client.post(
        f"{BASES}{base_id}/documents/", {"title": title, "text": text, **more}, format="json"
    )
    assert answer.status_code == 202, answer.content
    return answer.json()


def work(scope, *documents: dict) -> None:
    with tenant_scope(scope):
        for document in documents:
            document_ingest(document_id=UUID(document["id"]))


@pytest.fixture
def client(api, cast):
    return api(cast.admin)


def test_a_knowledge_base_from_making_to_deleting(client) -> None:
    base_id = make_base(client, language="en")
    shown = client.get(f"{BASES}{base_id}/").json()
    assert (shown["name"], shown["language"]) == ("Handbook", "en")
    assert shown["documents"] == {"queued": 0, "parsing": 0, "embedding": 0, "ready": 0, "failed": 0}
    changed = client.patch(f"{BASES}{base_id}/", {"name": "Guide"}, format="json")
    assert (changed.status_code, changed.json()["name"], changed.json()["language"]) == (200, "Guide", "en")
    assert [row["id"] for row in client.get(BASES).json()["results"]] == [base_id]
    assert client.delete(f"{BASES}{base_id}/").status_code == 204
    assert client.get(f"{BASES}{base_id}/").status_code == 404


def test_a_text_is_accepted_read_and_found(client, acme) -> None:
    base_id = make_base(client)
    document = make_text(client, base_id, external_id="bees")
    assert document["status"] == "queued"
    assert client.get(f"{BASES}{base_id}/").json()["documents"]["queued"] == 1
    work(acme, document)

    shown = client.get(f"/api/documents/{document['id']}/").json()
    expected = {"external_id": "bees", "title": "Bees", "status": "ready", "error": None, "chunks": 1}
    assert {key: shown[key] for key in expected} == expected
    assert shown["characters"] == len(BEES)

    answer = client.post(f"{BASES}{base_id}/search/", {"query": "how do bees talk?", "k": 5}, format="json")
    (hit,) = answer.json()["hits"]
    assert set(hit) == {
        "document_id", "external_id", "title", "chunk_id", "start", "end", "page", "text", "score",
    }  # fmt: skip
    assert (hit["document_id"], hit["text"]) == (document["id"], BEES)
    assert set(answer.json()["timing_ms"]) == {"embed", "search"}

    text = client.get(f"/api/documents/{document['id']}/text/?start={hit['start']}&end={hit['end']}").json()
    assert (text["text"], text["characters"]) == (BEES, len(BEES))


def test_a_file_is_accepted_with_its_external_id(client, acme) -> None:
    base_id = make_base(client)
    upload = {"file": SimpleUploadedFile("bees.md", BEES.encode()), "external_id": "b"}
    answer = client.post(f"{BASES}{base_id}/documents/", upload, format="multipart")
    assert answer.status_code == 202, answer.content
    work(acme, answer.json())
    shown = client.get(f"/api/documents/{answer.json()['id']}/").json()
    assert (shown["status"], shown["filename"], shown["bytes"]) == ("ready", "bees.md", len(BEES.encode()))


def test_a_list_is_accepted_whole_and_in_order(client, acme) -> None:
    base_id = make_base(client)
    items = [{"external_id": f"e{n}", "title": f"T{n}", "text": f"{BEES} {n}"} for n in range(5)]
    answer = client.post(f"{BASES}{base_id}/documents/", items, format="json")
    assert answer.status_code == 202
    assert [row["external_id"] for row in answer.json()] == ["e0", "e1", "e2", "e3", "e4"]
    items[2] = {"external_id": "e2", "title": "T2", "text": SHIPS}
    again = client.post(f"{BASES}{base_id}/documents/", items, format="json").json()
    assert [row["id"] for row in again] == [row["id"] for row in answer.json()]
    work(acme, *again)
    assert client.get(f"{BASES}{base_id}/").json()["documents"]["ready"] == 5


def test_a_failed_document_says_why_and_can_be_tried_again(client, acme) -> None:
    base_id = make_base(client)
    upload = {"file": SimpleUploadedFile("bees.pdf", b"\x00\x01 not a pdf")}
    document = client.post(f"{BASES}{base_id}/documents/", upload, format="multipart").json()
    work(acme, document)
    shown = client.get(f"/api/documents/{document['id']}/").json()
    assert (shown["status"], shown["error"]["code"]) == ("failed", "pdf_damaged")
    assert shown["error"]["detail"].startswith("This is not a readable PDF")
    retried = client.post(f"/api/documents/{document['id']}/retry/")
    assert (retried.status_code, retried.json()["status"]) == (202, "queued")
    conflict = client.post(f"/api/documents/{document['id']}/retry/")
    assert (conflict.status_code, conflict.json()["code"]) == (409, "nothing_to_retry")


def test_documents_are_listed_by_cursor_with_few_queries(client, count_queries) -> None:
    base_id = make_base(client)
    items = [{"title": f"T{n}", "text": f"text {n}"} for n in range(120)]
    client.post(f"{BASES}{base_id}/documents/", items, format="json")
    seen, url = [], f"{BASES}{base_id}/documents/?limit=50"
    while url:
        with count_queries() as queries:
            page = client.get(url).json()
        assert len(queries) <= 8
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert len(seen) == len(set(seen)) == 120


def test_deleting_a_document_takes_it_out_of_search(client, acme) -> None:
    base_id = make_base(client)
    document = make_text(client, base_id)
    work(acme, document)
    assert client.delete(f"/api/documents/{document['id']}/").status_code == 204
    answer = client.post(f"{BASES}{base_id}/search/", {"query": "bees"}, format="json")
    assert answer.json()["hits"] == []
    assert client.get(f"/api/documents/{document['id']}/").status_code == 404


def every_call(base_id: str, document_id: str) -> list[tuple[str, str, object]]:
    return [
        ("get", f"{BASES}{base_id}/", None),
        ("patch", f"{BASES}{base_id}/", {"name": "Mine now"}),
        ("delete", f"{BASES}{base_id}/", None),
        ("get", f"{BASES}{base_id}/documents/", None),
        ("post", f"{BASES}{base_id}/documents/", {"title": "x", "text": "y"}),
        ("post", f"{BASES}{base_id}/documents/", [{"title": "x", "text": "y"}]),
        ("post", f"{BASES}{base_id}/search/", {"query": "bees"}),
        ("get", f"/api/documents/{document_id}/", None),
        ("delete", f"/api/documents/{document_id}/", None),
        ("post", f"/api/documents/{document_id}/retry/", None),
        ("get", f"/api/documents/{document_id}/text/", None),
    ]


def test_another_tenant_gets_the_404_of_what_does_not_exist(client, acme, api, globex_cast) -> None:
    base_id = make_base(client)
    document = make_text(client, base_id)
    work(acme, document)
    stranger = api(globex_cast.owner)
    nothing = zip(every_call(base_id, document["id"]), every_call(str(uuid4()), str(uuid4())), strict=True)
    for (method, theirs, body), (_, nowhere, _) in nothing:
        answers = [getattr(stranger, method)(url, body, format="json") for url in (theirs, nowhere)]
        assert [answer.status_code for answer in answers] == [404, 404], (method, theirs)
        assert answers[0].json() == answers[1].json()
    assert stranger.get(BASES).json()["results"] == []
    assert client.get(f"/api/documents/{document['id']}/").status_code == 200


def test_roles_and_scopes_decide(client, api, cast, acme) -> None:
    base_id = make_base(client)
    document = make_text(client, base_id)
    work(acme, document)
    for actor in (cast.member, cast.viewer):
        reader = api(actor)
        for method, url, body in every_call(base_id, document["id"]):
            reads = method == "get" or url.endswith("/search/")
            if not reads:
                assert getattr(reader, method)(url, body, format="json").status_code == 403, (method, url)
            elif not url.endswith("/retry/"):
                assert getattr(reader, method)(url, body, format="json").status_code == 200, (method, url)
    narrow = api(cast.admin, "usage").get(BASES)
    assert (narrow.status_code, narrow.json()["code"]) == (403, "insufficient_scope")
    assert api(None, host="acme.localhost").get(BASES).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"title": "x", "text": " \n"}, 422, "document_empty"),
        ({"title": "", "text": "x"}, 422, "invalid"),
        ({"text": "x"}, 422, "invalid"),
        ({"title": "x", "text": "y" * 5_000_001}, 413, "document_too_long"),
        ({"title": "x", "text": "y", "external_id": "e" * 201}, 422, "invalid"),
        ([], 422, "too_many_documents"),
        ([{"title": "x", "text": "y"}] * 501, 422, "too_many_documents"),
        ([{"title": "x", "text": "y", "external_id": "same"}] * 2, 422, "duplicate_external_id"),
        ([{"title": "x", "text": "y"}, "not an object"], 422, "invalid"),
        ("just a string", 422, "invalid"),
        (None, 422, "invalid"),
    ],
)
def test_bad_documents_are_refused_with_their_own_code(client, body, status, code) -> None:
    base_id = make_base(client)
    answer = client.post(f"{BASES}{base_id}/documents/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"].startswith("application/problem+json")
    assert sum(client.get(f"{BASES}{base_id}/").json()["documents"].values()) == 0


def test_broken_json_an_empty_file_and_no_file(client) -> None:
    url = f"{BASES}{make_base(client)}/documents/"
    broken = client.post(url, "{not json", content_type="application/json")
    assert (broken.status_code, broken.json()["code"]) == (400, "malformed_body")
    deep = client.post(url, "[" * 200_000, content_type="application/json")
    assert (deep.status_code, deep.json()["code"]) == (400, "malformed_body")
    empty = client.post(url, {"file": SimpleUploadedFile("a.txt", b"")}, format="multipart")
    assert (empty.status_code, empty.json()["code"]) == (422, "document_empty")
    missing = client.post(url, {"external_id": "x"}, format="multipart")
    assert (missing.status_code, missing.json()["code"]) == (422, "invalid")
    other = client.post(url, "<a/>", content_type="application/xml")
    assert (other.status_code, other.json()["code"]) == (415, "unsupported_media_type")


def test_a_file_over_50_mb_is_a_413(client) -> None:
    url = f"{BASES}{make_base(client)}/documents/"
    big = SimpleUploadedFile("big.txt", b"x" * (50 * 1024 * 1024 + 1))
    answer = client.post(url, {"file": big}, format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")


def test_a_body_that_announces_too_much_is_not_read(client) -> None:
    url = f"{BASES}{make_base(client)}/documents/"
    answer = client.generic("POST", url, b"{}", "application/json", CONTENT_LENGTH=str(80 * 1024 * 1024))
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": ""}, "invalid"),
        ({"query": "  "}, "invalid"),
        ({}, "invalid"),
        ({"query": "x", "k": 0}, "invalid"),
        ({"query": "x", "k": 101}, "invalid"),
        ({"query": "x", "k": "many"}, "invalid"),
        ({"query": "x" * 8_001}, "invalid"),
    ],
)
def test_bad_searches_are_refused(client, body, code) -> None:
    answer = client.post(f"{BASES}{make_base(client)}/search/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize("query", ["start=-1", "start=5&end=5", "start=x", "end=99999999999", "start=٣"])
def test_bad_ranges_are_refused(client, query) -> None:
    document = make_text(client, make_base(client))
    answer = client.get(f"/api/documents/{document['id']}/text/?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_range")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": ""}, "invalid"),
        ({"name": "x" * 201}, "invalid_name"),
        ({"name": "x", "language": "?"}, "invalid_language"),
    ],
)
def test_bad_knowledge_bases_are_refused(client, body, code) -> None:
    answer = client.post(BASES, body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_what_no_database_stores_is_replaced_and_offsets_stay(client, acme) -> None:
    base_id = make_base(client, name="a\x00b")
    assert client.get(f"{BASES}{base_id}/").json()["name"] == "a b"
    body = '{"title": "t\\u0000\\ud800", "text": "bees\\u0000 \\ud800 dance", "external_id": "e\\ud800"}'
    answer = client.post(f"{BASES}{base_id}/documents/", body, content_type="application/json")
    assert answer.status_code == 202, answer.content
    work(acme, answer.json())
    shown = client.get(f"/api/documents/{answer.json()['id']}/text/").json()
    assert (shown["text"], shown["characters"]) == ("bees  \ufffd dance", len("bees\x00 x dance"))
    query = '{"query": "bees\\u0000\\ud800"}'
    found = client.post(f"{BASES}{base_id}/search/", query, content_type="application/json")
    assert (found.status_code, len(found.json()["hits"])) == (200, 1)


def test_the_schema_describes_every_call(client) -> None:
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.validation import validate_schema

    generator = SchemaGenerator(urlconf="tests.knowledge.urls")
    schema = generator.get_schema(request=None, public=True)
    validate_schema(schema)
    assert set(schema["paths"]) == {
        "/api/knowledge-bases/",
        "/api/knowledge-bases/{base_id}/",
        "/api/knowledge-bases/{base_id}/documents/",
        "/api/knowledge-bases/{base_id}/search/",
        "/api/documents/{document_id}/",
        "/api/documents/{document_id}/retry/",
        "/api/documents/{document_id}/text/",
    }
