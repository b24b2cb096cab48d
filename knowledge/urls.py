from django.urls import path

from knowledge import api

urlpatterns = [
    path("knowledge-bases/", api.KnowledgeBasesView.as_view(), name="knowledge-bases"),
    path("knowledge-bases/<uuid:base_id>/", api.KnowledgeBaseView.as_view(), name="knowledge-base"),
    path(
        "knowledge-bases/<uuid:base_id>/documents/",
        api.DocumentsView.as_view(),
        name="knowledge-base-documents",
    ),
    path("knowledge-bases/<uuid:base_id>/search/", api.SearchView.as_view(), name="knowledge-base-search"),
    path("documents/<uuid:document_id>/", api.DocumentView.as_view(), name="document"),
    path("documents/<uuid:document_id>/retry/", api.DocumentRetryView.as_view(), name="document-retry"),
    path("documents/<uuid:document_id>/text/", api.DocumentTextView.as_view(), name="document-text"),
]
