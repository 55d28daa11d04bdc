"""Credit notes: lines of issued invoices taken back once their charges were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from django.db import transaction
from django.db.models import F, QuerySet, Sum

from billclock.billing import booking, invoice_posting, invoicing
from billclock.billing.charges import Charge, ChargeKind
from billclock.billing.clients import Account
from billclock.billing.documents.paper import Kind
from billclock.billing.errors import DocumentError
from billclock.billing.invoice_lines import Line
from billclock.billing.invoices import Invoice, InvoiceLine
from billclock.billing.invoicing import Draft
from billclock.billing.ledger import Transfer
from billclock.billing.payments import Payment
from billclock.billing.provider import Provider

ALONE = (ChargeKind.SETUP, ChargeKind.OVERAGE)
"""The kinds of charges that no service's time hangs on."""


@transaction.atomic
def credit(invoice: Invoice, lines: Iterable[InvoiceLine], why: str) -> Invoice:
    """Take lines of an issued invoice back by a credit note, which has their figures.

    Raises DocumentError where a line is not the invoice's, was taken back already, or where its
    charge was not reversed: what a document says is what the books say.
    """
    invoice_posting.lock([invoice.account_id])
    wanted = {line.pk for line in lines}
    found = list(_open(invoice).filter(pk__in=wanted))
    if invoice.kind != Invoice.Kind.INVOICE or not found or len(found) < len(wanted):
        raise DocumentError(
            Kind.CREDIT_NOTE, "", f"not all of its {len(wanted)} lines can be taken back",
            f"take lines of {invoice.number or 'an issued invoice'} whose charges were reversed,"
            " each once",
        )  # fmt: skip
    count = invoice.credit_notes.count() + 1
    made = Draft(
        account=invoice.account, company=invoice.company, key=f"credit {invoice.pk} {count}",
        lines=[_line(original) for original in found], kind=Invoice.Kind.CREDIT_NOTE, note=why,
        credits=invoice, originals=found,
    )  # fmt: skip
    note = invoicing.issue(invoicing.write([made])[0], invoice.account.provider.today())
    _ask_for_less(invoice, note.total_minor)
    _settle(invoice)
    return note


@transaction.atomic
def give_back(invoice: Invoice, lines: Iterable[InvoiceLine], *, why: str, by: str) -> Invoice:
    """Credit lines; what was paid once or for use is taken back first, as nothing else hangs on it.

    Raises DocumentError as `credit` does: days of a service come back by changing or closing it.
    """
    invoice_posting.lock([invoice.account_id])
    wanted = {line.pk for line in lines}
    alone = Charge.objects.filter(
        invoice_line__in=wanted, invoice_line__invoice=invoice, kind__in=ALONE, reversal=None
    )
    charges = list(alone.order_by("pk"))
    moves = Transfer.objects.filter(
        cause__in=booking.CAUSES, source__in=[charge.pk for charge in charges]
    ).select_related("debit", "credit")
    on = invoice.account.provider.today()
    booking.take_back(booking.Taken(charges, list(moves), on), on=on, why=why, by=by)
    return credit(invoice, invoice.lines.filter(pk__in=wanted), why)


@transaction.atomic
def credit_reversed(account: Account) -> list[Invoice]:
    """Write the credit notes that an account is owed: one for each invoice with reversed charges.

    What is paid for the days that were used stands on the next invoice.
    """
    invoice_posting.lock([account.pk])
    lines = (
        owed()
        .filter(invoice__account=account)
        .select_related("invoice__account__provider", "invoice__company", "charge__reversal")
    )
    return [
        credit(invoice, of, _why(of))
        for invoice, of in (
            (key, list(group))
            for key, group in groupby(lines.order_by("invoice_id", "position"), _invoice)
        )
    ]


def owed(provider: Provider | None = None) -> QuerySet[InvoiceLine]:
    """Give the lines of issued invoices whose charges were reversed and that were not credited."""
    found = InvoiceLine.objects.filter(
        charge__reversal__isnull=False,
        taken_back_by=None,
        invoice__kind=Invoice.Kind.INVOICE,
        invoice__state__in=(Invoice.State.ISSUED, Invoice.State.CLOSED),
    )
    return found.filter(invoice__account__provider=provider) if provider else found


def uncredited(account: Account) -> dict[int, int]:
    """Give by invoice what an account got back of its charges and no credit note says yet."""
    found = owed().filter(invoice__account=account).values("invoice_id")
    sums = found.annotate(minor=Sum(F("charge__net_minor") + F("charge__tax_minor")))
    return {row["invoice_id"]: row["minor"] for row in sums.order_by()}


def _open(invoice: Invoice) -> QuerySet[InvoiceLine]:
    return owed().filter(invoice=invoice).select_related("charge").order_by("position")


def _invoice(line: InvoiceLine) -> Invoice:
    return line.invoice


def _why(lines: Sequence[InvoiceLine]) -> str:
    """Give the reasons for which charges were reversed, each once."""
    reasons = (line.charge.reversal.why for line in lines if line.charge)
    return "; ".join(dict.fromkeys(reason for reason in reasons if reason))


def _line(original: InvoiceLine) -> Line:
    """Give what a line's charge posted; without a charge there is nothing to take back."""
    charge = original.charge
    if charge is None:
        raise DocumentError(Kind.CREDIT_NOTE, "", f"line {original.pk} has no charge")
    return Line(
        original.text, charge.net_minor, charge.tax_minor, original.tax_ppm, original.tax_area,
        original.quantity, original.period_start, original.period_end, charge.pk,
    )  # fmt: skip


def _settle(invoice: Invoice) -> None:
    """Let an invoice that was taken back whole wait for no money."""
    whole = Invoice.objects.waiting().with_credited().filter(pk=invoice.pk)
    nothing = whole.filter(credited__gte=F("net_minor") + F("tax_minor"))
    nothing.update(paid_on=invoice.account.provider.today())


def _ask_for_less(invoice: Invoice, minor: int) -> None:
    """Let a payment that was asked for and not begun be for what is left; of nothing, for none."""
    asked = Payment.objects.filter(invoice=invoice, state=Payment.State.NEW, stored=None)
    asked.filter(amount_minor__lte=minor).update(state=Payment.State.CANCELLED)
    asked.filter(amount_minor__gt=minor).update(amount_minor=F("amount_minor") - minor)
