"""Clients: who they are, their accounts at a provider, the people who speak for them."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from billclock.billing.currencies import Currency
from billclock.billing.provider import Company, Provider


class ClientGroup(models.Model):
    """Clients to whom the same terms apply."""

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="groups")
    name = models.CharField(max_length=100)
    never_suspended = models.BooleanField(default=False)


class Client(models.Model):
    """A customer, whatever accounts he has; `number` is his name towards the outside."""

    class Kind(models.IntegerChoices):
        INDIVIDUAL = 1
        COMPANY = 2
        SOLE_TRADER = 3

    number = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=200)
    kind = models.PositiveSmallIntegerField(choices=Kind.choices, default=Kind.INDIVIDUAL)
    country = models.CharField(max_length=2, blank=True)
    registered_on = models.DateField()
    never_suspended = models.BooleanField(default=False)
    analytics_id = models.CharField(max_length=64, blank=True)
    closed = models.BooleanField(default=False)


class Contact(models.Model):
    """A user of a client: where he is reached, in which language; what he subscribed to."""

    client = models.ForeignKey(Client, models.PROTECT, related_name="contacts")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=20, blank=True)
    phone_verified_at = models.DateTimeField(null=True)
    sms = models.BooleanField(default=False)
    language = models.CharField(max_length=8, default="en")


class Payer(models.Model):
    """To whom invoices are made out; a checked tax number of another country turns the tax over."""

    client = models.ForeignKey(Client, models.PROTECT, related_name="payers")
    kind = models.PositiveSmallIntegerField(
        choices=Client.Kind.choices, default=Client.Kind.INDIVIDUAL
    )
    name = models.CharField(max_length=200)
    address = models.TextField(blank=True)
    country = models.CharField(max_length=2, blank=True)
    tax_number = models.CharField(max_length=40, blank=True)
    tax_number_checked_at = models.DateTimeField(null=True)
    iban = models.CharField(max_length=34, blank=True)


class AccountQuerySet(models.QuerySet["Account"]):
    """Questions about accounts."""

    def postpaid(self) -> AccountQuerySet:
        """Keep those that pay afterwards."""
        return self.filter(kind=Account.Kind.POSTPAID)


class Account(models.Model):
    """A client's account at a provider: its money lies in a ledger account of the same key.

    `tax_area` and `reverse_charge` follow from company and payer and are set with them.
    `credit_blocked` takes the credit limit away while a debt is overdue. `autopay_most_minor` is
    the most that top-ups may take within a sliding month, null for no limit.
    """

    class Kind(models.IntegerChoices):
        PREPAID = 1
        CREDIT = 2
        POSTPAID = 3

    funds = models.OneToOneField(
        "billing.LedgerAccount", models.PROTECT, primary_key=True, related_name="holder"
    )
    number = models.CharField(max_length=20, unique=True)
    client = models.ForeignKey(Client, models.PROTECT, related_name="accounts")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="accounts")
    company = models.ForeignKey(Company, models.PROTECT, related_name="+", db_index=False)
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", db_index=False)
    group = models.ForeignKey(ClientGroup, models.PROTECT, null=True, related_name="accounts")
    payer = models.ForeignKey(Payer, models.PROTECT, null=True, related_name="+", db_index=False)
    kind = models.PositiveSmallIntegerField(choices=Kind.choices, default=Kind.PREPAID)
    credit_due_days = models.PositiveSmallIntegerField(default=30)
    credit_blocked = models.BooleanField(default=False)
    tax_area = models.CharField(max_length=20, blank=True)
    reverse_charge = models.BooleanField(default=False)
    autopay = models.ForeignKey(
        "billing.StoredMethod", models.PROTECT, null=True, related_name="+", db_index=False
    )
    autopay_most_minor = models.BigIntegerField(null=True)
    never_suspended = models.BooleanField(default=False)

    objects: ClassVar[AccountQuerySet] = AccountQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("client", "provider", "currency"), name="account_once"),
        )
        indexes = (
            models.Index(fields=("provider",), name="account_owing", condition=Q(kind__in=(2, 3))),
        )
