"""Documents of the cast, processed at once by the code that a worker runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile


@pytest.fixture(scope="session", autouse=True)
def one_model_for_all(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The conversion takes a second or two; every test's home finds it done."""
    from knowledge import minilm

    models = Path(os.environ["PANAL_HOME"]) / "models"
    if not models.exists():
        minilm.converted_folder(Path(os.environ["PANAL_HOME"]))


@pytest.fixture
def process():
    """`process(document)` does what the worker does with it, and answers it as it is then."""

    def run(document: Any, *, steal: bool = False) -> Any:
        from knowledge.ingest import document_ingest
        from knowledge.models import Document

        document_ingest(document_id=document.id, steal=steal)
        return Document.objects.get(id=document.id)

    return run


@pytest.fixture
def base():
    """`base(actor)` makes a knowledge base; call it inside the actor's scope."""

    def make(actor: Any, name: str = "Handbook") -> Any:
        from knowledge.services import knowledge_base_create

        return knowledge_base_create(actor=actor, name=name)

    return make


@pytest.fixture
def add(process: Any):
    """`add(actor, base, title, text)` gives a document that is already searched."""

    def make(actor: Any, base: Any, title: str, text: str, external_id: str = "") -> Any:
        from knowledge.services import document_add_text

        return process(
            document_add_text(
                actor=actor, knowledge_base_id=base.id, title=title, text=text, external_id=external_id
            )
        )

    return make


@pytest.fixture
def add_file(process: Any):
    def make(actor: Any, base: Any, name: str, data: bytes, external_id: str = "") -> Any:
        from knowledge.services import document_add_file

        file = SimpleUploadedFile(name, data)
        return process(
            document_add_file(
                actor=actor, knowledge_base_id=base.id, file=file, filename=name, external_id=external_id
            )
        )

    return make
