"""Addresses of a workspace's host."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

handler404 = "panal.site.views.not_found"
handler500 = "panal.site.views.server_error"


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/chat/")


urlpatterns = [
    path("", home, name="home"),
    path("", include("tenants.people.urls")),
    path("chat/", include("chat.urls")),
    path("console/", include("panal.console.urls")),
    path("api/", include("panal.urls_api")),
    path("api/schema/", SpectacularAPIView.as_view(urlconf="panal.urls"), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="api-docs"),
]
