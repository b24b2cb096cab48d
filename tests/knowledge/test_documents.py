"""What happens to a document: added, replaced, refused, tried again, deleted."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from knowledge import errors, selectors, services
from knowledge.models import Chunk, Document, KnowledgeBase, Version
from knowledge.parsing.model import REASONS
from knowledge.search import search
from tenants.scope import tenant_scope
from tests.knowledge import files

BEES = "Bees dance to tell the others where the flowers are. The waggle run points to the sun."
SHIPS = "Container ships leave the harbour of Piraeus every morning at six, loaded with olives."


def found(actor, base, query: str) -> str:
    hits = search(actor=actor, query=query, knowledge_base_ids=[base.id], k=1).hits
    return hits[0].text if hits else ""


def test_a_text_becomes_searchable_with_exact_offsets(acme, cast, base, add) -> None:
    with tenant_scope(acme):
        shelf = base(cast.admin)
        document = add(cast.admin, shelf, "Bees", BEES)
        assert document.status == "ready"
        (chunk,) = Chunk.objects.filter(document=document)
        assert document.current.text[chunk.start : chunk.end] == chunk.text == BEES
        assert (document.current.characters, document.current.chunk_count) == (len(BEES), 1)
        assert found(cast.admin, shelf, "How do bees communicate?") == BEES


def test_a_text_sent_as_json_keeps_the_senders_offsets(acme, cast, base, add) -> None:
    text = "One\r\ntwo\x00three\ud800 four"
    with tenant_scope(acme):
        document = add(cast.admin, base(cast.admin), "Odd", text)
        assert document.current.text == "One\r\ntwo three\ufffd four"


@pytest.mark.parametrize(
    ("name", "data"),
    [("bees.txt", BEES.encode()), ("bees.md", f"# Bees\n\n{BEES}".encode()), ("bees.pdf", files.pdf(BEES))],
)
def test_files_become_searchable(acme, cast, base, add_file, name, data) -> None:
    with tenant_scope(acme):
        shelf = base(cast.admin)
        document = add_file(cast.admin, shelf, name, data)
        assert document.status == "ready", document.error_detail
        chunk = Chunk.objects.get(document=document)
        assert document.current.text[chunk.start : chunk.end] == chunk.text
        assert chunk.page == (1 if name.endswith(".pdf") else None)
        assert "waggle" in found(cast.admin, shelf, "How do bees communicate?")


def test_the_upload_is_kept_under_the_tenants_own_prefix(acme, cast, base, add_file) -> None:
    with tenant_scope(acme):
        document = add_file(cast.admin, base(cast.admin), "../../../etc/passwd.txt", BEES.encode())
        version = document.current
        assert version.stored_as.startswith(f"t/{acme.tenant_id}/knowledge/")
        assert version.filename == document.title == "passwd.txt"
        with default_storage.open(version.stored_as) as kept:
            assert kept.read() == BEES.encode()


def test_long_and_hostile_names_are_only_labels(acme, cast, base, add_file) -> None:
    with tenant_scope(acme):
        document = add_file(
            cast.admin, base(cast.admin), "C:\\temp\\" + "x" * 400 + "\x00.txt", BEES.encode()
        )
        assert document.status == "ready"
        assert len(document.current.filename) == 255
        assert document.current.filename.endswith(".txt")


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.pdf", b"\x00\x01\x02 junk " * 500, "pdf_damaged"),
        ("a.pdf", files.encrypted_pdf("secret"), "pdf_encrypted"),
        ("a.pdf", files.scanned_pdf(), "pdf_without_text"),
        ("a.docx", files.zip_bomb_docx(), "archive_bomb"),
        ("a.docx", files.nested_zip(3), "docx_damaged"),
        ("a.txt", b"   \n ", "document_without_text"),
        ("a.exe", b"MZ\x90\x00", "unsupported_type"),
    ],
)
def test_a_bad_file_says_why_and_the_others_go_on(acme, cast, base, add, add_file, name, data, code) -> None:
    with tenant_scope(acme):
        shelf = base(cast.admin)
        bad = add_file(cast.admin, shelf, name, data)
        good = add(cast.admin, shelf, "Bees", BEES)
        assert (bad.status, bad.error_code, bad.error_detail) == ("failed", code, REASONS[code])
        assert good.status == "ready"


def test_a_replacement_takes_over_only_when_it_is_ready(acme, cast, base, add, process) -> None:
    with tenant_scope(acme):
        shelf = base(cast.admin)
        first = add(cast.admin, shelf, "Note", BEES, external_id="note")
        second = services.document_add_text(
            actor=cast.admin, knowledge_base_id=shelf.id, title="Note 2", text=SHIPS, external_id="note"
        )
        assert second.id == first.id
        assert second.status == "queued"
        assert found(cast.admin, shelf, "bees dance flowers") == BEES

        ready = process(second)
        assert (ready.status, ready.title, ready.pending_id) == ("ready", "Note 2", None)
        assert found(cast.admin, shelf, "ships in the harbour") == SHIPS
        assert Chunk.objects.filter(document=first).count() == 1
        assert Version.objects.filter(document=first).count() == 1


def test_a_failed_replacement_keeps_the_old_content_and_says_so(
    acme, cast, base, add_file, django_capture_on_commit_callbacks
) -> None:
    with tenant_scope(acme):
        shelf = base(cast.admin)
        add_file(cast.admin, shelf, "note.txt", BEES.encode(), external_id="note")
        failed = add_file(cast.admin, shelf, "note.pdf", b"%PDF-1.7 broken", external_id="note")
        assert (failed.status, failed.error_code) == ("failed", "pdf_damaged")
        assert failed.error_detail.endswith("The previous version is still in use.")
        assert "waggle" in found(cast.admin, shelf, "bees dance")

        mended = add_file(cast.admin, shelf, "note.txt", SHIPS.encode(), external_id="note")
        assert (mended.status, mended.error_code) == ("ready", "")
        assert Version.objects.filter(document=mended).count() == 1


def test_the_same_content_again_starts_no_work(acme, cast, base, add, add_file) -> None:
    with tenant_scope(acme):
        shelf = base(cast.admin)
        before = add(cast.admin, shelf, "Note", BEES, external_id="note")
        again = services.document_add_text(
            actor=cast.admin, knowledge_base_id=shelf.id, title="Note", text=BEES, external_id="note"
        )
        assert (again.status, again.current_id, again.pending_id) == ("ready", before.current_id, None)

        stored = len(default_storage.listdir(f"t/{acme.tenant_id}/knowledge")[1])
        first = add_file(cast.admin, shelf, "a.txt", SHIPS.encode(), external_id="file")
        second = add_file(cast.admin, shelf, "a.txt", SHIPS.encode(), external_id="file")
        assert second.current_id == first.current_id
        assert len(default_storage.listdir(f"t/{acme.tenant_id}/knowledge")[1]) == stored + 1


def test_a_replaced_document_embeds_only_what_changed(acme, cast, base, add, monkeypatch) -> None:
    from knowledge.embedding import Embedder

    paragraphs = [f"Paragraph {n}. " + " ".join(f"word{n}x{i}" for i in range(150)) for n in range(6)]
    with tenant_scope(acme):
        shelf = base(cast.admin)
        first = add(cast.admin, shelf, "Long", "\n\n".join(paragraphs), external_id="long")
        assert first.current.chunk_count > 3
        embedded: list[str] = []
        real = Embedder.embed

        def spy(self, texts):
            embedded.extend(texts)
            return real(self, texts)

        monkeypatch.setattr(Embedder, "embed", spy)
        second = add(cast.admin, shelf, "Long", "\n\n".join([*paragraphs, "A new end."]), external_id="long")
        assert second.current_id != first.current_id
        assert 1 <= len(embedded) < second.current.chunk_count


def test_only_a_failed_document_can_be_tried_again(acme, cast, base, add, add_file, process) -> None:
    with tenant_scope(acme):
        shelf = base(cast.admin)
        bad = add_file(cast.admin, shelf, "a.pdf", b"%PDF-1.7 broken")
        queued = services.document_retry(document_id=bad.id)
        assert (queued.status, queued.error_code) == ("queued", "")
        assert process(queued).status == "failed"
        with pytest.raises(errors.NothingToRetry):
            services.document_retry(document_id=add(cast.admin, shelf, "Bees", BEES).id)


def test_bulk_is_all_or_nothing(acme, cast, base) -> None:
    with tenant_scope(acme):
        shelf = base(cast.admin)
        items = [services.TextItem(f"t{n}", f"text {n}", f"id-{n}") for n in range(500)]
        assert (
            len(services.documents_add_texts(actor=cast.admin, knowledge_base_id=shelf.id, items=items))
            == 500
        )
        for bad, error in (
            ([*items, services.TextItem("x", "y")], errors.TooManyDocuments),
            ([], errors.TooManyDocuments),
            ([services.TextItem("a", "b", "same")] * 2, errors.DuplicateExternalId),
            ([services.TextItem("a", "b"), services.TextItem("a", " \x00 ")], errors.TextMissing),
            ([services.TextItem("a", "b", "x" * 201)], errors.BadExternalId),
            ([services.TextItem("a", "x" * (services.MAX_CHARACTERS + 1))], errors.TextTooLong),
        ):
            with pytest.raises(error):
                services.documents_add_texts(actor=cast.admin, knowledge_base_id=shelf.id, items=bad)
        assert Document.objects.filter(knowledge_base=shelf).count() == 500


def test_a_file_over_50_mb_is_refused_before_it_is_stored(acme, cast, base) -> None:
    with tenant_scope(acme):
        file = SimpleUploadedFile("big.txt", b"x")
        file.size = services.MAX_FILE_BYTES + 1
        with pytest.raises(errors.FileTooLarge):
            services.document_add_file(
                actor=cast.admin, knowledge_base_id=base(cast.admin).id, file=file, filename="big.txt"
            )
        assert not Document.objects.exists()


def test_deleting_leaves_nothing(acme, cast, base, add_file, django_capture_on_commit_callbacks) -> None:
    with tenant_scope(acme):
        shelf = base(cast.admin)
        stored = [
            add_file(cast.admin, shelf, f"{n}.txt", f"{BEES} {n}".encode()).current.stored_as
            for n in range(3)
        ]
        one = Document.objects.get(current__stored_as=stored[0])
        with django_capture_on_commit_callbacks(execute=True):
            services.document_delete(document_id=one.id)
        assert not default_storage.exists(stored[0])
        assert Chunk.objects.count() == 2
        with django_capture_on_commit_callbacks(execute=True):
            services.knowledge_base_delete(knowledge_base_id=shelf.id)
        assert not any(default_storage.exists(name) for name in stored)
        for model in (KnowledgeBase, Document, Version, Chunk):
            assert not model.objects.exists()


def test_names_and_languages_are_checked(acme, cast) -> None:
    with tenant_scope(acme):
        for name in ("", "  ", "x" * 201):
            with pytest.raises(errors.BadName):
                services.knowledge_base_create(actor=cast.admin, name=name)
        for language in ("english please", "e", "de_AT"):
            with pytest.raises(errors.BadLanguage):
                services.knowledge_base_create(actor=cast.admin, name="x", language=language)
        made = services.knowledge_base_create(actor=cast.admin, name=" A\n b ", language="pt-BR")
        assert (made.name, made.language) == ("A b", "pt-BR")
        changed = services.knowledge_base_update(knowledge_base_id=made.id, name="C", description="d")
        assert (changed.name, changed.language, changed.description) == ("C", "pt-BR", "d")


def test_the_other_tenant_has_nothing_of_it(acme, globex, cast, base, add, globex_cast) -> None:
    with tenant_scope(acme):
        shelf = base(cast.admin)
        document = add(cast.admin, shelf, "Bees", BEES)
    with tenant_scope(globex):
        for call in (
            lambda: selectors.knowledge_base_get(shelf.id),
            lambda: selectors.documents_list(shelf.id),
            lambda: selectors.document_get(document.id),
            lambda: selectors.document_text(document.id),
            lambda: selectors.passage(document.id, start=0, end=5),
            lambda: services.document_delete(document_id=document.id),
            lambda: services.document_retry(document_id=document.id),
            lambda: services.knowledge_base_delete(knowledge_base_id=shelf.id),
            lambda: services.document_add_text(
                actor=globex_cast.admin, knowledge_base_id=shelf.id, title="x", text="y"
            ),
        ):
            with pytest.raises((errors.KnowledgeBaseNotFound, errors.DocumentNotFound)):
                call()
        assert not Chunk.objects.exists()
    with tenant_scope(acme):
        assert Chunk.objects.filter(document=document).exists()


def test_the_viewer_gets_the_passage_with_its_surroundings(acme, cast, base, add_file) -> None:
    text = "# Guide\n\n" + "Before. " * 200 + "\n\n## Bees\n\n" + BEES + "\n\n" + "After. " * 200
    with tenant_scope(acme):
        document = add_file(cast.admin, base(cast.admin), "guide.md", text.encode())
        start = text.index(BEES)
        shown = selectors.passage(document.id, start=start, end=start + len(BEES))
        assert shown.text == BEES
        assert shown.before == text[start - 600 : start]
        assert shown.after == text[start + len(BEES) :][:600]
        assert shown.headings == ("Guide", "Bees")
        assert selectors.document_text(document.id, start=start, end=start + 4).text == "Bees"
        assert selectors.document_text(document.id, start=10**8).text == ""
        with pytest.raises(errors.BadRange):
            selectors.passage(document.id, start=5, end=5)
        with pytest.raises(errors.DocumentNotFound):
            selectors.passage(uuid4(), start=0, end=5)
