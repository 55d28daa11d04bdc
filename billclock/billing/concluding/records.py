"""What is stored of a date about an account, a payment, a document, a stored method: as facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.db.models import Q, QuerySet

from billclock.accounts.models import AuditRow
from billclock.billing import notice_kinds as kinds
from billclock.billing.charges import Charge, ChargeKind
from billclock.billing.clients import Account
from billclock.billing.concluding import billed, looked
from billclock.billing.explaining import Fact, letters_told
from billclock.billing.invoices import Invoice
from billclock.billing.ledger import Cause, Transfer
from billclock.billing.money import Money
from billclock.billing.notifications import Notice
from billclock.billing.payments import Attempt, GatewayEvent, Payment, StoredMethod
from billclock.billing.provider import Provider
from billclock.billing.services import Reason, Service, Suspension
from billclock.billing.storing import ENDED

MOST = 15
"""Facts of a kind that are named; the sentences count them all."""

PAID = (Cause.PAYMENT, Cause.REFUND, Cause.CHARGEBACK)
ABOUT_PAYMENTS = (kinds.PAYMENT_RECEIVED.name, kinds.TOP_UP_FAILED.name)
FINANCES = (kinds.FINANCE_WEEKLY.name, kinds.FINANCE_MONTHLY.name)


def of_account(account: Account, on: date) -> Iterator[Fact]:
    """Give what an account's date has left, each kind of record by a query or two."""
    yield from _charges(account, on)
    yield from _stops(account, on)
    payments = account.payments.filter(Q(created_on=on) | Q(credited_on=on))
    yield from _payments(payments, on)
    yield from _attempts(Attempt.objects.filter(payment__account=account), account.provider, on)
    yield from _documents(account.invoices.all(), on)
    yield from _letters(Notice.objects.filter(account=account, on=on))
    for entry in account.hand_entries.filter(on=on).order_by("id")[:MOST]:
        sum_ = Money(entry.amount_minor, account.currency_id)
        said = f"{entry.sort} {sum_} by {entry.by}: {entry.reason}"
        yield Fact("hand entry", entry.pk, entry.on, said)


def of_payment(payment: Payment, on: date) -> Iterator[Fact]:
    """Give what a payment's date has left: requests, what its gateway told, money that moved."""
    provider = payment.account.provider
    first, after = looked.bounds(provider, on)
    itself = Payment.objects.filter(Q(created_on=on) | Q(credited_on=on), pk=payment.pk)
    yield from _payments(itself, on)
    yield from _attempts(payment.attempts.all(), provider, on)
    heard = payment.events.filter(received_at__gte=first, received_at__lt=after).order_by("id")
    for event in heard[:MOST]:
        yield Fact("event", event.pk, on, _heard(event))
    moved = Transfer.objects.filter(cause__in=PAID, source=payment.pk, on=on).order_by("id")
    for one in moved[:MOST]:
        said = f"{Cause(one.cause).name.lower()} of {Money(one.amount_minor, one.currency)}"
        yield Fact("transfer", one.pk, one.on, said)
    yield from _documents(Invoice.objects.filter(payments=payment), on)
    letters = Notice.objects.filter(account=payment.account_id, subject=payment.pk, on=on)
    yield from _letters(letters.filter(kind__in=ABOUT_PAYMENTS))


def of_invoice(invoice: Invoice, on: date) -> Iterator[Fact]:
    """Give what a document's date has left: itself, its credit notes, payments, letters."""
    yield from _documents(Invoice.objects.filter(pk=invoice.pk), on)
    yield from _documents(invoice.credit_notes.all(), on)
    yield from _payments(invoice.payments.filter(Q(created_on=on) | Q(credited_on=on)), on)
    tries = Attempt.objects.filter(payment__invoice=invoice)
    yield from _attempts(tries, invoice.company.provider, on)
    letters = Notice.objects.filter(account=invoice.account_id, on=on)
    about = Q(kind=kinds.INVOICE.name, subject=invoice.pk) | Q(kind__in=FINANCES)
    yield from _letters(letters.filter(about))


def of_stored(stored: StoredMethod, on: date) -> Iterator[Fact]:
    """Give what a stored method's date has left: money asked of it, the end of its setting up."""
    provider = stored.method.provider
    mine = Q(payment__account__client=stored.client_id, payment__stored=stored.pk)
    yield from _attempts(Attempt.objects.filter(mine), provider, on)
    first, after = looked.bounds(provider, on)
    ends = AuditRow.objects.filter(act=ENDED, subject=stored.setup_key, at__gte=first, at__lt=after)
    for row in ends.order_by("id")[:MOST]:
        yield Fact("setup", row.pk, on, f"its setting up ended: {row.after}")


def _charges(account: Account, on: date) -> Iterator[Fact]:
    made = Charge.objects.filter(account=account, on=on).select_related("service")
    for charge in made.order_by("id")[:MOST]:
        kind = ChargeKind(charge.kind).name.lower()
        span = f"{charge.period_start} to before {charge.period_end}"
        sum_ = Money(charge.total_minor, account.currency_id)
        yield Fact("charge", charge.pk, on, f"{charge.service.number}: {kind} {span}: {sum_}")
    back = billed.taken_back(account, on).select_related("reversal", "service")
    for charge in back.order_by("id")[:MOST]:
        said = f"{charge.service.number}: taken back: {charge.reversal.why}"
        yield Fact("charge", charge.pk, on, said)


def _stops(account: Account, on: date) -> Iterator[Fact]:
    """Tell of the services that were stopped and let run again; the key is the service's."""
    found = Suspension.objects.filter(service__in=Service.objects.of(account.pk))
    rows = found.filter(Q(on=on) | Q(lifted_on=on)).select_related("service").order_by("id")
    for stop in rows[:MOST]:
        number, reason = stop.service.number, Reason(stop.reason).name.lower()
        if stop.on == on:
            said = f"{number}: stopped for {reason} by {stop.by}"
            yield Fact("service", stop.service_id, on, said)
        if stop.lifted_on == on:
            said = f"{number}: let run again: {stop.lifted_why}"
            yield Fact("service", stop.service_id, on, said)


def _payments(found: QuerySet[Payment], on: date) -> Iterator[Fact]:
    for one in found.select_related("account").order_by("id")[:MOST]:
        said = f"{one.number} over {Money(one.amount_minor, one.account.currency_id)}"
        if one.created_on == on:
            yield Fact("payment", one.pk, on, f"{said} was asked for")
        if one.credited_on == on:
            yield Fact("payment", one.pk, on, f"{said} was credited")


def _attempts(found: QuerySet[Attempt], provider: Provider, on: date) -> Iterator[Fact]:
    """Tell of the requests that were begun or ended on a date; the key is the payment's."""
    first, after = looked.bounds(provider, on)
    within = Q(created_at__gte=first, created_at__lt=after)
    within |= Q(settled_at__gte=first, settled_at__lt=after)
    for one in found.filter(within).select_related("payment__account").order_by("id")[:MOST]:
        sum_ = Money(one.amount_minor, one.payment.account.currency_id)
        why = f" ({one.decline})" if one.decline else ""
        said = f"{one.action} of {sum_}, payment {one.payment.number}: {one.state}{why}"
        yield Fact("attempt", one.payment_id, looked.dated(provider, one.created_at), said)


def _heard(event: GatewayEvent) -> str:
    return f"the gateway told: {event.kind}{f' ({event.note})' if event.note else ''}"


def _documents(found: QuerySet[Invoice], on: date) -> Iterator[Fact]:
    """Tell of the documents that were issued, paid or closed on a date."""
    any_ = Q(issued_on=on) | Q(paid_on=on) | Q(closed_on=on)
    for one in found.filter(any_).order_by("id")[:MOST]:
        said = f"{one.kind} {one.number} over {Money(one.total_minor, one.currency)}"
        for day, what in (
            (one.issued_on, "issued"),
            (one.paid_on, "paid"),
            (one.closed_on, "closed"),
        ):
            if day == on:
                yield Fact("document", one.pk, on, f"{said} was {what}")


def _letters(found: QuerySet[Notice]) -> Iterator[Fact]:
    for notice, said in letters_told(found.order_by("id")[:MOST]):
        yield Fact("notice", notice.pk, notice.on, f"{notice.kind}, {said}")
