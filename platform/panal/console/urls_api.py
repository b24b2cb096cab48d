from django.urls import path

from panal.console.api import ChunkPassage

urlpatterns = [path("chunks/<uuid:chunk_id>/passage/", ChunkPassage.as_view(), name="api-passage")]
