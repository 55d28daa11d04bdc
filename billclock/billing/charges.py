"""Charges: what a service cost for a period, how it came about, and what was taken back."""

from __future__ import annotations

from django.db import models

from billclock.billing.catalog import Price
from billclock.billing.clients import Account
from billclock.billing.provider import TaxRate


class ChargeKind(models.IntegerChoices):
    """What is charged. PERIOD, DAILY, HOURLY and PAUSE tile a service's time."""

    PERIOD = 1
    SETUP = 2
    ADDON = 3
    OVERAGE = 4
    DAILY = 5
    HOURLY = 6
    PAUSE = 7  # time that is not billed, such as a suspension for money


TILES = (ChargeKind.PERIOD, ChargeKind.DAILY, ChargeKind.HOURLY, ChargeKind.PAUSE)


class Charge(models.Model):
    """One charged period, `period_start` to the day before `period_end`, with the facts behind it.

    `list_minor` is the price before `discount_minor`; `net_minor` and `tax_minor` were posted.
    `quantity` counts units (1 for a period; hours; add-on units). `addon` is 0 for the service
    itself. Rows are only inserted: a correction reverses a charge and makes one of the next
    generation.
    """

    service = models.ForeignKey(
        "billing.Service", models.PROTECT, related_name="charges", db_constraint=False,
        db_index=False,
    )  # fmt: skip
    account = models.ForeignKey(
        Account, models.PROTECT, related_name="charges", db_constraint=False, db_index=False
    )
    kind = models.PositiveSmallIntegerField(choices=ChargeKind.choices)
    addon = models.BigIntegerField(default=0)
    period_start = models.DateField()
    period_end = models.DateField()
    generation = models.PositiveSmallIntegerField(default=0)
    price = models.ForeignKey(
        Price, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    quantity = models.BigIntegerField(default=1)
    list_minor = models.BigIntegerField()
    discount_minor = models.BigIntegerField(default=0)
    net_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField(default=0)
    tax_rate = models.ForeignKey(
        TaxRate, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )
    on = models.DateField()
    run = models.ForeignKey(
        "billing.JobRun", models.PROTECT, null=True, related_name="+", db_constraint=False,
        db_index=False,
    )  # fmt: skip

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("service", "kind", "addon", "period_start", "generation"),
                name="charge_once",
            ),
            models.CheckConstraint(
                condition=models.Q(net_minor__gte=0, tax_minor__gte=0), name="charge_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(period_end__gte=models.F("period_start")),
                name="charge_forward",
            ),
        )
        indexes = (
            models.Index(fields=("account", "on"), name="charge_of_account"),
            models.Index(fields=("kind", "id"), name="charge_by_kind"),
            models.Index(fields=("on",), name="charge_by_day"),
        )

    @property
    def total_minor(self) -> int:
        """Give what the account paid: net and tax."""
        return self.net_minor + self.tax_minor


class Reversal(models.Model):
    """A charge that was taken back, why, and on which business date."""

    charge = models.OneToOneField(Charge, models.PROTECT, related_name="reversal")
    on = models.DateField()
    why = models.CharField(max_length=200)
    by = models.CharField(max_length=254, blank=True)
