"""Services: what a client has, until when it is paid, why it is stopped, what was done to it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from billclock.billing.catalog import AddOn, Module, Product
from billclock.billing.clients import Account
from billclock.billing.ledger import LedgerAccount
from billclock.billing.provider import Department


class Status(models.IntegerChoices):
    """A service's state, with the panel's numbers."""

    ORDERED = 1
    ACTIVE = 2
    STOPPED = 3
    DELETED = 4
    IN_PROGRESS = 5


class Reason(models.IntegerChoices):
    """Why a service is stopped: a set, kept as the sum of these in Service.stopped_for."""

    MONEY = 1
    ADDON = 2
    ABUSE = 4
    STAFF = 8
    CLIENT = 16
    EXPIRED = 32


IDLE = Reason.MONEY | Reason.EXPIRED
"""A service stopped for one of these has no time to bill, unless its type says otherwise."""


def _status_in(these: str) -> RawSQL:
    """Write a condition on services with its values in it, as an index of a part has them."""
    said = f'"billing_service"."status" IN {these}'
    return RawSQL(said, (), output_field=models.BooleanField())  # noqa: S611 - our own words


class ServiceQuerySet(models.QuerySet["Service"]):
    """Questions about services."""

    def open(self) -> ServiceQuerySet:
        """Keep those that are or may run: neither ordered only nor deleted."""
        return self.filter(status__in=(Status.ACTIVE, Status.STOPPED, Status.IN_PROGRESS))

    def of(self, *accounts: int) -> ServiceQuerySet:
        """Keep all services of accounts, named by key: by the indexes of open and other ones.

        SQLite finds these by their very words only, and not from within another query.
        """
        mine = Q(account__in=accounts)
        return self.filter(mine & Q(_status_in("(2, 3, 5)")) | mine & Q(_status_in("(1, 4)")))


class Service(models.Model):
    """A product that an account has. It is paid for all days before `paid_until`.

    `months` is the period it renews by (1 for daily, 0 for hourly products, as Price.months).
    `discount_ppm` is its own discount, in force until `discount_until` (null: for good).
    `unfunded_since` is the business date on which a renewal first found no money; null otherwise.
    `held_until`: billing leaves it alone before that date; `never_suspended`: nothing stops it by
    itself. `generation` rises when a charge of a period is taken back and charged again.
    """

    number = models.CharField(max_length=20, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="services", db_index=False)
    product = models.ForeignKey(Product, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200, blank=True)
    status = models.PositiveSmallIntegerField(choices=Status.choices, default=Status.ORDERED)
    months = models.PositiveSmallIntegerField(default=1)
    anchor_day = models.PositiveSmallIntegerField()
    opened_on = models.DateField()
    paid_until = models.DateField()
    auto_renew = models.BooleanField(default=True)
    stored_method = models.ForeignKey(
        "billing.StoredMethod", models.PROTECT, null=True, related_name="+", db_index=False
    )
    discount_ppm = models.PositiveIntegerField(default=0)
    discount_until = models.DateField(null=True)
    generation = models.PositiveSmallIntegerField(default=0)
    stopped_for = models.PositiveSmallIntegerField(default=0)
    unfunded_since = models.DateField(null=True)
    held_until = models.DateField(null=True)
    never_suspended = models.BooleanField(default=False, db_default=False)
    updates_until = models.DateField(null=True)
    closed_on = models.DateField(null=True)
    parameters = models.JSONField(default=dict)

    objects: ClassVar[ServiceQuerySet] = ServiceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = (
            models.Index(
                fields=("account", "paid_until"),
                name="service_by_end",
                condition=Q(status__in=(2, 3, 5)),
            ),
            models.Index(
                fields=("account",), name="service_not_open", condition=Q(status__in=(1, 4))
            ),
            models.Index(
                fields=("unfunded_since",),
                name="service_unfunded",
                condition=Q(unfunded_since__isnull=False),
            ),
            models.Index(fields=("id",), name="service_stopped", condition=Q(stopped_for__gt=0)),
            models.Index(
                fields=("paid_until",),
                name="service_ending",
                condition=Q(auto_renew=False, status__in=(2, 3, 5)),
            ),
        )


class ServiceAddOn(models.Model):
    """How much of an add-on a service has; `used` is the last reading, `peak` the period's most.

    `read_at` is that reading's moment. `peak` counts from `peak_from` and is charged on
    `peak_until` (null where no paid period runs, or none was looked at yet).
    """

    service = models.ForeignKey(Service, models.CASCADE, related_name="addons", db_index=False)
    addon = models.ForeignKey(AddOn, models.PROTECT, related_name="+")
    quantity = models.BigIntegerField(default=0)
    used = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(null=True)
    peak = models.BigIntegerField(default=0)
    peak_from = models.DateField(null=True)
    peak_until = models.DateField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("service", "addon"), name="service_addon_once"),
        )


class Reading(models.Model):
    """How much of an add-on a service had in use at a moment, on a date of its provider's."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="readings", db_index=False)
    addon = models.ForeignKey(AddOn, models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    on = models.DateField()
    amount = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("service", "addon", "at"), name="reading_once"),
        )


class Outcome(models.IntegerChoices):
    """What billing decided for a service on a date."""

    RENEWED = 1
    UNFUNDED = 2
    NO_AUTO_RENEWAL = 3
    HELD = 4
    PARKED = 5
    NOT_PRICED = 6
    PAYMENT_IN_FLIGHT = 7
    OVER_MOST = 8  # an add-on: `need_minor` units were in use, `available_minor` are the most


class Verdict(models.Model):
    """A decision with the numbers it saw: what was needed, what the account could pay.

    Days without a row were not due: the charge before says until when. Rows are only inserted;
    `sequence` counts further decisions of one date (paid in the afternoon).
    """

    service = models.ForeignKey(
        Service, models.PROTECT, related_name="verdicts", db_constraint=False, db_index=False
    )
    on = models.DateField()
    sequence = models.PositiveSmallIntegerField(default=0)
    outcome = models.PositiveSmallIntegerField(choices=Outcome.choices)
    need_minor = models.BigIntegerField(default=0)
    available_minor = models.BigIntegerField(default=0)
    run = models.ForeignKey(
        "billing.JobRun", models.PROTECT, null=True, related_name="+", db_constraint=False,
        db_index=False,
    )  # fmt: skip

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("service", "on", "sequence"), name="verdict_once"),
        )


class Suspension(models.Model):
    """A stop of a service for one reason, with the verdict behind it, until it was lifted."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="suspensions")
    reason = models.PositiveSmallIntegerField(choices=Reason.choices)
    on = models.DateField()
    verdict = models.ForeignKey(
        Verdict, models.PROTECT, null=True, related_name="+", db_index=False
    )
    by = models.CharField(max_length=254, blank=True)
    lifted_on = models.DateField(null=True)
    lifted_why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("service", "reason"),
                condition=Q(lifted_on__isnull=True),
                name="suspension_once",
            ),
        )


class RenewalSwitch(models.Model):
    """A change of a service's automatic renewal: who, when, why."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="renewal_switches")
    on = models.BooleanField()
    at = models.DateTimeField()
    by = models.CharField(max_length=254)
    why = models.CharField(max_length=200, blank=True)


class Operation(models.Model):
    """Something a processing module has to do with a service: tried again, then a task for staff.

    `cause` names the decision behind it, so that one decision makes one operation.
    """

    class Action(models.TextChoices):
        OPEN = "open"
        SUSPEND = "suspend"
        RESUME = "resume"
        CLOSE = "close"
        CHANGE = "change"

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        GIVEN_UP = "given up"
        DROPPED = "dropped"

    service = models.ForeignKey(Service, models.PROTECT, related_name="operations")
    module = models.ForeignKey(Module, models.PROTECT, null=True, related_name="+", db_index=False)
    action = models.CharField(max_length=10, choices=Action.choices)
    cause = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_try = models.DateTimeField()
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("service", "action", "cause"), name="operation_once"),
        )
        indexes = (
            models.Index(
                fields=("next_try",),
                name="operation_open",
                condition=Q(state__in=("queued", "running")),
            ),
        )


class Task(models.Model):
    """Work for a person: what, about which service, since when, by whom it was done."""

    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    service = models.ForeignKey(Service, models.PROTECT, null=True, related_name="tasks")
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="tasks")
    department = models.ForeignKey(Department, models.PROTECT, null=True, related_name="+")
    key = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.CharField(max_length=254, blank=True)


def lock(service: Service) -> Service:
    """Lock a service's account and the service, and give it as it is now: the start of every act.

    The account's row in the ledger comes first in every transaction, so that no two acts wait for
    each other.
    """
    LedgerAccount.objects.select_for_update().get(pk=service.account_id)
    locked = Service.objects.select_for_update(of=("self",))
    related = ("account__funds", "account__provider", "account__client", "product__type")
    return locked.select_related(*related, "product__company", "product__module").get(pk=service.pk)
