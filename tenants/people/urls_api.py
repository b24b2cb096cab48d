from django.urls import path

from tenants.people import api

urlpatterns = [
    path("me/", api.Me.as_view(), name="api-me"),
    path("members/", api.Members.as_view(), name="api-members"),
    path("members/<uuid:user_id>/", api.Member.as_view(), name="api-member"),
    path("tokens/", api.Tokens.as_view(), name="api-tokens"),
    path("tokens/<uuid:token_id>/", api.Token.as_view(), name="api-token"),
]
