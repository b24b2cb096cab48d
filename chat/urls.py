from django.urls import path

from chat import views

urlpatterns = [
    path("", views.chat, name="chat"),
    path("<uuid:conversation_id>/", views.chat, name="chat-conversation"),
]
