"""What is found, what is not, and what is never said twice."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
import pytest

from knowledge import embedding, errors
from knowledge.models import Chunk, Document, KnowledgeBase, Version
from knowledge.retriever import retrieve
from knowledge.search import Hit, search, without_repeats
from tenants.scope import tenant_scope
from tests.knowledge.test_documents import BEES, SHIPS

TEXTS = {
    "Bees": BEES,
    "Ships": SHIPS,
    "Leave": "Employees have thirty days of paid leave a year. Ask your lead two weeks before.",
    "Backups": "The database is copied every night at two to a second site and kept for ninety days.",
}


@pytest.fixture
def shelf(acme, cast, base, add):
    with tenant_scope(acme):
        made = base(cast.admin)
        for title, text in TEXTS.items():
            add(cast.admin, made, title, text, external_id=title.lower())
        return made


def ask(actor, query: str, bases=None, k: int = 3, **more) -> list[Hit]:
    with tenant_scope(actor.scope):
        return search(actor=actor, query=query, knowledge_base_ids=bases, k=k, **more).hits


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("how many holidays do I get?", "Leave"),
        ("when are backups made?", "Backups"),
        ("what do bees do with the sun?", "Bees"),
        ("which harbour do the vessels sail from?", "Ships"),
    ],
)
def test_the_right_passage_comes_first(shelf, cast, question, title) -> None:
    hits = ask(cast.member, question)
    assert hits[0].title == title
    assert hits[0].external_id == title.lower()
    assert hits[0].text == TEXTS[title]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Mongolia?",
        "Write a poem about autumn rain",
        "Solve x squared minus four",
        "hello",
    ],
)
def test_an_unrelated_question_has_no_sources(shelf, cast, question) -> None:
    assert ask(cast.member, question) == []
    assert len(ask(cast.member, question, k=4, floor=-1.0)) == 4


def test_another_tenants_passages_are_never_found(shelf, globex, globex_cast, base, add) -> None:
    assert ask(globex_cast.owner, "how many holidays do I get?") == []
    with pytest.raises(errors.KnowledgeBaseNotFound):
        ask(globex_cast.owner, "how many holidays do I get?", [shelf.id])
    with tenant_scope(globex):
        add(
            globex_cast.admin,
            base(globex_cast.admin),
            "Leave",
            "At Globex there are five days of paid leave.",
        )
    assert {hit.text for hit in ask(globex_cast.owner, "how many holidays do I get?")} == {
        "At Globex there are five days of paid leave."
    }


def test_only_the_named_knowledge_bases_are_searched(shelf, acme, cast, base, add) -> None:
    with tenant_scope(acme):
        other = base(cast.admin, "Other")
        add(cast.admin, other, "Leave", "Interns have ten days of paid leave a year.")
    assert {hit.knowledge_base_id for hit in ask(cast.member, "paid leave", [other.id])} == {other.id}
    assert {hit.knowledge_base_id for hit in ask(cast.member, "paid leave")} == {shelf.id, other.id}
    with pytest.raises(errors.KnowledgeBaseNotFound):
        ask(cast.member, "paid leave", [shelf.id, uuid4()])
    assert ask(cast.member, "paid leave", []) == []


def test_bad_questions_are_refused(shelf, cast) -> None:
    with pytest.raises(errors.BadQuery):
        ask(cast.member, " \n ")
    for k in (0, 101):
        with pytest.raises(errors.BadCount):
            ask(cast.member, "leave", k=k)


def test_a_very_long_question_is_answered_from_its_beginning(shelf, cast) -> None:
    assert ask(cast.member, "how many days of paid leave do I get? " * 5_000)


def test_a_small_base_is_found_whole_beside_a_large_one(acme, cast, base) -> None:
    """A filter that two in a hundred chunks pass would starve a plain HNSW scan."""
    rng = np.random.default_rng(7)
    with tenant_scope(acme):
        large, small = base(cast.admin, "large"), base(cast.admin, "small")
        for shelf, count in ((large, 3_000), (small, 60)):
            _random_chunks(shelf, rng.normal(size=(count, embedding.DIMENSION)))
        hits = search(
            actor=cast.member, query="anything", knowledge_base_ids=[small.id], k=50, floor=-1.0
        ).hits
        assert len(hits) == 50
        assert {hit.knowledge_base_id for hit in hits} == {small.id}
        vector = embedding.embed_query("anything")
        exact = sorted(
            (
                (float(vector @ chunk.embedding), chunk.id)
                for chunk in Chunk.objects.filter(knowledge_base=small)
            ),
            reverse=True,
        )
        assert [hit.chunk_id for hit in hits[:10]] == [chunk_id for _, chunk_id in exact[:10]]


def test_the_first_ten_are_those_of_an_exact_scan(acme, cast, base) -> None:
    rng = np.random.default_rng(11)
    centres = rng.normal(size=(40, embedding.DIMENSION))
    vectors = np.repeat(centres, 50, axis=0) + 0.6 * rng.normal(size=(2_000, embedding.DIMENSION))
    with tenant_scope(acme):
        shelf = base(cast.admin)
        _random_chunks(shelf, vectors)
        stored = [(chunk.id, chunk.embedding) for chunk in Chunk.objects.all()]
        same = 0
        questions = [f"question number {n} about topic {n * 7}" for n in range(10)]
        for question in questions:
            vector = embedding.embed_query(question)
            exact = {i for i, _ in sorted(stored, key=lambda item: -float(vector @ item[1]))[:10]}
            hits = search(
                actor=cast.member, query=question, knowledge_base_ids=[shelf.id], k=10, floor=-1.0
            ).hits
            same += len(exact & {hit.chunk_id for hit in hits})
    assert same / (10 * len(questions)) >= 0.9


def _random_chunks(shelf: KnowledgeBase, vectors) -> None:
    document = Document.objects.create(knowledge_base=shelf, title="d", status="ready")
    document.current = Version.objects.create(document=document, title="d", bytes=0, sha256="")
    document.save()
    Chunk.objects.bulk_create(
        Chunk(
            knowledge_base=shelf, document=document, ordinal=n, start=n * 10, end=n * 10 + 5, tokens=1,
            text=f"t{n}", embedding=vector / np.linalg.norm(vector),
        )
        for n, vector in enumerate(vectors)
    )  # fmt: skip


def hit(document, start: int, text: str, score: float) -> Hit:
    return Hit(document, uuid4(), "", "t", uuid4(), start, start + len(text), None, text, score)


def test_what_a_better_hit_shows_is_cut_from_its_neighbour() -> None:
    document = uuid4()
    text = "".join(chr(ord("a") + n % 26) for n in range(400))
    best, next_one = hit(document, 100, text[100:200], 0.9), hit(document, 170, text[170:270], 0.8)
    earlier = hit(document, 20, text[20:120], 0.7)
    kept = without_repeats([best, next_one, earlier])
    assert [(h.start, h.end) for h in kept] == [(100, 200), (200, 270), (20, 100)]
    assert all(text[h.start : h.end] == h.text for h in kept)


def test_equal_passages_and_scraps_are_dropped() -> None:
    one, other = uuid4(), uuid4()
    text = "The same sentence in two files, uploaded twice by two people."
    kept = without_repeats([hit(one, 0, text, 0.9), hit(other, 0, text, 0.9), hit(one, 30, text[30:], 0.5)])
    assert len(kept) == 1


@pytest.mark.django_db(transaction=True)
async def test_the_gateway_gets_numbered_sources(cast, globex_cast) -> None:
    from knowledge.ingest import document_ingest
    from knowledge.services import document_add_text, knowledge_base_create
    from tenants.scope import in_tenant

    def fill() -> None:
        shelf = knowledge_base_create(actor=cast.admin, name="Handbook")
        for title, text in TEXTS.items():
            document = document_add_text(actor=cast.admin, knowledge_base_id=shelf.id, title=title, text=text)
            document_ingest(document_id=document.id)

    await in_tenant(cast.scope, fill)
    sources = await retrieve(cast.member, "how many holidays do I get?", 2)
    assert [source.n for source in sources] == list(range(1, len(sources) + 1))
    assert sources[0].title == "Leave"
    assert sources[0].text == TEXTS["Leave"]
    assert await retrieve(cast.member, "   ", 2) == ()
    assert await retrieve(globex_cast.owner, "how many holidays do I get?", 2) == ()
