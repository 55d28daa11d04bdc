"""Sellers: providers, the companies they invoice by, and what taxes they take."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from zoneinfo import ZoneInfo

from django.db import models

from billclock import clock
from billclock.billing.currencies import Currency

LOW_MONEY_DAYS = (10, 5, 4, 3, 2, 1, 0)
EXPIRY_DAYS = (5, 4, 3, 2, 1, 0)
"""Days before which letters go out: the panel's LowMoneyNoticePeriod, LowMoneyExpirePeriod."""


def low_money_days() -> list[int]:
    """Give the default days of low-money letters."""
    return list(LOW_MONEY_DAYS)


def expiry_days() -> list[int]:
    """Give the default days of expiry letters."""
    return list(EXPIRY_DAYS)


class Provider(models.Model):
    """A seller with its zone, language and terms; every job does its work by provider.

    `grace_days` run from the day the client was told that his service was not renewed. A share is
    in millionths: an effect on more of the objects than that stops a run until it is confirmed.
    """

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+")
    zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=8, default="en")
    site = models.URLField(blank=True)
    notice_email = models.EmailField(blank=True)
    support_email = models.EmailField(blank=True)
    low_money_days = models.JSONField(default=low_money_days)
    expiry_days = models.JSONField(default=expiry_days)
    grace_days = models.PositiveSmallIntegerField(default=3)
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    holidays = models.JSONField(default=list)
    automatic_invoices = models.BooleanField(default=False)
    invoices_for_credit = models.BooleanField(default=True)
    deletes_suspended = models.BooleanField(default=False)
    most_days_forward = models.PositiveSmallIntegerField(default=7)
    most_suspended_ppm = models.PositiveIntegerField(default=30_000)
    most_priced_ppm = models.PositiveIntegerField(default=500_000)
    active = models.BooleanField(default=True)

    def today(self) -> date:
        """Give the provider's local date, which is the business date of what runs now."""
        return clock.today(ZoneInfo(self.zone))


class Closing(models.TextChoices):
    """When an invoice is closed by itself."""

    NEVER = "never"
    DAYS = "days"
    PAID = "paid"
    SIGNED = "signed"


class Company(models.Model):
    """A legal entity of a provider: whose name, address and numbers stand on an invoice.

    `prices_gross` says that its price lists contain the tax. `tax_by_line` rounds an invoice's tax
    at each line instead of once a rate.
    """

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="companies")
    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    address = models.TextField(blank=True)
    tax_number = models.CharField(max_length=40, blank=True)
    registration = models.CharField(max_length=100, blank=True)
    bank = models.JSONField(default=dict)
    prices_gross = models.BooleanField(default=False)
    tax_by_line = models.BooleanField(default=False)
    number_template = models.CharField(max_length=60, default="{year}-{number:06}")
    due_days = models.PositiveSmallIntegerField(default=14)
    closing = models.CharField(max_length=8, choices=Closing.choices, default=Closing.NEVER)
    closing_days = models.PositiveSmallIntegerField(default=30)


class TaxRateQuerySet(models.QuerySet["TaxRate"]):
    """Questions about tax rates."""

    def valid(self, on: date) -> TaxRateQuerySet:
        """Give each area's rate of a date, the latest that began by then."""
        later = TaxRate.objects.filter(
            area=models.OuterRef("area"),
            valid_from__gt=models.OuterRef("valid_from"),
            valid_from__lte=on,
        )
        return self.filter(~models.Exists(later), valid_from__lte=on)


class TaxRate(models.Model):
    """The tax of an area (a country, or a country and a kind) from a day on, in millionths."""

    area = models.CharField(max_length=20)
    ppm = models.PositiveIntegerField()
    valid_from = models.DateField()
    name = models.CharField(max_length=60, blank=True)

    objects: ClassVar[models.Manager[TaxRate]] = TaxRateQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("area", "valid_from"), name="tax_rate_once"),
        )


class Department(models.Model):
    """The people who answer for something, and where they read."""

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="departments")
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
