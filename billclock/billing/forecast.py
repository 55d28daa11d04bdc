"""How long an account's money lasts: what renewals and daily charges of the coming month cost.

The same statements price a forecast that price the billing itself; nothing is written. What is
paid from a stored method of its own (jobs/recurring.py) does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from billclock.billing import engine, periods, pricing
from billclock.billing.charges import ChargeKind
from billclock.billing.clients import Account
from billclock.billing.daily import due
from billclock.billing.daily.due import Scope
from billclock.billing.daily.funding import SPENDABLE
from billclock.billing.provider import Provider

CHUNK = 5000
CREDIT_NEAR_PARTS = 5
"""A credit limit is near when less than this part of it is left (a fifth)."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Coming:
    """Charges to come: an amount in minor units on a date, or from it on each day."""

    on: date
    amount: int
    daily: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """An account whose money does not last for the coming month, amounts in minor units.

    `ends_on` is the first date whose charges it cannot pay; `since` the day money last came in.
    """

    account: int
    currency: str
    balance: int
    spendable: int
    need: int
    ends_on: date
    since: date

    @property
    def missing(self) -> int:
        """Give what has to come in to pay for the whole month."""
        return self.need - self.spendable


@dataclass(frozen=True, slots=True)
class Owing:
    """An account near or at its credit limit; `left` of it can still be spent."""

    account: int
    currency: str
    balance: int
    limit: int
    left: int
    since: date


@dataclass(frozen=True, slots=True)
class TopUp:
    """How much to take from a stored method, in minor units; 0 with the reason why nothing."""

    amount: int
    why_not: str = ""


def horizon(on: date) -> date:
    """Give the first day after the coming month."""
    return periods.add_months(on, 1, on.day)


def money_ends(spendable: int, coming: Iterable[Coming], on: date) -> date | None:
    """Give the first date from `on` to the horizon whose charges the money does not cover."""
    once: dict[date, int] = {}
    rising: dict[date, int] = {}
    for charge in coming:
        into = rising if charge.daily else once
        at = max(charge.on, on)
        into[at] = into.get(at, 0) + charge.amount
    rate, day = 0, on
    while day < horizon(on):
        rate += rising.get(day, 0)
        spendable -= rate + once.get(day, 0)
        if spendable < 0:
            return day
        day += _DAY
    return None


def crossed(days: int, thresholds: Sequence[int]) -> tuple[int, list[int]] | None:
    """Give the most urgent threshold that so many days left have crossed, and the others.

    A threshold is crossed by as many days or fewer; None where none is.
    """
    over = sorted(threshold for threshold in thresholds if days <= threshold)
    return (over[0], over[1:]) if over else None


def top_up(missing: int, *, taken: int, most: int | None, least: int) -> TopUp:
    """Decide how much an automatic payment takes, in minor units.

    `taken` is what such payments took within the sliding month, `most` their limit in it (None:
    none), `least` the smallest amount the method takes. What the limit cuts short is taken as far
    as it goes, if the method takes so little.
    """
    wanted = max(missing, least)
    left = wanted if most is None else max(most - taken, 0)
    if left >= wanted:
        return TopUp(wanted)
    if left > 0 and left >= least:
        return TopUp(left)
    return TopUp(0, "the limit of automatic payments within a month is reached")


def month_back(on: date) -> date:
    """Give the first day of the sliding month that ends with a date: 24 April for 23 May."""
    return periods.add_months(on, -1, on.day) + _DAY


def short(provider: Provider, on: date, *, chunk: int = CHUNK) -> Iterator[Outlook]:
    """Give the accounts of a provider whose money does not last for the month from a date.

    By set, some `chunk` services at a time; memory does not grow with the number of accounts.
    """
    with engine.roomy():
        pricing.lay_out(provider, on)
        scope = Scope(provider, horizon(on) - _DAY, 0, 0)
        while found := due.next_range(scope, chunk):
            scope = replace(scope, first=found[0], last=found[1])
            yield from _short_of(scope, on)


def of_account(account: Account, on: date) -> list[tuple[int, Coming]]:
    """Give an account's charges to come in the month from a date, with their services' keys."""
    pricing.lay_out(account.provider, on)
    due.lay_out(Scope(account.provider, horizon(on) - _DAY, account.pk, account.pk))
    return [
        (service, Coming(_date(at), int(amount), bool(daily)))
        for service, at, daily, amount in engine.rows(
            f"SELECT service_id, at, daily, amount FROM ({_BY_SERVICE}) it ORDER BY at, service_id"  # noqa: S608
        )
    ]


def outlook(account: Account, on: date) -> Outlook | None:
    """Give an account's outlook; None where its money lasts for the month."""
    pricing.lay_out(account.provider, on)
    scope = Scope(account.provider, horizon(on) - _DAY, account.pk, account.pk)
    return next(_short_of(scope, on), None)


def owing(provider: Provider, on: date) -> Iterator[Owing]:
    """Give the accounts of a provider that are near or at their credit limit."""
    found = engine.rows(
        f"""SELECT a.funds_id, l.currency, l.balance_minor, -l.floor_minor,
                   l.balance_minor - l.floor_minor, {_SINCE}
            FROM billing_account a JOIN billing_ledgeraccount l ON l.id = a.funds_id
            JOIN billing_client c ON c.id = a.client_id
            WHERE a.provider_id = %(provider)s AND a.kind IN (2, 3) AND a.kind = 2
              AND l.floor_minor < 0
              AND (l.balance_minor - l.floor_minor) * {CREDIT_NEAR_PARTS} <= -l.floor_minor
            ORDER BY a.funds_id""",  # noqa: S608 - our own words
        {"provider": provider.pk, "on": on.isoformat()},
    )
    for account, currency, balance, limit, left, since in found:
        yield Owing(account, currency, balance, limit, left, _date(since))


_DAILY = f"({int(ChargeKind.DAILY)}, {int(ChargeKind.HOURLY)})"

_BY_SERVICE = f"""
    SELECT d.account_id, d.service_id, min(d.starts) AS at,
           max(CASE WHEN d.addon = 0 AND d.kind IN {_DAILY} THEN 1 ELSE 0 END) AS daily,
           sum(d.net_minor + d.tax_minor) AS amount
    FROM due d JOIN billing_service s ON s.id = d.service_id
    WHERE s.stored_method_id IS NULL
    GROUP BY d.account_id, d.service_id
"""  # noqa: S608 - our own words

_SINCE = """coalesce((SELECT max(t."on") FROM billing_transfer t
                      WHERE t.credit_id = a.funds_id AND NOT (t.cause IN (1, 2))),
                     c.registered_on)"""


def _short_of(scope: Scope, on: date) -> Iterator[Outlook]:
    due.lay_out(scope)
    values = {"on": on.isoformat(), "end": horizon(on).isoformat()}
    _make_table()
    engine.execute(
        f"""INSERT INTO coming (account_id, at, daily, amount)
            SELECT account_id, at, daily, sum(amount)
            FROM (SELECT account_id, {engine.greatest("at", engine.day("on"))} AS at, daily, amount
                  FROM ({_BY_SERVICE}) one) it
            GROUP BY account_id, at, daily""",  # noqa: S608 - our own words
        values,
    )
    low = {row[0]: row[1:] for row in engine.rows(_low(), values)}
    for account, lines in groupby(_charges(low), key=lambda line: line[0]):
        currency, balance, spendable, need, since = low[account]
        coming = [Coming(at, amount, daily) for _, at, daily, amount in lines]
        ends = money_ends(spendable, coming, on)
        if ends is not None:
            held = currency, balance, spendable, int(need)
            yield Outlook(account, *held, ends_on=ends, since=_date(since))


def _make_table() -> None:
    engine.scratch("coming", "account_id bigint, at date, daily integer, amount bigint")


def _low() -> str:
    """Write the query of accounts that cannot pay all that comes: the others are left alone."""
    days = (
        "(%(end)s::date - c.at)"
        if engine.on_postgresql()
        else "CAST(julianday(%(end)s) - julianday(c.at) AS integer)"
    )
    return f"""
        SELECT a.funds_id, l.currency, l.balance_minor, {SPENDABLE}, n.need, {_SINCE}
        FROM (SELECT account_id, sum(amount * CASE WHEN daily = 1 THEN {days} ELSE 1 END) AS need
              FROM coming c GROUP BY account_id) n
        JOIN billing_account a ON a.funds_id = n.account_id
        JOIN billing_ledgeraccount l ON l.id = n.account_id
        JOIN billing_client c ON c.id = a.client_id
        WHERE n.need > {SPENDABLE}
    """  # noqa: S608 - our own words


def _charges(accounts: Iterable[int]) -> Iterator[tuple[int, date, bool, int]]:
    engine.scratch("low", "account_id bigint PRIMARY KEY")
    engine.insert("low", ("account_id",), [(account,) for account in accounts])
    found = engine.rows(
        """SELECT account_id, at, daily, amount FROM coming
           WHERE account_id IN (SELECT account_id FROM low) ORDER BY account_id, at"""
    )
    for account, at, daily, amount in found:
        yield account, _date(at), bool(daily), int(amount)


def _date(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
