"""Payments: what was asked for and came in, each request to a gateway, what gateways told."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from billclock.billing.ledger import Transfer
from billclock.billing.payments import Attempt, BankEntry, GatewayEvent, Payment, PaymentMethod
from billclock.web import kept, searched, why
from billclock.web.client_words import CAUSES, PAID
from billclock.web.kit.columns import Code, Day, Link, Moment, Money, Number, State, Text
from billclock.web.kit.filters import Choice, Days
from billclock.web.kit.leading import way_to
from billclock.web.kit.panels import Related
from billclock.web.kit.section import Section
from billclock.web.ledger_words import side
from billclock.web.payment_acts import ACTS, left
from billclock.web.payment_words import ACTIONS, ATTEMPTS, EVENTS, PURPOSES, STATES, declined


def _rows() -> QuerySet[Payment]:
    return Payment.objects.select_related(
        "account__client", "account__provider", "method", "invoice", "stored"
    )


def found_by(word: str) -> Q:
    """Give the condition of a searched word: a payment's or account's number, a client."""
    return Q(number__in=searched.numbers(word)) | Q(account__in=searched.accounts(word))


def methods() -> dict[str, str]:
    """Give the payment methods by key."""
    found = PaymentMethod.objects.order_by("order", "name").values_list("pk", "name", "code")
    return {str(key): f"{name} · {code}" for key, name, code in found}


def _attempts(row: Payment) -> QuerySet[Attempt]:
    return row.attempts.select_related("payment__account").order_by("number")


def _events(row: Payment) -> QuerySet[GatewayEvent]:
    return row.events.order_by("pk")


def _transfers(row: Payment) -> QuerySet[Transfer]:
    found = Transfer.objects.filter(cause__in=PAID, source=row.pk)
    return found.select_related("debit", "credit").order_by("pk")


def _entries(row: Payment) -> QuerySet[BankEntry]:
    return row.bank_entries.order_by("on", "pk")


def _why(row: Attempt) -> str:
    return " · ".join(filter(None, (declined(row), kept.read(row.told))))


def _back(row: Payment) -> int | None:
    return row.refunded_minor or None


def _left(row: Payment) -> int | None:
    return left(row) or None


STATE = State("state", _("State"), marks=STATES, below=declined)
ACCOUNT = Link(
    "account", _("Account"), to="client-accounts", named="number", below="account.client.name"
)
METHOD = Link("method", _("Method"), to="payment-methods", named="name")
AMOUNT = Money("amount", _("Amount"), of="amount_minor", currency="account.currency_id")
INVOICE = Link("invoice", _("Invoice"), to="invoices", named="number")
PURPOSE = Text("purpose", _("What for"), of=lambda row: PURPOSES[row.purpose])
TRIED = (
    Text("action", _("What"), of=lambda row: ACTIONS[row.action]),
    State("state", _("Outcome"), marks=ATTEMPTS, below=_why),
    Money("amount", _("Amount"), of="amount_minor", currency="payment.account.currency_id"),
    Code("key", _("Key"), below="gateway_id", less=True),
    Moment("created_at", _("Begun")), Moment("asked_at", _("Asked again"), less=True),
    Moment("settled_at", _("Ended")),
)  # fmt: skip
HEARD = (
    Text("kind", _("What"), of=lambda row: EVENTS.get(row.kind, row.kind), below="note"),
    Money("amount", _("Amount"), of="amount_minor", currency="currency"),
    Code("gateway_id", _("Its name at the gateway"), less=True),
    Moment("happened_at", _("Happened")), Moment("received_at", _("Heard")),
)  # fmt: skip
MOVED = (
    Text("cause", _("What"), of=lambda row: CAUSES[row.cause]),
    Text("debit", _("From"), of=side("debit")), Text("credit", _("To"), of=side("credit")),
    Money("amount", _("Amount"), of="amount_minor", currency="currency"),
    Day("on", _("Date")),
)  # fmt: skip
ENTERED = (
    Text("name", _("Payer"), below="text"), Day("on", _("Date")),
    Money("amount", _("Amount"), of="amount_minor", currency="currency"),
)  # fmt: skip

PAYMENTS = Section(
    name="payments",
    title=_("Payments"),
    one=_("payment"),
    rows=_rows,
    named="number",
    number="number",
    columns=(
        Text("number", _("Number")), ACCOUNT, STATE, AMOUNT, METHOD, PURPOSE, INVOICE,
        Moment("created_at", _("Asked for")), Day("credited_on", _("Credited on"), less=True),
    ),
    search=found_by,
    filters=(
        Choice("state", _("State"),
               choices={str(int(key)): mark.word for key, mark in STATES.items()}),
        Choice("method", _("Method"), choices=methods),
        Choice("purpose", _("What for"),
               choices={str(key): word for key, word in PURPOSES.items()}),
        Days("created_on", _("Asked for")),
    ),
    acts=ACTS,
    facts=(
        ACCOUNT, STATE, AMOUNT,
        Money("back", _("Gone back"), of=_back, currency="account.currency_id"),
        Money("left", _("Can go back"), of=_left, currency="account.currency_id"),
        METHOD, Link("stored", _("Stored method"), to="stored-methods", named="masked"),
        PURPOSE, INVOICE, Moment("created_at", _("Asked for")),
        Day("credited_on", _("Credited on")), Number("tries", _("Declined tries")),
        Day("next_try_on", _("Next try")), Code("key", _("Key")),
    ),
    panels=(
        why.OF_PAYMENT,
        Related("attempts", _("Requests to the gateway"), rows=_attempts, columns=TRIED,
                empty=_("Nothing was asked of a gateway for it.")),
        Related("events", _("What the gateway told"), rows=_events, columns=HEARD,
                empty=_("Nothing was told of it.")),
        Related("transfers", _("Transfers"), rows=_transfers, columns=MOVED,
                empty=_("No money of it was moved.")),
        Related("bank-entries", _("Bank entries"), rows=_entries, columns=ENTERED, rare=True,
                link=lambda row: way_to("bank-entries", row.pk)),
    ),
    css="css/invoices.css",
    empty=_("They come of automatic payments, of clients who pay, and of bank statements."),
)  # fmt: skip
