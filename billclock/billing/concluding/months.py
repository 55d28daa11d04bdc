"""What was invoiced to an account for a month on a date, or why nothing."""

from __future__ import annotations

from datetime import date

from billclock.billing.clients import Account
from billclock.billing.concluding import looked
from billclock.billing.invoices import Invoice
from billclock.billing.money import Money
from billclock.billing.postpaid.month import JOB, PREFIX, latest


def concluded(account: Account, on: date) -> str:
    """Say in a sentence what an account was invoiced on a date, or why nothing."""
    written = Invoice.objects.filter(
        account=account, key__startswith=f"{PREFIX} {account.number} "
    ).order_by("id")
    made = [f"{one.number}, {_total(one)}" for one in written.filter(issued_on=on)]
    if made:
        return f"invoiced on {on}: {'; '.join(made)}"
    month = latest(account.provider, on)
    before = written.filter(key__endswith=f" {month}", issued_on__lt=on).last()
    if before is not None:
        return f"no invoice on {on}: that of {month} was issued on {before.issued_on}"
    if not month.invoices(account):
        return f"no invoice on {on}: it is {account.get_kind_display().lower()}, not by the month"
    parked = getattr(account, "parked", None)
    if parked is not None and looked.dated(account.provider, parked.since) <= on:
        return f"no invoice on {on}: it is parked: {parked.reason}"
    return f"no invoice on {on}: {_run(account, month.until, on) or _nothing(str(month))}"


def _run(account: Account, until: date, on: date) -> str:
    """Say that the month had not been invoiced by a date; "" where it had."""
    found = looked.not_looked(JOB, account.provider, until)
    if found:
        return found
    done = looked.dated(account.provider, looked.looked_at(JOB, account.provider, until))
    return f"the run of that month was done on {done} only" if done > on else ""


def _nothing(month: str) -> str:
    return f"{month} left nothing to be paid"


def _total(invoice: Invoice) -> str:
    return str(Money(invoice.total_minor, invoice.currency))
