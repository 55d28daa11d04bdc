"""What closing did to an invoice on a date, or why nothing."""

from __future__ import annotations

from datetime import date, timedelta

from billclock.accounts.models import AuditRow
from billclock.billing.closing import ITS_OWN
from billclock.billing.concluding import looked
from billclock.billing.invoices import Invoice
from billclock.billing.provider import Closing

JOB = "close_accounts"


def concluded(invoice: Invoice, on: date) -> str:
    """Say in a sentence whether an invoice was closed on a date, or why not."""
    if invoice.closed_on == on:
        return f"closed on {on}"
    opened = _opened_again(invoice, on)
    if opened is not None:
        return f"closed on {on}, and opened again on {opened.at:%Y-%m-%d} by {opened.actor}"
    return f"not closed on {on}: {_never(invoice, on) or _waits(invoice, on) or _due(invoice, on)}"


def _opened_again(invoice: Invoice, on: date) -> AuditRow | None:
    """Give the row by which it was opened again that had been closed on a date."""
    found = AuditRow.objects.filter(
        act="invoice.reopen", subject=f"{invoice.kind} {invoice.number}",
        before__startswith=f"closed on {on},",
    )  # fmt: skip
    return found.order_by("id").first()


def _never(invoice: Invoice, on: date) -> str:
    if invoice.kind not in ITS_OWN:
        return "a request to pay is asked for and forgotten, never closed"
    if invoice.state in (Invoice.State.DRAFT, Invoice.State.CANCELLED):
        return f"it is {invoice.state}"
    if invoice.issued_on is None or invoice.issued_on > on:
        return f"it was issued on {invoice.issued_on} only"
    if invoice.closed_on is not None and invoice.closed_on < on:
        return f"it was closed on {invoice.closed_on}"
    return ""


def _waits(invoice: Invoice, on: date) -> str:
    """Say what it waited for by its company's rule; "" where it was due."""
    company = invoice.company
    match company.closing:
        case Closing.DAYS if invoice.issued_on is not None:
            due = invoice.issued_on + timedelta(days=company.closing_days)
            return (
                f"it is due {company.closing_days} days after issue, on {due}" if due > on else ""
            )
        case Closing.PAID:
            return _until(invoice.paid_on, "paid", on)
        case Closing.SIGNED:
            return _until(invoice.signed_on, "signed", on)
        case _:
            return "its company closes by hand only"


def _until(day: date | None, what: str, on: date) -> str:
    if day is None:
        return f"it is not {what}"
    return f"it was {what} on {day} only" if day > on else ""


def _due(invoice: Invoice, on: date) -> str:
    return looked.not_looked(JOB, invoice.company.provider, on) or (
        "it was due, and came so after the run of that date, or the run failed with it"
    )
