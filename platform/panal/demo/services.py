"""Making and keeping the demo workspace. Repeating it changes nothing that is up to date."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from knowledge.ingest import document_ingest
from knowledge.models import Document, KnowledgeBase
from knowledge.services import document_add_text, document_delete, knowledge_base_create
from tenants.actors import system_actor
from tenants.directory import scope_of_slug
from tenants.scope import Scope, tenant_scope
from tenants.services import tenant_create

SLUG = "demo"
EMAIL = "demo@panal.test"
HANDBOOK_NAME = "Panal handbook"
HANDBOOK = settings.BASE_DIR / "docs" / "handbook"


@dataclass(frozen=True, slots=True)
class Demo:
    scope: Scope
    email: str
    password: str


def _kept_password() -> str:
    """The demo's first password, kept beside the data so that every start can print it."""
    path = Path(settings.PANAL_HOME) / "demo_password"
    if path.is_file():
        return path.read_text().strip()
    password = "-".join(secrets.token_hex(2) for _ in range(3))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(password)
    return password


def demo_prepare() -> Demo:
    """The demo workspace with its owner and an up-to-date handbook."""
    password = _kept_password()
    scope = scope_of_slug(SLUG) or tenant_create(
        slug=SLUG, name="Demo", plan="business", owner_email=EMAIL, owner_password=password, owner_name="Demo"
    )
    with tenant_scope(scope):
        handbook_load(scope, HANDBOOK)
    return Demo(scope=scope, email=EMAIL, password=password)


def _title(page: str, path: Path) -> str:
    first = page.lstrip().partition("\n")[0]
    return first.removeprefix("# ").strip() if first.startswith("# ") else path.stem


def handbook_load(scope: Scope, folder: Path) -> None:
    """Bring the pages of `folder` into the handbook's knowledge base, by file name; unchanged pages cost nothing."""
    actor = system_actor(scope)
    base = KnowledgeBase.objects.filter(name=HANDBOOK_NAME).first() or knowledge_base_create(
        actor=actor, name=HANDBOOK_NAME, language="en", description="How to use and run Panal."
    )
    pages = {path.name: path for path in sorted(folder.glob("*.md"))}
    for name, path in pages.items():
        text = path.read_text(encoding="utf-8")
        document_add_text(
            actor=actor, knowledge_base_id=base.id, title=_title(text, path), text=text, external_id=name
        )
    for document in Document.objects.filter(knowledge_base=base).exclude(external_id__in=pages):
        document_delete(document_id=document.id)
    # Here rather than by the worker, which starts later: the first visitor's question finds its answer.
    for document in Document.objects.filter(knowledge_base=base, status__in=Document.WORKING):
        document_ingest(document_id=document.id)
