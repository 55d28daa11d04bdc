"""Payments: methods, stored methods, payments, their attempts, what gateways told us."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from billclock import clock
from billclock.billing.clients import Account, Client
from billclock.billing.currencies import Currency
from billclock.billing.invoices import Invoice
from billclock.billing.ledger import LedgerAccount
from billclock.billing.provider import Company, Provider


class PaymentMethod(models.Model):
    """A way to pay at a provider: a plugin with its settings. `settings` may hold secrets."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=100)
    plugin = models.CharField(max_length=40)
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="payment_methods")
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", db_index=False)
    settings = models.JSONField(default=dict)
    least_minor = models.BigIntegerField(default=0)
    order = models.SmallIntegerField(default=0)
    active = models.BooleanField(default=True)


class StoredMethod(models.Model):
    """A client's saved card or mandate at a gateway, with the panel's states."""

    class State(models.IntegerChoices):
        SETTING_UP = 3
        USABLE = 4
        DISABLED = 5
        SETTING_UP_AGAIN = 6
        FAILED = 10

    client = models.ForeignKey(Client, models.PROTECT, related_name="stored_methods")
    method = models.ForeignKey(PaymentMethod, models.PROTECT, related_name="+", db_index=False)
    state = models.PositiveSmallIntegerField(choices=State.choices, default=State.SETTING_UP)
    state_before = models.PositiveSmallIntegerField(choices=State.choices, null=True)
    changed_at = models.DateTimeField()
    token = models.CharField(max_length=200, blank=True)
    setup_key = models.CharField(max_length=80, unique=True)
    gateway_account = models.CharField(max_length=120, blank=True)
    setup_id = models.CharField(max_length=120, blank=True)
    masked = models.CharField(max_length=40, blank=True)
    expires_on = models.DateField(null=True)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("changed_at",), name="stored_method_unfinished",
                condition=Q(state__in=(3, 6)),
            ),
        )  # fmt: skip


class Payment(models.Model):
    """Money a client means to pay, is paying or has paid, with the panel's states.

    `key` names what it is for, so that there is one (a top-up of a forecast period, an invoice's
    retry slot). `service` makes the renewal follow at once.
    """

    class State(models.IntegerChoices):
        NEW = 1
        IN_PROGRESS = 2
        PLEDGED = 3
        CREDITED = 4
        RETURNING = 5
        RETURNED = 6
        FRAUD = 7
        CANCELLED = 9

    class Purpose(models.TextChoices):
        TOP_UP = "top-up"
        INVOICE = "invoice"
        RENEWAL = "renewal"
        OTHER = "other"

    key = models.CharField(max_length=120, unique=True)
    number = models.CharField(max_length=40, unique=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="payments")
    method = models.ForeignKey(PaymentMethod, models.PROTECT, related_name="+", db_index=False)
    stored = models.ForeignKey(
        StoredMethod, models.PROTECT, null=True, related_name="+", db_index=False
    )
    invoice = models.ForeignKey(Invoice, models.PROTECT, null=True, related_name="payments")
    purpose = models.CharField(max_length=10, choices=Purpose.choices, default=Purpose.OTHER)
    state = models.PositiveSmallIntegerField(choices=State.choices, default=State.NEW)
    amount_minor = models.BigIntegerField()
    refunded_minor = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    created_on = models.DateField()
    credited_on = models.DateField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_on = models.DateField(null=True)
    decline = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_above_0"),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0, refunded_minor__lte=models.F("amount_minor")),
                name="payment_refund_within",
            ),
        )
        indexes = (
            models.Index(
                fields=("next_try_on",), name="payment_retry", condition=Q(state__in=(1, 2))
            ),
            models.Index(fields=("state", "id"), name="payment_by_state"),
            models.Index(fields=("method", "id"), name="payment_by_method"),
            models.Index(fields=("purpose", "id"), name="payment_by_purpose"),
            models.Index(fields=("created_on",), name="payment_by_day"),
        )

    @property
    def in_flight(self) -> bool:
        """Tell whether a request about it is not known to be over."""
        return self.attempts.filter(state__in=IN_FLIGHT).exists()


class Attempt(models.Model):
    """One request to a gateway, written with its idempotency key before the gateway is called."""

    class Action(models.TextChoices):
        CHARGE = "charge"
        REFUND = "refund"

    class State(models.TextChoices):
        CREATED = "created"
        SENT = "sent"
        PENDING = "pending"
        UNKNOWN = "unknown"
        CAPTURED = "captured"
        DECLINED = "declined"
        ABANDONED = "abandoned"

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    action = models.CharField(max_length=8, choices=Action.choices, default=Action.CHARGE)
    key = models.CharField(max_length=80, unique=True)
    amount_minor = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.CREATED)
    gateway_id = models.CharField(max_length=120, blank=True)
    decline = models.CharField(max_length=40, blank=True)
    told = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    asked_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("payment",),
                condition=Q(state__in=("created", "sent", "pending", "unknown")),
                name="attempt_one_in_flight",
            ),
            models.UniqueConstraint(fields=("payment", "action", "number"), name="attempt_once"),
        )
        indexes = (
            models.Index(
                fields=("created_at",),
                name="attempt_open",
                condition=Q(state__in=("created", "sent", "pending", "unknown")),
            ),
        )

    def settle(self, state: Attempt.State) -> None:
        """Set its end; the caller saves it."""
        self.state = state
        self.settled_at = clock.now()


IN_FLIGHT = (
    Attempt.State.CREATED, Attempt.State.SENT, Attempt.State.PENDING, Attempt.State.UNKNOWN,
)  # fmt: skip
"""The states of an attempt whose end is not known."""


class GatewayEvent(models.Model):
    """Something a gateway told, by answer or webhook: each counts once, whoever brings it."""

    method = models.ForeignKey(PaymentMethod, models.PROTECT, related_name="+", db_index=False)
    gateway_id = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="events")
    amount_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True)
    happened_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("method", "gateway_id", "kind"), name="gateway_event_once"
            ),
        )


class BankEntry(models.Model):
    """One booked line of a bank statement, imported once, and the payment it was matched with.

    `aside_by` is who said that it is no client's money.
    """

    method = models.ForeignKey(PaymentMethod, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=160)
    on = models.DateField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    name = models.CharField(max_length=200, blank=True)
    iban = models.CharField(max_length=34, blank=True)
    text = models.TextField(blank=True)
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="bank_entries")
    why = models.CharField(max_length=300, blank=True)
    aside_by = models.CharField(max_length=254, blank=True)
    imported_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("method", "key"), name="bank_entry_once"),)


class UnsignedNotice(models.Model):
    """How many notices a method's door refused on a day, since its gateway had not signed them.

    What they held is not kept: anybody may send some (billing/unsigned).
    """

    method = models.ForeignKey(PaymentMethod, models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("day", "method"), name="unsigned_notice_once"),
        )


class Arrival(models.Model):
    """Money came into an account, and what waited for it is not known to be done.

    Written with the credit, and deleted when all of it was done (billing/following). `since` is
    the last credit's moment, `last_error` what kept it from being done.
    """

    account = models.OneToOneField(
        Account, models.PROTECT, primary_key=True, related_name="arrival"
    )
    since = models.DateTimeField()
    last_error = models.CharField(max_length=300, blank=True)


def announce(account: Account) -> None:
    """Write down that money came, so that what follows it is done whoever is killed before."""
    Arrival.objects.bulk_create(
        [Arrival(account=account, since=clock.now())],
        update_conflicts=True, unique_fields=["account"], update_fields=["since"],
    )  # fmt: skip


SEQUENCE = "payment"
"""What payments' numbers are drawn from, one sequence a company."""


def number_of(company: Company, drawn: int) -> str:
    """Give the number of a payment, by which a bank transfer names it."""
    return f"{company.code}-P{drawn}"


def lock(payment: Payment) -> Payment:
    """Lock a payment's account and the payment, and give it as it is now: the start of an act."""
    LedgerAccount.objects.select_for_update().get(pk=payment.account_id)
    locked = Payment.objects.select_for_update(of=("self",))
    related = ("account__funds", "account__provider", "account__company", "account__client")
    return locked.select_related(*related, "method", "stored").get(pk=payment.pk)
