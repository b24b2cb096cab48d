"""`/api/me/`, `/api/members/` and `/api/tokens/`."""

from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from panal.kit.errors import NotFound
from tenants.api import CursorPage, PanalAPIView
from tenants.people import schema  # noqa: F401 - teaches the OpenAPI schema our authentication
from tenants.people.accounts import member_invite, member_remove, user_of
from tenants.people.models import ApiToken, User
from tenants.people.selectors import members_visible, tokens_visible
from tenants.people.services import (
    MEMBER_ROLES,
    member_add,
    member_set_active,
    member_set_role,
    token_create,
    token_revoke,
)
from tenants.policy import TOKEN_SCOPES, Action, can

ROLES = sorted(MEMBER_ROLES)


class MeSerializer(serializers.Serializer[dict[str, Any]]):
    id = serializers.UUIDField(allow_null=True)
    email = serializers.EmailField()
    name = serializers.CharField()
    role = serializers.CharField()
    workspace = serializers.CharField(help_text="The workspace's address.")
    plan = serializers.CharField()
    token_scopes = serializers.ListField(child=serializers.CharField(), allow_null=True)
    allowed = serializers.ListField(child=serializers.CharField(), help_text="Actions the policy allows.")


class MemberSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "email", "name", "role", "is_active", "created_at", "last_login"]
        read_only_fields = fields


class MemberAddSerializer(serializers.Serializer[dict[str, Any]]):
    email = serializers.EmailField(max_length=254)
    name = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    role = serializers.ChoiceField(choices=ROLES, default="member")


class MemberAddedSerializer(MemberSerializer):
    password_link = serializers.CharField(help_text="Where the person chooses a password. Shown once.")

    class Meta(MemberSerializer.Meta):
        fields = [*MemberSerializer.Meta.fields, "password_link"]


class MemberChangeSerializer(serializers.Serializer[dict[str, Any]]):
    role = serializers.ChoiceField(choices=ROLES, required=False)
    is_active = serializers.BooleanField(required=False)


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    user = serializers.EmailField(source="user.email")

    class Meta:
        model = ApiToken
        fields = ["id", "name", "prefix", "scopes", "user", "created_at", "expires_at", "last_used_at"]
        read_only_fields = fields


class TokenCreateSerializer(serializers.Serializer[dict[str, Any]]):
    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(TOKEN_SCOPES)), allow_empty=False
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class TokenCreatedSerializer(TokenSerializer):
    token = serializers.CharField(help_text="The token itself. It is never readable again.")

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "token"]


class MembersPage(CursorPage):
    ordering = ("created_at", "id")


class TokensPage(CursorPage):
    ordering = ("-created_at", "-id")


class Me(PanalAPIView):
    policy = {"GET": Action.SELF}

    @extend_schema(responses=MeSerializer, summary="Who am I", tags=["people"])
    def get(self, request: Request) -> Response:
        actor = self.actor
        return Response(
            {
                "id": actor.user_id,
                "email": actor.email,
                "name": actor.name,
                "role": actor.role,
                "workspace": actor.scope.slug,
                "plan": actor.scope.plan,
                "token_scopes": None if actor.token_scopes is None else sorted(actor.token_scopes),
                "allowed": [action.value for action in Action if can(actor, action)],
            }
        )


class Members(PanalAPIView):
    pagination_class = MembersPage  # read by the OpenAPI schema
    policy = {"GET": Action.MEMBERS_READ, "POST": Action.MEMBERS_MANAGE}

    @extend_schema(responses=MemberSerializer(many=True), summary="List members", tags=["people"])
    def get(self, request: Request) -> Response:
        pages = MembersPage()
        page = pages.paginate_queryset(members_visible(actor=self.actor), request, view=self)
        return pages.get_paginated_response(MemberSerializer(page, many=True).data)

    @extend_schema(
        request=MemberAddSerializer,
        responses={201: MemberAddedSerializer},
        summary="Add a member",
        tags=["people"],
    )
    def post(self, request: Request) -> Response:
        wanted = MemberAddSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        with transaction.atomic():
            user = member_add(actor=self.actor, **wanted.validated_data)
            link = member_invite(actor=self.actor, user=user, request=request._request)
        body = {**MemberSerializer(user).data, "password_link": link}
        return Response(body, status=status.HTTP_201_CREATED)


class Member(PanalAPIView):
    policy = {
        "GET": Action.MEMBERS_READ,
        "PATCH": Action.MEMBERS_MANAGE,
        "DELETE": Action.MEMBERS_MANAGE,
    }

    @extend_schema(responses=MemberSerializer, summary="One member", tags=["people"])
    def get(self, request: Request, user_id: UUID) -> Response:
        user = members_visible(actor=self.actor).filter(pk=user_id).first()
        if user is None:
            raise NotFound
        return Response(MemberSerializer(user).data)

    @extend_schema(
        request=MemberChangeSerializer,
        responses=MemberSerializer,
        summary="Change a member's role, suspend or restore",
        tags=["people"],
    )
    def patch(self, request: Request, user_id: UUID) -> Response:
        wanted = MemberChangeSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        with transaction.atomic():
            if "role" in wanted.validated_data:
                member_set_role(actor=self.actor, user_id=user_id, role=wanted.validated_data["role"])
            if "is_active" in wanted.validated_data:
                member_set_active(
                    actor=self.actor, user_id=user_id, active=wanted.validated_data["is_active"]
                )
        return self.get(request, user_id)

    @extend_schema(responses={204: None}, summary="Remove a member", tags=["people"])
    def delete(self, request: Request, user_id: UUID) -> Response:
        member_remove(actor=self.actor, user_id=user_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Tokens(PanalAPIView):
    pagination_class = TokensPage
    policy = {"GET": Action.TOKENS_OWN, "POST": Action.TOKENS_OWN}

    @extend_schema(responses=TokenSerializer(many=True), summary="List API tokens", tags=["people"])
    def get(self, request: Request) -> Response:
        pages = TokensPage()
        page = pages.paginate_queryset(tokens_visible(actor=self.actor), request, view=self)
        return pages.get_paginated_response(TokenSerializer(page, many=True).data)

    @extend_schema(
        request=TokenCreateSerializer,
        responses={201: TokenCreatedSerializer},
        summary="Create an API token of one's own",
        tags=["people"],
    )
    def post(self, request: Request) -> Response:
        wanted = TokenCreateSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        row, raw = token_create(user=user_of(self.actor), **wanted.validated_data)
        return Response({**TokenSerializer(row).data, "token": raw}, status=status.HTTP_201_CREATED)


class Token(PanalAPIView):
    policy = {"DELETE": Action.TOKENS_OWN}

    @extend_schema(responses={204: None}, summary="Revoke an API token", tags=["people"])
    def delete(self, request: Request, token_id: UUID) -> Response:
        token_revoke(actor=self.actor, token_id=token_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
