"""The platform owner's view: one row for each tenant and day, rebuilt from the tenants' ledgers."""

from django.db import models


class DailyTotal(models.Model):
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.CASCADE, related_name="daily_totals")
    day = models.DateField()
    requests = models.PositiveIntegerField()
    input_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    cost_usd = models.DecimalField(max_digits=24, decimal_places=12)
    active_users = models.PositiveIntegerField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "day"], name="daily_total_once")]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.day}"
