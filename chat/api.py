"""`/api/conversations/`: one's own conversations and their messages."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from chat import selectors, services
from chat.models import Conversation, Message
from tenants.api import CursorPage, PanalAPIView
from tenants.policy import Action


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    """`running_turn` is the turn being answered now: follow it with `resume`."""

    running_turn = serializers.UUIDField(allow_null=True, read_only=True)

    class Meta:
        model = Conversation
        fields = ["id", "title", "pinned", "updated_at", "running_turn"]


class ConversationDetailSerializer(ConversationSerializer):
    active_leaf = serializers.UUIDField(source="active_leaf_id", allow_null=True)

    class Meta(ConversationSerializer.Meta):
        fields = ["id", "title", "pinned", "active_leaf", "running_turn"]


class ConversationChange(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=200, required=False)
    pinned = serializers.BooleanField(required=False)
    active_leaf = serializers.UUIDField(required=False)


class MessageSerializer(serializers.ModelSerializer[Message]):
    turn_id = serializers.SerializerMethodField()
    cost_usd = serializers.DecimalField(max_digits=24, decimal_places=12, allow_null=True)

    class Meta:
        model = Message
        fields = [
            "id", "parent_id", "role", "text", "status", "finish", "error_code", "model", "pool", "tier",
            "usage", "cost_usd", "sources", "turn_id", "created_at",
        ]  # fmt: skip

    def get_turn_id(self, message: Message) -> UUID | None:
        turn = getattr(message, "turn", None)
        return None if turn is None else turn.pk


class MessageTree(serializers.Serializer[Any]):
    results = MessageSerializer(many=True)


class ConversationPage(CursorPage):
    ordering = ("-updated_at", "-id")


SEARCH = OpenApiParameter("search", str, description="words of the title")


@extend_schema(parameters=[SEARCH])
class ConversationsView(PanalAPIView, generics.ListAPIView[Conversation]):
    policy: ClassVar = {"GET": Action.CHAT_READ}
    serializer_class = ConversationSerializer
    pagination_class = ConversationPage
    queryset = Conversation.objects.none()

    def get_queryset(self) -> Any:
        search = self.request.GET.get("search", "").replace("\x00", "").strip()
        return selectors.conversations_of(actor=self.actor, search=search[:200])


class ConversationView(PanalAPIView):
    policy: ClassVar = {"GET": Action.CHAT_READ, "PATCH": Action.CHAT, "DELETE": Action.CHAT}

    @extend_schema(responses=ConversationDetailSerializer)
    def get(self, request: Request, conversation_id: UUID) -> Response:
        return self._answer(conversation_id)

    @extend_schema(request=ConversationChange, responses=ConversationDetailSerializer)
    def patch(self, request: Request, conversation_id: UUID) -> Response:
        change = ConversationChange(data=request.data)
        change.is_valid(raise_exception=True)
        services.conversation_update(
            actor=self.actor,
            conversation_id=conversation_id,
            title=change.validated_data.get("title"),
            pinned=change.validated_data.get("pinned"),
            active_leaf=change.validated_data.get("active_leaf"),
        )
        return self._answer(conversation_id)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, conversation_id: UUID) -> Response:
        services.conversation_delete(actor=self.actor, conversation_id=conversation_id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _answer(self, conversation_id: UUID) -> Response:
        found = selectors.conversation_get(actor=self.actor, conversation_id=conversation_id)
        return Response(ConversationDetailSerializer(found).data)


class ConversationRestoreView(PanalAPIView):
    policy: ClassVar = {"POST": Action.CHAT}

    @extend_schema(request=None, responses=ConversationDetailSerializer)
    def post(self, request: Request, conversation_id: UUID) -> Response:
        services.conversation_restore(actor=self.actor, conversation_id=conversation_id)
        found = selectors.conversation_get(actor=self.actor, conversation_id=conversation_id)
        return Response(ConversationDetailSerializer(found).data)


class MessagesView(PanalAPIView):
    policy: ClassVar = {"GET": Action.CHAT_READ}

    @extend_schema(responses=MessageTree)
    def get(self, request: Request, conversation_id: UUID) -> Response:
        """The whole tree, oldest first: siblings are branches."""
        messages = selectors.messages_of(actor=self.actor, conversation_id=conversation_id)
        return Response({"results": MessageSerializer(messages, many=True).data})
