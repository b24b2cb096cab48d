from django.urls import path

from chat import api

urlpatterns = [
    path("conversations/", api.ConversationsView.as_view(), name="conversations"),
    path("conversations/<uuid:conversation_id>/", api.ConversationView.as_view(), name="conversation"),
    path(
        "conversations/<uuid:conversation_id>/restore/",
        api.ConversationRestoreView.as_view(),
        name="conversation-restore",
    ),
    path(
        "conversations/<uuid:conversation_id>/messages/",
        api.MessagesView.as_view(),
        name="conversation-messages",
    ),
]
