"""Mounted at the root of a workspace's host, and under `/platform/` of the base domain."""

from django.urls import path

from tenants.people import views

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("password/", views.password_forgotten, name="password_forgotten"),
    path("password/<uuid:user_id>/<str:token>/", views.password_choose, name="password_set"),
    path("welcome/<str:token>/", views.handover, name="handover"),
    path("profile/", views.profile, name="profile"),
    path("profile/password/", views.password_change, name="password_change"),
]
