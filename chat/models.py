"""Conversations of one tenant: trees of messages, and the turns that wrote the answers."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from panal.kit.ids import uuid7
from tenants.people.models import User


class Conversation(models.Model):
    """Only its owner sees it. `active_leaf` is the last message of the branch being read."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=200, blank=True)
    title_is_manual = models.BooleanField(default=False)
    pinned = models.BooleanField(default=False)
    active_leaf = models.ForeignKey("Message", on_delete=models.SET_NULL, null=True, related_name="+")
    deleted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["owner", "-updated_at", "-id"], name="conversation_by_use"),
            models.Index(
                fields=["deleted_at"], condition=Q(deleted_at__isnull=False), name="conversation_deleted"
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(self.pk)


class Message(models.Model):
    """A prompt or an answer. `parent` is what it follows: siblings are branches.

    `sources` holds `{n, document_id, title, page, chunk_id}`; `usage` tokens by class; `cost_usd` US dollars.
    """

    class Role(models.TextChoices):
        USER = "user"
        ASSISTANT = "assistant"

    class Status(models.TextChoices):
        STREAMING = "streaming"
        COMPLETE = "complete"
        STOPPED = "stopped"
        INTERRUPTED = "interrupted"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="children")
    role = models.CharField(max_length=10, choices=Role)
    text = models.TextField(blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.COMPLETE)
    finish = models.CharField(max_length=20, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    model = models.CharField(max_length=200, blank=True)
    pool = models.CharField(max_length=20, blank=True)
    tier = models.CharField(max_length=20, blank=True)
    usage = models.JSONField(default=dict)
    cost_usd = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    sources = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.role}: {self.text[:40]}"


class Turn(models.Model):
    """One generation of one answer. `ask` is the request that started it; it starts once per `request_id`.

    `outline` is written at the end: the turn's frames with each delta replaced by its number of characters,
    so that a client may resume exactly even after the stream of frames has expired. `attempt` counts the
    processes that took the turn up; only the latest may store the answer.
    """

    class Status(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    question = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    answer = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="turn")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    token_id = models.UUIDField(null=True)
    token_scopes = ArrayField(models.CharField(max_length=20), null=True)
    request_id = models.CharField(max_length=100)
    ask = models.JSONField()
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
    attempt = models.PositiveIntegerField(default=0)
    outline = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "request_id"], name="turn_request_once"),
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(status="running"), name="turn_one_running"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} ({self.status})"
