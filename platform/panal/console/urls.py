from django.urls import path

from panal.console import documents, knowledge, members, models, overview, tokens, usage, workspace

app_name = "console"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("members/", members.members, name="members"),
    path("members/new/", members.member_new, name="member_new"),
    path("members/<uuid:user_id>/role/", members.member_role, name="member_role"),
    path("members/<uuid:user_id>/active/", members.member_active, name="member_active"),
    path("members/<uuid:user_id>/link/", members.member_link, name="member_link"),
    path("members/<uuid:user_id>/remove/", members.member_delete, name="member_remove"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/new/", tokens.token_new, name="token_new"),
    path("tokens/<uuid:token_id>/revoke/", tokens.token_delete, name="token_revoke"),
    path("knowledge/", knowledge.bases, name="knowledge"),
    path("knowledge/new/", knowledge.base_new, name="knowledge_new"),
    path("knowledge/<uuid:base_id>/", knowledge.base, name="knowledge_base"),
    path("knowledge/<uuid:base_id>/documents/", knowledge.base_documents, name="knowledge_documents"),
    path("knowledge/<uuid:base_id>/search/", knowledge.base_search, name="knowledge_search"),
    path("knowledge/<uuid:base_id>/edit/", knowledge.base_edit, name="knowledge_edit"),
    path("knowledge/<uuid:base_id>/delete/", knowledge.base_delete, name="knowledge_delete"),
    path("knowledge/<uuid:base_id>/upload/", knowledge.base_upload, name="knowledge_upload"),
    path("knowledge/<uuid:base_id>/retry/", knowledge.base_retry, name="knowledge_retry"),
    path("documents/<uuid:document_id>/", documents.document, name="document"),
    path("documents/<uuid:document_id>/retry/", knowledge.retry, name="document_retry"),
    path("documents/<uuid:document_id>/delete/", knowledge.delete, name="document_delete"),
    path("models/", models.models, name="models"),
    path("models/live/", models.models_live, name="models_live"),
    path("usage/", usage.usage, name="usage"),
    path("usage/by-<slug:group>.csv", usage.usage_csv, name="usage_csv"),
    path("settings/", workspace.settings, name="settings"),
]
