"""The ledger of one tenant: what every provider call used and cost. Rows are added, never changed."""

from typing import Any

from django.db import models

from billing.vocabulary import CallStatus
from panal.kit.ids import uuid7


class CallFields(models.Model):
    """What is known when a call starts. Names instead of foreign keys: the ledger outlives what it names."""

    event_id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request_id = models.UUIDField()
    feature = models.CharField(max_length=30)
    user_id = models.UUIDField(null=True)
    token_id = models.UUIDField(null=True)
    conversation_id = models.UUIDField(null=True)
    provider = models.CharField(max_length=60)
    model = models.CharField(max_length=200)
    pool = models.CharField(max_length=20)
    tier = models.CharField(max_length=20)
    input_price = models.DecimalField(max_digits=20, decimal_places=8)  # US dollars per million tokens
    output_price = models.DecimalField(max_digits=20, decimal_places=8)
    started_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.model} {self.event_id}"


class OpenCall(CallFields):
    """A call in flight, written before the provider is called so that a killed process leaves a trace."""

    lease_until = models.DateTimeField(db_index=True)


class UsageEvent(CallFields):
    """One finished provider call."""

    status = models.CharField(max_length=12, choices=[(status, status) for status in CallStatus])
    error_code = models.CharField(max_length=60, blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    reasoning_tokens = models.PositiveIntegerField(default=0)
    usage_source = models.CharField(max_length=12)
    cost_usd = models.DecimalField(max_digits=24, decimal_places=12)
    first_token_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField()

    class Meta:
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["started_at", "event_id"], name="usage_by_time")]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("ledger rows are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("ledger rows are never removed")
