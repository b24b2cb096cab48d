"""Knowledge bases: their documents, what became of each upload, and a box to try a search."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from knowledge.models import Document, KnowledgeBase
from knowledge.search import Hit, search
from knowledge.selectors import (
    document_counts,
    document_get,
    documents_list,
    knowledge_base_get,
    knowledge_bases_list,
)
from knowledge.services import (
    document_add_file,
    document_delete,
    document_retry,
    knowledge_base_create,
    knowledge_base_delete,
    knowledge_base_update,
)
from panal.console.forms import KnowledgeBaseForm, TypedNameForm
from panal.console.paging import page_of, sort_of, text_of
from panal.kit.errors import Invalid, PanalError
from tenants.policy import Action
from tenants.web import actor_of, policy_required

SORTS = {"title": "title", "status": "status", "added": "created_at", "chunks": "chunks_found"}
BASE_SORTS = {"name": "name", "added": "created_at"}
HITS = 5
DOCUMENTS_PER_PAGE = 50
READ = require_http_methods(["GET", "HEAD"])


@dataclass(frozen=True, slots=True)
class Refused:
    """An upload that was not taken, and why."""

    name: str
    reason: str


def _bases_page(request: HttpRequest, *, form: KnowledgeBaseForm | None = None) -> HttpResponse:
    sort = sort_of(request, BASE_SORTS, "name")
    page = page_of(request, knowledge_bases_list().order_by(sort.field, "id"))
    counts = document_counts([base.id for base in page])
    rows = [(base, counts[base.id], sum(counts[base.id].values())) for base in page]
    context = {"page": page, "rows": rows, "sort": sort.key, "form": form or KnowledgeBaseForm()}
    return render(request, "console/knowledge.html", context, status=Invalid.status if form else 200)


@READ
@policy_required(Action.KNOWLEDGE_READ)
def bases(request: HttpRequest) -> HttpResponse:
    return _bases_page(request)


@require_POST
@policy_required(Action.KNOWLEDGE_WRITE)
def base_new(request: HttpRequest) -> HttpResponse:
    form = KnowledgeBaseForm(request.POST)
    if form.is_valid():
        try:
            base = knowledge_base_create(actor=actor_of(request), **form.cleaned_data)
        except PanalError as error:
            form.add_error("name", error.detail)
        else:
            messages.success(request, f"“{base.name}” is ready for documents.")
            return redirect("console:knowledge_base", base.id)
    return _bases_page(request, form=form)


def _documents(request: HttpRequest, base: KnowledgeBase) -> dict[str, Any]:
    """The table of documents; `working` keeps the page asking while something is in progress."""
    documents: QuerySet[Document] = documents_list(base.id)
    status = request.GET.get("status", "")
    if status in Document.Status.values:
        documents = documents.filter(status=status)
    title = text_of(request, "title")
    if title:
        documents = documents.filter(title__icontains=title)
    sort = sort_of(request, SORTS, "-added")
    counts = document_counts([base.id])[base.id]
    return {
        "base": base,
        "page": page_of(request, documents.order_by(sort.field, "id"), size=DOCUMENTS_PER_PAGE),
        "sort": sort.key,
        "counts": counts,
        "total": sum(counts.values()),
        "working": sum(counts[status] for status in Document.WORKING),
        "status": status,
        "title": title,
    }


def _search(request: HttpRequest, base: KnowledgeBase) -> dict[str, Any]:
    """What the search box found; errors of the question stand beside the box."""
    query = text_of(request, "query")
    if not query:
        return {"query": "", "hits": None}
    try:
        found = search(actor=actor_of(request), query=query, knowledge_base_ids=[base.id], k=HITS)
    except PanalError as error:
        return {"query": query, "hits": None, "search_error": error.detail}
    hits: list[Hit] = found.hits
    return {"query": query, "hits": hits, "search_ms": found.embed_ms + found.search_ms}


def _base_page(
    request: HttpRequest,
    base: KnowledgeBase,
    *,
    status: int = 200,
    form: KnowledgeBaseForm | None = None,
    delete_form: TypedNameForm | None = None,
    refused: list[Refused] | None = None,
) -> HttpResponse:
    context = {
        **_documents(request, base),
        **_search(request, base),
        "form": form or KnowledgeBaseForm(initial={"name": base.name, "description": base.description}),
        "delete_form": delete_form or TypedNameForm(name=base.name),
        "refused": refused or [],
    }
    return render(request, "console/knowledge_base.html", context, status=status)


@READ
@policy_required(Action.KNOWLEDGE_READ)
def base(request: HttpRequest, base_id: UUID) -> HttpResponse:
    return _base_page(request, knowledge_base_get(base_id))


@READ
@policy_required(Action.KNOWLEDGE_READ)
def base_documents(request: HttpRequest, base_id: UUID) -> HttpResponse:
    """The table alone, for the page to refresh while documents are being read."""
    return render(request, "console/_documents.html", _documents(request, knowledge_base_get(base_id)))


@READ
@policy_required(Action.KNOWLEDGE_READ)
def base_search(request: HttpRequest, base_id: UUID) -> HttpResponse:
    found = knowledge_base_get(base_id)
    return render(request, "console/_hits.html", {"base": found, **_search(request, found)})


@require_POST
@policy_required(Action.KNOWLEDGE_WRITE)
def base_edit(request: HttpRequest, base_id: UUID) -> HttpResponse:
    found = knowledge_base_get(base_id)
    form = KnowledgeBaseForm(request.POST)
    if form.is_valid():
        try:
            knowledge_base_update(knowledge_base_id=base_id, **form.cleaned_data)
        except PanalError as error:
            form.add_error("name", error.detail)
        else:
            messages.success(request, "Saved.")
            return redirect("console:knowledge_base", base_id)
    return _base_page(request, found, status=Invalid.status, form=form)


@require_POST
@policy_required(Action.KNOWLEDGE_WRITE)
def base_delete(request: HttpRequest, base_id: UUID) -> HttpResponse:
    found = knowledge_base_get(base_id)
    form = TypedNameForm(request.POST, name=found.name)
    if not form.is_valid():
        return _base_page(request, found, status=Invalid.status, delete_form=form)
    knowledge_base_delete(knowledge_base_id=base_id)
    messages.success(request, f"“{found.name}” and its documents are deleted.")
    return redirect("console:knowledge")


def _take(request: HttpRequest, base_id: UUID, file: "UploadedFile[Any]") -> Refused | None:
    name = file.name or "file"
    try:
        document_add_file(actor=actor_of(request), knowledge_base_id=base_id, file=file, filename=name)
    except PanalError as error:
        return Refused(name, error.detail)
    return None


@require_POST
@policy_required(Action.KNOWLEDGE_WRITE)
def base_upload(request: HttpRequest, base_id: UUID) -> HttpResponse:
    """Files of one form. The page's script sends each file by itself to the API and falls back to this."""
    found = knowledge_base_get(base_id)
    files = request.FILES.getlist("files")
    if not files:
        nothing = [Refused("Nothing was sent", "Choose one or more files first.")]
        return _base_page(request, found, status=Invalid.status, refused=nothing)
    refused = [bad for file in files if (bad := _take(request, base_id, file)) is not None]
    taken = len(files) - len(refused)
    if taken:
        messages.success(request, f"{taken} file{'s' if taken != 1 else ''} taken. Reading has begun.")
    if refused:
        return _base_page(request, found, status=Invalid.status, refused=refused)
    return redirect("console:knowledge_base", base_id)


@require_POST
@policy_required(Action.KNOWLEDGE_WRITE)
def base_retry(request: HttpRequest, base_id: UUID) -> HttpResponse:
    """All documents that failed, once more."""
    failed = documents_list(base_id).filter(status=Document.Status.FAILED).values_list("id", flat=True)
    for document_id in failed:
        document_retry(document_id=document_id)
    messages.success(request, "Reading the failed documents again.")
    return redirect("console:knowledge_base", base_id)


@require_POST
@policy_required(Action.KNOWLEDGE_WRITE)
def retry(request: HttpRequest, document_id: UUID) -> HttpResponse:
    document = document_retry(document_id=document_id)
    messages.success(request, f"Reading “{document.title}” again.")
    return redirect("console:knowledge_base", document.knowledge_base_id)


@require_POST
@policy_required(Action.KNOWLEDGE_WRITE)
def delete(request: HttpRequest, document_id: UUID) -> HttpResponse:
    document = document_get(document_id)
    document_delete(document_id=document_id)
    messages.success(request, f"“{document.title}” is deleted.")
    return redirect("console:knowledge_base", document.knowledge_base_id)
