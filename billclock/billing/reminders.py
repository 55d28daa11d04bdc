"""Whom the warning jobs have to tell what: by set, each crossing once, the most urgent only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

from billclock.billing import engine, forecast
from billclock.billing import notice_kinds as kinds
from billclock.billing.forecast import crossed
from billclock.billing.money import Money
from billclock.billing.notifications import SUPERSEDED, Telling
from billclock.billing.payments import Payment
from billclock.billing.periods import Period, add_months
from billclock.billing.provider import Provider

RENEWAL_OFF_DAYS = 30
"""A switched-off renewal is told when the service ends within so many days."""


def ends(provider: Provider, on: date) -> Iterator[Telling]:
    """Tell of services in use whose end is near and which are not renewed by themselves."""
    return _nearing(provider, on, kinds.EXPIRING, "paid_until", "AND NOT s.auto_renew")


def updates(provider: Provider, on: date) -> Iterator[Telling]:
    """Tell of products in use whose updates end soon."""
    return _nearing(provider, on, kinds.UPDATES_ENDING, "updates_until", "")


def _nearing(
    provider: Provider, on: date, kind: kinds.Kind, column: str, only: str
) -> Iterator[Telling]:
    days = provider.expiry_days
    found = engine.rows(
        f"""SELECT s.account_id, s.id, s.{column} FROM billing_service s
            JOIN billing_account a ON a.funds_id = s.account_id
            WHERE a.provider_id = %(provider)s AND s.status = 2 AND s.stopped_for = 0 {only}
              AND s.{column} BETWEEN {engine.day("on")} AND {engine.day("last")}""",  # noqa: S608
        {
            "provider": provider.pk,
            "on": on.isoformat(),
            "last": (on + timedelta(days=max(days, default=-1))).isoformat(),
        },
    )
    for account, service, until in found:
        end = _date(until)
        telling = Telling(account, kind.name, end, service)
        yield from at_thresholds(telling, (end - on).days, days)


def switched_off(provider: Provider, on: date) -> Iterator[Telling]:
    """Tell of switches that ended a service's automatic renewal, if its end is not far.

    Only a service's last switch counts, and only while it holds.
    """
    found = engine.rows(
        f"""SELECT s.account_id, w.id, s.paid_until FROM billing_renewalswitch w
            JOIN billing_service s ON s.id = w.service_id
            JOIN billing_account a ON a.funds_id = s.account_id
            WHERE a.provider_id = %(provider)s AND NOT w."on" AND NOT s.auto_renew
              AND s.status IN (2, 3, 5)
              AND s.paid_until BETWEEN {engine.day("on")} AND {engine.day("last")}
              AND NOT EXISTS (SELECT 1 FROM billing_renewalswitch later
                              WHERE later.service_id = w.service_id AND later.id > w.id)""",  # noqa: S608
        {
            "provider": provider.pk,
            "on": on.isoformat(),
            "last": (on + timedelta(days=RENEWAL_OFF_DAYS)).isoformat(),
        },
    )
    for account, switch, until in found:
        yield Telling(account, kinds.RENEWAL_OFF.name, _date(until), switch)


def money(provider: Provider, on: date) -> Iterator[Telling]:
    """Tell of money that runs out within the provider's days, and of credit near its limit.

    A forecast's letters are counted since money last came in: new money, new letters. Who is
    paying right now is left alone.
    """
    paying = set(
        Payment.objects.filter(
            account__provider=provider, state=Payment.State.IN_PROGRESS
        ).values_list("account_id", flat=True)
    )
    for outlook in forecast.short(provider, on):
        if outlook.account in paying:
            continue
        telling = Telling(
            outlook.account,
            kinds.LOW_MONEY.name,
            outlook.since,
            facts={
                "ends_on": outlook.ends_on,
                "need": Money(outlook.missing, outlook.currency),
                "balance": Money(outlook.balance, outlook.currency),
            },
        )
        days = (outlook.ends_on - on).days
        yield from at_thresholds(telling, days, provider.low_money_days)
    for owing in forecast.owing(provider, on):
        yield from _of_credit(owing)


def _of_credit(owing: forecast.Owing) -> Iterator[Telling]:
    facts = {
        "balance": Money(owing.balance, owing.currency),
        "limit": Money(owing.limit, owing.currency),
        "left": Money(max(owing.left, 0), owing.currency),
    }
    near = Telling(owing.account, kinds.CREDIT_NEAR.name, owing.since, facts=facts)
    if owing.left > 0:
        yield near
    else:
        yield replace(near, kind=kinds.CREDIT_REACHED.name)
        yield replace(near, why_not=SUPERSEDED)


def finances(provider: Provider, dates: Sequence[date]) -> Iterator[Telling]:
    """Tell of the last week, of the last month, where the dates hold their beginning.

    The period is the day the letter is due: a Monday, the first of a month. Of several only the
    last counts. Nobody is told who has nothing to hear of: no invoice, debt, charge or transfer.
    """
    weekly = max((day for day in dates if day.weekday() == 0), default=None)
    monthly = max((day for day in dates if day.day == 1), default=None)
    if weekly:
        yield from _finances(provider, weekly, kinds.FINANCE_WEEKLY)
    if monthly:
        yield from _finances(provider, monthly, kinds.FINANCE_MONTHLY)


def _finances(provider: Provider, on: date, kind: kinds.Kind) -> Iterator[Telling]:
    period, ahead = told_period(kind, on)
    found = engine.rows(
        f"""SELECT a.funds_id FROM billing_account a
            JOIN billing_ledgeraccount l ON l.id = a.funds_id
            WHERE a.provider_id = %(provider)s AND {_WANTED}
              AND (l.balance_minor < 0
                   OR EXISTS (SELECT 1 FROM billing_invoice i WHERE i.account_id = a.funds_id
                              AND i.state IN ('issued', 'closed') AND i.paid_on IS NULL
                              AND i.kind <> 'credit note')
                   OR EXISTS (SELECT 1 FROM billing_transfer t WHERE t.debit_id = a.funds_id
                              AND t."on" >= {engine.day("first")} AND t."on" < {engine.day("on")})
                   OR EXISTS (SELECT 1 FROM billing_transfer t WHERE t.credit_id = a.funds_id
                              AND NOT (t.cause IN (1, 2))
                              AND t."on" >= {engine.day("first")} AND t."on" < {engine.day("on")})
                   OR EXISTS (SELECT 1 FROM billing_service s WHERE s.account_id = a.funds_id
                              AND s.status IN (2, 3, 5) AND s.auto_renew AND s.stopped_for = 0
                              AND s.paid_until < {engine.day("ahead")}))""",  # noqa: S608
        {
            "provider": provider.pk,
            "kind": kind.name,
            "default": kind.on,
            "on": on.isoformat(),
            "first": period.start.isoformat(),
            "ahead": ahead.isoformat(),
        },
    )
    for (account,) in found:
        yield Telling(account, kind.name, on)


def told_period(kind: kinds.Kind, on: date) -> tuple[Period, date]:
    """Give the period that a letter about finances looks back on, and the day it looks ahead to."""
    if kind is kinds.FINANCE_WEEKLY:
        week = timedelta(days=7)
        return Period(on - week, on), on + week
    return Period(add_months(on, -1, 1), on), add_months(on, 1, on.day)


_WANTED = """EXISTS (SELECT 1 FROM billing_contact p
                     LEFT JOIN billing_subscription u ON u.contact_id = p.id
                          AND u.kind = %(kind)s AND u.channel = 'mail'
                     WHERE p.client_id = a.client_id AND p.email <> ''
                       AND (u."on" OR (u.id IS NULL AND %(default)s)))"""


def at_thresholds(telling: Telling, days: int, thresholds: Sequence[int]) -> Iterator[Telling]:
    """Give what so many days left call for: the most urgent telling, the others recorded."""
    over = crossed(days, thresholds)
    if over is not None:
        urgent, others = over
        yield replace(telling, threshold=urgent)
        for threshold in others:
            yield replace(telling, threshold=threshold, facts={}, why_not=SUPERSEDED)


def _date(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
