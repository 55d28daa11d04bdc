"""What is sold: product types, products, prices by period and currency, add-ons, discounts."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from django.db import models
from django.db.models import Q

from billclock.billing.clients import Account, ClientGroup
from billclock.billing.currencies import Currency
from billclock.billing.provider import Company, Department, Provider


class Cycle(models.IntegerChoices):
    """How a product's time is billed."""

    PERIODIC = 1  # from the order's day
    CALENDAR = 2  # to the 1st of a month
    DAILY = 3  # a day's share of the month's price, each business date
    HOURLY = 4  # a price an hour, times the hours of each business date


class Module(models.Model):
    """A processing module: the plugin that makes a service on some machine, and its settings.

    `balance_least_micro` is the balance of the reseller's account below which somebody is told.
    """

    code = models.SlugField(max_length=40, unique=True)
    plugin = models.CharField(max_length=40, default="manual")
    settings = models.JSONField(default=dict)
    department = models.ForeignKey(Department, models.PROTECT, null=True, related_name="+")
    balance_least_micro = models.BigIntegerField(null=True)
    active = models.BooleanField(default=True)


class ProductType(models.Model):
    """A kind of product. Renewal money goes to the type with the higher `priority` first.

    `deletion_days` after a suspension for money the service is closed, null for never.
    `by_months` recognises a long period's price month by month. `returns_unused`: who closes a
    service early is given the days back that he did not use.
    """

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    priority = models.SmallIntegerField(default=0)
    deletion_days = models.PositiveSmallIntegerField(null=True)
    by_months = models.BooleanField(default=False)
    bills_suspended = models.BooleanField(default=False)
    domain = models.BooleanField(default=False)
    returns_unused = models.BooleanField(default=True, db_default=True)


class Product(models.Model):
    """A tariff. Its periodic and calendar prices are for a number of months (Price.months).

    `prorata_day`: a calendar order before that day runs to the end of the month, else to the end
    of the next. `grace_days` and `deletion_days` override provider and type.
    """

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    type = models.ForeignKey(ProductType, models.PROTECT, related_name="products")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="products")
    company = models.ForeignKey(Company, models.PROTECT, related_name="+")
    module = models.ForeignKey(Module, models.PROTECT, null=True, related_name="products")
    cycle = models.PositiveSmallIntegerField(choices=Cycle.choices, default=Cycle.PERIODIC)
    prorata_day = models.PositiveSmallIntegerField(default=15)
    grace_days = models.PositiveSmallIntegerField(null=True)
    deletion_days = models.PositiveSmallIntegerField(null=True)
    orderable = models.BooleanField(default=True)


class PriceQuerySet(models.QuerySet["Price"]):
    """Questions about prices."""

    def valid(self, on: date, *, renewal: bool = True) -> PriceQuerySet:
        """Give the price of each product, currency and period on a date.

        For renewals a price holds from `valid_from_existing` on, else from `valid_from`.
        """
        field = "valid_from_existing" if renewal else "valid_from"
        later = Price.objects.filter(
            Q(**{f"{field}__gt": models.OuterRef(field)})
            | Q(**{field: models.OuterRef(field), "id__gt": models.OuterRef("id")}),
            product=models.OuterRef("product"),
            currency=models.OuterRef("currency"),
            months=models.OuterRef("months"),
            addon=models.OuterRef("addon"),
            **{f"{field}__lte": on},
        )
        return self.filter(~models.Exists(later), **{f"{field}__lte": on})


class Price(models.Model):
    """What a product, or an add-on of it, costs in a currency for a period, from a day on.

    `months` is 0 for the hourly price, which is the only one in `unit_micro`; a daily product has
    the price of a month (months=1). For an add-on `amount_minor` is the price of one unit for the
    period, `unit_micro` that of one unit over what is included. `addon` is 0 for the product.
    Rows never change: a new price is a new row, and a charge names the one it used.
    """

    product = models.ForeignKey(Product, models.PROTECT, related_name="prices")
    addon = models.BigIntegerField(default=0)
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", db_index=False)
    months = models.PositiveSmallIntegerField()
    amount_minor = models.BigIntegerField(default=0)
    unit_micro = models.BigIntegerField(default=0)
    setup_minor = models.BigIntegerField(default=0)
    valid_from = models.DateField()
    valid_from_existing = models.DateField()

    objects: ClassVar[PriceQuerySet] = PriceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("product", "addon", "currency", "months", "valid_from"), name="price_once"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gte=0, unit_micro__gte=0, setup_minor__gte=0),
                name="price_not_negative",
            ),
        )


class AddOn(models.Model):
    """Something one may have more of: disk, an IP address, a panel licence.

    `included` units cost nothing, `most` is the limit at which the service is stopped (null: none).
    """

    class Billing(models.IntegerChoices):
        FREE = 1  # never billed
        ORDERED = 2  # by the ordered amount, with the period
        USED = 3  # what was used over `included`, at the overage price, daily
        PEAK = 4  # the period's highest use over `included`, at its end
        ONCE = 5  # once, when it is ordered

    product = models.ForeignKey(Product, models.PROTECT, related_name="addons")
    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=200)
    billing = models.PositiveSmallIntegerField(choices=Billing.choices, default=Billing.ORDERED)
    unit = models.CharField(max_length=20, blank=True)
    included = models.BigIntegerField(default=0)
    most = models.BigIntegerField(null=True)
    choices = models.JSONField(default=list)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("product", "code"), name="addon_once"),)


class Discount(models.Model):
    """A share off for clients of a group (null: all) on products of a type (null: all).

    Of the discounts that fit, the largest counts alone; the share is in millionths.
    """

    name = models.CharField(max_length=100)
    group = models.ForeignKey(ClientGroup, models.PROTECT, null=True, related_name="discounts")
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="discounts")
    type = models.ForeignKey(ProductType, models.PROTECT, null=True, related_name="+")
    ppm = models.PositiveIntegerField()
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)


class PromoCode(models.Model):
    """A code one gives with an order: a share off for the first `periods` periods."""

    code = models.CharField(max_length=40, unique=True)
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="promo_codes")
    ppm = models.PositiveIntegerField()
    periods = models.PositiveSmallIntegerField(default=1)
    most_uses = models.PositiveIntegerField(null=True)
    uses = models.PositiveIntegerField(default=0)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
