"""The knowledge API alone, for its schema."""

from django.urls import include, path

urlpatterns = [path("api/", include("knowledge.urls"))]
