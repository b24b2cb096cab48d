"""What every REST view stands on: the policy by method, the actor, cursor paging."""

from typing import Any, ClassVar, cast

from rest_framework import pagination
from rest_framework.views import APIView

from tenants.actors import Actor
from tenants.policy import Action


class PanalAPIView(APIView):
    """`policy` maps each HTTP method to the action it needs; `self.actor` is who asks."""

    policy: ClassVar[dict[str, Action]]

    @property
    def actor(self) -> Actor:
        return cast(Actor, self.request.auth)


class CursorPage(pagination.CursorPagination):
    """`{results, next, previous}`; `?limit=` up to 200."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    ordering: Any = "-created_at"
