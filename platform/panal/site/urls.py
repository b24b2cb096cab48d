from django.urls import path

from panal.site import views

urlpatterns = [
    path("", views.landing, name="landing"),
    path("sign-up/", views.sign_up, name="sign_up"),
    path("sign-up/address/", views.sign_up_address, name="sign_up_address"),
    path("sign-up/ready/<str:token>/", views.sign_up_ready, name="sign_up_ready"),
    path("find/", views.find_workspace, name="find_workspace"),
    path("robots.txt", views.robots, name="robots"),
]
