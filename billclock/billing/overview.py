"""The books at a glance, reckoned aside and kept: the check, tonight, money in and out, debts.

Nothing here is asked of the database when a page is shown: with a million services each of these
takes seconds. `billclock reckon`, an errand of the scheduler, takes what is due.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from billclock import clock
from billclock.billing import engine, forecast, reckonings, verifying
from billclock.billing.daily import run as daily
from billclock.billing.errors import LimitError
from billclock.billing.ledger import Seal
from billclock.billing.progress import JobRun, Watermark
from billclock.billing.provider import Provider
from billclock.billing.services import Service

DAYS = 30
CHECKED_AT = time(4)
"""The hour at which the books are checked each night, by the server's clock."""

SOON = timedelta(minutes=10)
SELDOM = timedelta(hours=1)
RARELY = timedelta(hours=6)

Values = dict[str, Any]


@dataclass(frozen=True)
class Glance:
    """One reckoning: its name, how it is made, and whether it is to be made again."""

    name: str
    reckon: Callable[[], Values]
    due: Callable[[], bool]


def take_due() -> list[str]:
    """Reckon what is due, and name it."""
    due = [glance for glance in GLANCES if glance.due()]
    for glance in due:
        reckonings.take(glance.name, glance.reckon)
    return [glance.name for glance in due]


def check() -> Values:
    """Check every invariant: {"checked": how many, "breaches": [{"invariant", "what"}]}."""
    found = [{"invariant": one.invariant, "what": one.what} for one in verifying.breaches()]
    return {"checked": verifying.COUNT, "breaches": found}


def check_due() -> bool:
    """Tell whether a night's check is missing, or one that found something is an hour old."""
    last = reckonings.last("books")
    if last is None or last.at < _last_hour():
        return True
    return bool(last.values["breaches"]) and reckonings.older("books", SELDOM)


def _last_hour() -> datetime:
    zone = clock.server_zone()
    now = clock.now().astimezone(zone)
    hour = datetime.combine(now.date(), CHECKED_AT, zone)
    return hour if hour <= now else datetime.combine(now.date() - timedelta(1), CHECKED_AT, zone)


def tonight() -> Values:
    """Rehearse the next daily billing of each provider.

    {"providers": [{"provider", "on", "counts", "charged", "question"}]}; the question is what it
    would stop at, empty where at nothing.
    """
    active = Provider.objects.filter(active=True).order_by("code")
    return {"providers": [_rehearsed(provider) for provider in active]}


def _rehearsed(provider: Provider) -> Values:
    on, question = next_date(provider), ""
    try:
        figures = daily.bill(provider, on, daily.Plan(rehearsal=True))
    except LimitError as error:
        question = error.question
        figures = daily.bill(provider, on, daily.Plan(rehearsal=True, confirmed=True))
    return {
        "provider": provider.code,
        "on": on.isoformat(),
        "counts": dict(figures.counts),
        "charged": dict(figures.charged),
        "question": question,
    }


def next_date(provider: Provider) -> date:
    """Give the business date that daily billing does next."""
    mark = Watermark.objects.filter(job=daily.JOB, provider=provider).first()
    today = provider.today()
    return max(mark.on + timedelta(days=1), today) if mark else today


def lasting() -> Values:
    """Count the accounts whose money ends within the coming month.

    {"ends": {day: accounts}, "missing": {currency: minor units that would have to come in}}
    """
    ends: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    for provider in Provider.objects.filter(active=True):
        for outlook in forecast.short(provider, provider.today()):
            ends[outlook.ends_on.isoformat()] += 1
            missing[outlook.currency] += outlook.missing
    return {"ends": dict(ends), "missing": dict(missing)}


def money() -> Values:
    """Sum by currency and day what was paid, went back and was charged; the ledger; what is owed.

    Amounts in minor units: {"received", "returned", "charged": {currency: {day: sum}}, "ledger",
    "owed", "unfunded"}.
    """
    first = clock.today(clock.server_zone()) - timedelta(days=DAYS)
    return {
        "received": _by_day(_paid(first)),
        "returned": _by_day(_gone(first)),
        "charged": _by_day(_charged(first)),
        "ledger": ledger(),
        "owed": _owed(),
        "unfunded": Service.objects.filter(unfunded_since__isnull=False).count(),
    }


def _by_day(rows: Iterator[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for day, currency, amount in rows:
        found[currency][day] += amount
    return {currency: dict(days) for currency, days in found.items()}


def _paid(first: date) -> Iterator[tuple[str, str, int]]:
    """Give what came through gateways: by the index of what their accounts gave."""
    yield from _moved(first, "debit", "3")


def _gone(first: date) -> Iterator[tuple[str, str, int]]:
    """Give what went back through gateways; the condition is that of the index."""
    yield from _moved(first, "credit", "4, 5")


def _moved(first: date, side: str, causes: str) -> Iterator[tuple[str, str, int]]:
    found = engine.rows(
        f"""SELECT t."on", t.currency, sum(t.amount_minor)
            FROM billing_ledgeraccount l JOIN billing_transfer t ON t.{side}_id = l.id
            WHERE l.kind = 4 AND t."on" >= {engine.day("first")}
              AND NOT (t.cause IN (1, 2)) AND t.cause IN ({causes})
            GROUP BY t."on", t.currency""",  # noqa: S608 - our own words
        {"first": first.isoformat()},
    )
    for day, currency, amount in found:
        yield str(day), currency, int(amount)


def _charged(first: date) -> Iterator[tuple[str, str, int]]:
    """Give what daily billing charged, from its own figures."""
    runs = JobRun.objects.filter(job=daily.JOB, on__gte=first, state=JobRun.State.DONE)
    for run in runs:
        for currency, amount in run.figures.get("charged", {}).items():
            yield run.on.isoformat(), currency, amount


def ledger() -> Values:
    """Give the clients' balances now, and what moved them since the last day that was sealed whole.

    {"sealed": the day or "", "currencies": {currency: {"accounts", "now", "moves": {cause:
    [transfers, change]}}}}; the balance before is what remains.
    """
    seals = list(Seal.objects.order_by("-on")[:2])
    since = seals[-1] if seals else None
    found: dict[str, Values] = {
        currency: {"accounts": count, "now": int(balance), "moves": {}}
        for currency, count, balance in engine.rows(
            "SELECT currency, count(*), sum(balance_minor) FROM billing_ledgeraccount"
            " WHERE kind = 1 GROUP BY currency"
        )
    }
    for currency, cause, count, change in _moves(since.last_transfer if since else 0):
        if currency in found and change:
            found[currency]["moves"][str(cause)] = [count, int(change)]
    return {"sealed": since.on.isoformat() if since else "", "currencies": found}


def _moves(after: int) -> list[tuple[Any, ...]]:
    return engine.rows(
        """SELECT t.currency, t.cause, count(*),
                  sum(CASE WHEN c.kind = 1 THEN t.amount_minor ELSE 0 END
                      - CASE WHEN d.kind = 1 THEN t.amount_minor ELSE 0 END)
           FROM billing_transfer t
           JOIN billing_ledgeraccount d ON d.id = t.debit_id
           JOIN billing_ledgeraccount c ON c.id = t.credit_id
           WHERE t.id > %(after)s GROUP BY t.currency, t.cause ORDER BY t.currency, t.cause""",
        {"after": after},
    )


_LEFT = """i.net_minor + i.tax_minor - i.covered_minor - coalesce((
    SELECT sum(n.net_minor + n.tax_minor) FROM billing_invoice n
    WHERE n.account_id = i.account_id AND n.credits_id = i.id), 0)"""
"""What is open of an invoice; credit notes are looked for among the account's documents."""


def _owed() -> Values:
    """Sum what invoices wait for, sealed or not: {currency: {"open", "overdue": [count, sum]}}."""
    found: defaultdict[str, dict[str, list[int]]] = defaultdict(dict)
    rows = engine.rows(
        f"""SELECT a.currency_id, CASE WHEN i.due_on < {engine.day("on")} THEN 1 ELSE 0 END,
                   count(*), sum({_LEFT})
            FROM billing_invoice i JOIN billing_account a ON a.funds_id = i.account_id
            WHERE i.state IN ('issued', 'closed') AND i.kind = 'invoice' AND i.paid_on IS NULL
              AND {_LEFT} > 0
            GROUP BY 1, 2""",  # noqa: S608 - our own words
        {"on": clock.today(clock.server_zone()).isoformat()},
    )
    for currency, late, count, amount in rows:
        found[currency]["overdue" if late else "open"] = [int(count), int(amount)]
    return dict(found)


def _every(name: str, often: timedelta) -> Callable[[], bool]:
    return lambda: reckonings.older(name, often)


GLANCES = (
    Glance("books", check, check_due),
    Glance("tonight", tonight, _every("tonight", SELDOM)),
    Glance("lasting", lasting, _every("lasting", RARELY)),
    Glance("money", money, _every("money", SOON)),
)


def breached() -> list[Mapping[str, str]]:
    """Give what the last check of the books found: {"invariant", "what"} each."""
    last = reckonings.last("books")
    return list(last.values["breaches"]) if last else []
