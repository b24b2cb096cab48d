"""What every REST view stands on: the policy by method, the actor, cursor paging."""

from datetime import timedelta
from typing import Any, ClassVar, cast

from django.utils.dateparse import parse_datetime
from rest_framework import pagination
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
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
    """`{results, next, previous}`; `?limit=` up to 200. Every list is ordered by a time first."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    ordering: Any = "-created_at"

    def decode_cursor(self, request: Request) -> Any:
        """DRF hands the position on to the database as it came."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _is_moment(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


def _is_moment(position: str) -> bool:
    try:
        moment = parse_datetime(position)
    except ValueError:
        return False
    return moment is not None and moment.utcoffset() == timedelta(0)
