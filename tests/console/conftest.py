"""Documents, calls and models that pages can show, made without a worker or a model."""

from datetime import timedelta
from decimal import Decimal

import pytest


@pytest.fixture(autouse=True)
def work_is_queued_only(settings, monkeypatch):
    """Documents stay as the test makes them: nothing reads them in the background."""
    monkeypatch.setattr("knowledge.tasks.document_process.delay_on_commit", lambda *_: None)
    settings.CELERY_TASK_ALWAYS_EAGER = True


@pytest.fixture
def base(cast):
    from knowledge.services import knowledge_base_create
    from tenants.scope import tenant_scope

    with tenant_scope(cast.scope):
        return knowledge_base_create(actor=cast.admin, name="Handbook", description="How we work")


@pytest.fixture
def document(cast, base):
    """`document("Title", "Text", status="failed")` with one passage when it is ready."""
    from knowledge.minilm import DIMENSION
    from knowledge.models import Chunk, Document
    from knowledge.services import document_add_text
    from tenants.scope import tenant_scope

    def make(title="Leave", text="Five days carry over. " * 20, *, status="ready", error="", into=None):
        with tenant_scope(cast.scope):
            row = document_add_text(
                actor=cast.admin, knowledge_base_id=(into or base).id, title=title, text=text
            )
            row.status, row.error_detail, row.error_code = status, error, "unreadable" if error else ""
            if status == "ready":
                row.current, row.pending = row.pending, None
                row.current.chunk_count = 1
                row.current.save()
                Chunk.objects.create(
                    knowledge_base=row.knowledge_base, document=row, ordinal=0, start=5, end=21, tokens=4,
                    text=text[5:21], embedding=[1.0] + [0.0] * (DIMENSION - 1),
                )  # fmt: skip
            row.save()
            return Document.objects.get(pk=row.pk)

    return make


@pytest.fixture
def call():
    """`call(actor, model="m", cost="0.5", days_ago=3)` -> one settled row of the ledger."""
    from django.utils import timezone

    from billing.models import UsageEvent
    from billing.vocabulary import CallStatus
    from panal.kit.ids import uuid7
    from tenants.scope import tenant_scope

    def make(actor, *, model="llama", feature="chat", cost="0.25", days_ago=0.0, tokens=(100, 20)):
        with tenant_scope(actor.scope):
            started = timezone.now() - timedelta(days=days_ago)
            return UsageEvent.objects.create(
                request_id=uuid7(), feature=feature, user_id=actor.user_id, provider="lab", model=model,
                pool="external", tier="standard", input_price=Decimal(1), output_price=Decimal(2),
                started_at=started, status=CallStatus.OK, input_tokens=tokens[0], output_tokens=tokens[1],
                usage_source="provider", cost_usd=Decimal(cost), ended_at=started,
            )  # fmt: skip

    return make
