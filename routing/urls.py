from django.urls import path

from routing import api

urlpatterns = [path("models/", api.ModelsView.as_view(), name="api-models")]
