"""The REST API: one include for each app."""

from django.urls import include, path

urlpatterns = [
    path("", include("tenants.people.urls_api")),
    path("", include("billing.urls")),
    path("", include("routing.urls")),
    path("", include("knowledge.urls")),
    path("", include("chat.urls_api")),
    path("", include("panal.console.urls_api")),
]
