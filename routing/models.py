"""Providers and models. Rows in the public schema belong to the platform, rows in a tenant's schema to it alone."""

from django.db import models

from panal.kit.ids import uuid7
from routing.offers import POOLS

WIRES = ("ollama", "openai")
KINDS = ("chat", "embedding", "image", "speech", "transcription", "video")
TIERS = ("standard", "premium")


class Provider(models.Model):
    """A server that speaks one wire format. `sealed_key` is encrypted and never leaves the server.

    Rows `from_environment` follow the environment at every start; their key stays there.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    wire = models.CharField(max_length=20, choices=[(wire, wire) for wire in WIRES])
    base_url = models.URLField(max_length=500)
    sealed_key = models.BinaryField(null=True)
    pool = models.CharField(max_length=20, choices=[(pool, pool) for pool in POOLS])
    enabled = models.BooleanField(default=True)
    from_environment = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug

    @property
    def key_context(self) -> str:
        """Where the key is used, for the vault."""
        return f"routing.provider.key|{self.pk}"


class Model(models.Model):
    """A model one provider offers. Prices are US dollars per million tokens, context is tokens."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    provider = models.ForeignKey(Provider, on_delete=models.CASCADE, related_name="models")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=[(kind, kind) for kind in KINDS], default="chat")
    tier = models.CharField(max_length=20, choices=[(tier, tier) for tier in TIERS], default="standard")
    context = models.PositiveIntegerField(default=8192)
    input_price = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    output_price = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "name"], name="routing_model_once_per_provider")
        ]

    def __str__(self) -> str:
        return self.name
