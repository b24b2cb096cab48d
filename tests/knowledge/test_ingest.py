"""Workers that die, come twice, come late, or work on what nobody wants any more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from knowledge import ingest, services
from knowledge.models import Chunk, Document
from knowledge.parsing.model import ParseError
from tenants.scope import tenant_scope
from tests.knowledge.test_documents import BEES, SHIPS


@pytest.fixture
def queued(acme, cast, base):
    """A document that waits for its worker."""
    with tenant_scope(acme):
        yield services.document_add_text(
            actor=cast.admin,
            knowledge_base_id=base(cast.admin).id,
            title="Note",
            text=BEES,
            external_id="note",
        )


def again(document: Document) -> Document:
    return Document.objects.get(id=document.id)


def test_a_second_worker_leaves_a_document_in_good_hands_alone(queued, process) -> None:
    assert ingest.Lease(queued.id).take(steal=False)
    assert process(queued).current is None
    assert again(queued).attempts == 1


def test_a_redelivered_task_takes_over_at_once(queued, process) -> None:
    assert ingest.Lease(queued.id).take(steal=False)
    assert process(queued, steal=True).status == "ready"


def test_a_lease_that_ran_out_is_free(queued, process) -> None:
    assert ingest.Lease(queued.id).take(steal=False)
    Document.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert process(queued).status == "ready"


def test_a_finished_document_is_not_done_twice(queued, process) -> None:
    first = process(queued)
    chunk = Chunk.objects.get()
    assert process(queued, steal=True).updated_at == first.updated_at
    assert Chunk.objects.get().id == chunk.id


def test_the_slower_of_two_workers_changes_nothing(queued, process, monkeypatch) -> None:
    """Another worker takes over while this one embeds: only one content is ever swapped in."""
    real = ingest._embed

    def overtaken(version, lease):
        chunks = real(version, lease)
        monkeypatch.setattr(ingest, "_embed", real)
        ingest.document_ingest(document_id=queued.id, steal=True)
        return chunks

    monkeypatch.setattr(ingest, "_embed", overtaken)
    assert process(queued).status == "ready"
    assert Chunk.objects.count() == 1


def test_a_replacement_during_the_work_wins(queued, process, cast, monkeypatch) -> None:
    real = ingest._embed

    def replaced(version, lease):
        monkeypatch.setattr(ingest, "_embed", real)
        services.document_add_text(
            actor=cast.admin, knowledge_base_id=queued.knowledge_base_id, title="Note", text=SHIPS,
            external_id="note",
        )  # fmt: skip
        return real(version, lease)

    monkeypatch.setattr(ingest, "_embed", replaced)
    waiting = process(queued)
    assert (waiting.status, waiting.current) == ("queued", None)
    assert process(waiting).current.text == SHIPS


def test_a_deletion_during_the_work_ends_it(queued, monkeypatch) -> None:
    real = ingest._embed

    def deleted(version, lease):
        services.document_delete(document_id=queued.id)
        return real(version, lease)

    monkeypatch.setattr(ingest, "_embed", deleted)
    ingest.document_ingest(document_id=queued.id)
    assert not Document.objects.exists()
    assert not Chunk.objects.exists()


def test_an_unforeseen_error_leaves_the_document_to_the_rescue(queued, process, monkeypatch) -> None:
    def broken(version, lease):
        raise RuntimeError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "_embed", broken)
        with pytest.raises(RuntimeError):
            process(queued)
    assert ingest.documents_reclaim() == []
    Document.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert ingest.documents_reclaim() == [queued.id]
    assert ingest.documents_reclaim() == []
    assert process(queued).status == "ready"


def test_a_document_whose_task_was_lost_is_sent_again(queued) -> None:
    assert ingest.documents_reclaim() == []
    Document.objects.update(updated_at=timezone.now() - ingest.QUEUE_PATIENCE - timedelta(seconds=1))
    assert ingest.documents_reclaim() == [queued.id]


def test_a_document_that_kills_every_worker_is_given_up(queued, process) -> None:
    Document.objects.update(attempts=ingest.MAX_ATTEMPTS)
    given_up = process(queued)
    assert (given_up.status, given_up.error_code) == ("failed", "processing_interrupted")
    assert process(services.document_retry(document_id=queued.id)).status == "ready"


def test_a_killed_parser_fails_the_upload_and_a_retry_reads_it(
    acme, cast, base, add_file, process, monkeypatch
) -> None:
    def killed(*args, **kwargs):
        raise ParseError("parse_crashed")

    with tenant_scope(acme):
        with monkeypatch.context() as patch:
            patch.setattr(ingest, "parse", killed)
            failed = add_file(cast.admin, base(cast.admin), "bees.txt", BEES.encode())
        assert (failed.status, failed.error_code) == ("failed", "parse_crashed")
        assert process(services.document_retry(document_id=failed.id)).status == "ready"


def test_a_worker_that_died_after_reading_is_not_followed_by_a_second_reading(
    acme, cast, base, add_file, process, monkeypatch
) -> None:
    def broken(version, lease):
        raise RuntimeError("killed")

    with tenant_scope(acme):
        with monkeypatch.context() as patch:
            patch.setattr(ingest, "_embed", broken)
            with pytest.raises(RuntimeError):
                add_file(cast.admin, base(cast.admin), "bees.txt", BEES.encode())
        document = Document.objects.get()
        assert document.status == "parsing"
        monkeypatch.setattr(ingest, "parse", None)
        assert process(document, steal=True).status == "ready"


def test_the_rescue_sees_only_its_own_tenant(queued, globex) -> None:
    Document.objects.update(updated_at=timezone.now() - timedelta(hours=1))
    with tenant_scope(globex):
        assert ingest.documents_reclaim() == []
        ingest.document_ingest(document_id=queued.id, steal=True)
    assert again(queued).status == "queued"
