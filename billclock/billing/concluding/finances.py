"""What an account was told of its finances on a date, or why nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from django.db.models import Q

from billclock.billing import ledger
from billclock.billing import notice_kinds as kinds
from billclock.billing.clients import Account
from billclock.billing.concluding import looked
from billclock.billing.invoices import Invoice
from billclock.billing.ledger import Cause, Transfer
from billclock.billing.letters import readers
from billclock.billing.notice_kinds import Kind
from billclock.billing.progress import JobRun
from billclock.billing.reminders import told_period

JOB = "send_notification"
KINDS = {kinds.FINANCE_WEEKLY: "weekly", kinds.FINANCE_MONTHLY: "monthly"}


def concluded(account: Account, on: date) -> str:
    """Say in a sentence which letters about finances an account had on a date, or why none."""
    letters = looked.told(account.pk, [kind.name for kind in KINDS], [0], on)
    if letters:
        return f"told on {on}: {', '.join(f'{one.kind} {one.period}' for one in letters)}"
    why = looked.not_looked(JOB, account.provider, on) or "; ".join(_why(account, on))
    return f"no letter on {on}: {why}"


def _why(account: Account, on: date) -> Iterator[str]:
    """Give for each letter that was due why it was not written; that none was due."""
    due = list(_due(account, on))
    if not due:
        yield "none was due: weekly ones are due on Mondays, monthly ones on the 1st"
    for kind, day in due:
        said = f"the {KINDS[kind]} letter of {day}"
        if not _wanted(account, kind):
            yield f"{said} is wanted by nobody, as they chose last"
        elif _moved(account, kind, day):
            yield f"{said} was wanted by nobody then"
        else:
            yield f"{said} had nothing to tell"


def _due(account: Account, on: date) -> Iterator[tuple[Kind, date]]:
    """Give the letters that were due since the run before; of several of a kind the last."""
    runs = JobRun.objects.filter(
        job=JOB, provider=account.provider, state=JobRun.State.DONE, on__lt=on
    )
    before = runs.order_by("-on").first()
    days = (on - before.on).days if before else 1
    dates = [on - timedelta(back) for back in range(days)]
    for kind in KINDS:
        weekly = kind is kinds.FINANCE_WEEKLY
        found = [day for day in dates if (day.weekday() == 0 if weekly else day.day == 1)]
        if found:
            yield kind, found[0]


def _wanted(account: Account, kind: Kind) -> bool:
    return bool(readers.readers(account, kind).people)


def _moved(account: Account, kind: Kind, day: date) -> bool:
    """Tell whether there was something that stays known: a debt, an open invoice, money moved."""
    period, _ahead = told_period(kind, day)
    moved = Q(debit=account.pk) | Q(credit=account.pk) & ~Q(
        cause__in=(Cause.CHARGE, Cause.CHARGE_TAX)
    )
    within = Transfer.objects.filter(moved, on__gte=period.start, on__lt=day)
    unpaid = Invoice.objects.filter(
        Q(paid_on=None) | Q(paid_on__gt=day), account=account, issued_on__lt=day,
        state__in=(Invoice.State.ISSUED, Invoice.State.CLOSED),
    ).exclude(kind=Invoice.Kind.CREDIT_NOTE)  # fmt: skip
    owed = ledger.balance(account.funds, day - timedelta(1)) < 0
    return within.exists() or unpaid.exists() or owed
