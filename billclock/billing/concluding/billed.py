"""What billing charged an account on a date, and what it could not, or why nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from django.db.models import Count, F, QuerySet, Sum

from billclock.billing import ledger
from billclock.billing.charges import Charge, ChargeKind
from billclock.billing.clients import Account
from billclock.billing.concluding import looked
from billclock.billing.ledger import Cause, Transfer
from billclock.billing.money import Money
from billclock.billing.progress import Parked
from billclock.billing.services import Outcome, Service, Verdict
from billclock.billing.verdicts import FOR_USE

JOB = "billdaily"
MOST_NAMED = 3
WORDS = {
    Outcome.UNFUNDED: "not renewed for lack of money",
    Outcome.NO_AUTO_RENEWAL: "ended, not renewed by themselves",
    Outcome.HELD: "held",
    Outcome.PARKED: "left alone, as the account is parked",
    Outcome.NOT_PRICED: "not renewed for lack of a price",
    Outcome.PAYMENT_IN_FLIGHT: "waiting for a payment on its way",
}


def concluded(account: Account, on: date) -> str:
    """Say in a sentence what an account was charged on a date and what was not renewed, or why."""
    charged = list(_charged(account, on))
    found = [*charged, *_refused(account, on)]
    if found:
        return "; ".join(found)
    why = looked.not_looked(JOB, account.provider, on) or _parked(account, on) or _nothing(account)
    return f"nothing charged on {on}: {why}"


def _charged(account: Account, on: date) -> Iterator[str]:
    """Count what was charged, by the job and else, and what was taken back."""
    made = Charge.objects.filter(account=account, on=on).exclude(kind=ChargeKind.PAUSE)
    total = Sum(F("net_minor") + F("tax_minor"))
    for by_job, said in ((False, "charged"), (True, "charged besides, by orders and money in,")):
        found = made.filter(run__isnull=by_job).aggregate(count=Count("pk"), sum=total)
        if found["count"]:
            yield f"{said} on {on}: {_counted(account, found['count'], found['sum'])}"
    found = taken_back(account, on).aggregate(count=Count("pk"), sum=total)
    if found["count"]:
        yield f"taken back on {on}: {_counted(account, found['count'], found['sum'])}"


def taken_back(account: Account, on: date) -> QuerySet[Charge]:
    """Give the charges that were taken back on a date: by the money that came of it.

    An account's transfers of a date have an index, its charges' reversals none.
    """
    money = ledger.received(account.funds).filter(on=on, cause=Cause.REVERSAL)
    posted = Transfer.objects.filter(
        pk__in=list(money.values_list("source", flat=True)),
        cause__in=(Cause.CHARGE, Cause.CHARGE_TAX),
    )
    return Charge.objects.filter(pk__in=posted.values("source"), reversal__on=on)


def _counted(account: Account, count: int, minor: int) -> str:
    charges = "1 charge" if count == 1 else f"{count} charges"
    return f"{charges}, {Money(minor, account.currency_id)}"


def _refused(account: Account, on: date) -> Iterator[str]:
    """Name the services that a date's last decision did not renew, by what was decided."""
    given = Verdict.objects.filter(
        service__in=Service.objects.of(account.pk), on=on, sequence__lt=FOR_USE
    )
    last = {
        number: Outcome(outcome)
        for number, outcome in given.order_by("service", "sequence").values_list(
            "service__number", "outcome"
        )
    }
    by_outcome = defaultdict(list)
    for number, outcome in last.items():
        by_outcome[outcome].append(number)
    for outcome, words in WORDS.items():
        if by_outcome[outcome]:
            yield f"{words}: {named(by_outcome[outcome])}"


def named(numbers: list[str]) -> str:
    """Name some services: the first few, and how many more there are."""
    more = f" +{len(numbers) - MOST_NAMED}" if len(numbers) > MOST_NAMED else ""
    return ", ".join(numbers[:MOST_NAMED]) + more


def _parked(account: Account, on: date) -> str:
    parked = Parked.objects.filter(account=account).first()
    if parked is None or looked.dated(account.provider, parked.since) > on:
        return ""
    return f"it is parked: {parked.reason}"


def _nothing(account: Account) -> str:
    if not Service.objects.of(account.pk).exists():
        return "it has no service"
    return "none of its services was due"
