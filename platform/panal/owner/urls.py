from django.urls import include, path

from panal.owner import views

urlpatterns = [
    path("", views.platform, name="platform"),
    path("health/", views.health, name="platform_health"),
    path("", include("tenants.people.urls")),
]
