"""Addresses of the base domain: the product's site, sign-up, and the platform owner's console."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

handler404 = "panal.site.views.not_found"
handler500 = "panal.site.views.server_error"

urlpatterns = [
    path("", include("panal.site.urls")),
    path("platform/", include("panal.owner.urls")),
    # A token alone names its workspace, but nobody signs in to the base domain's API: these answer 401.
    path("api/", include("panal.urls_api")),
    path("api/schema/", SpectacularAPIView.as_view(urlconf="panal.urls"), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="api-docs"),
]
