"""What a letter about an account's finances tells: invoices, charges to come, a statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from billclock.billing import engine, forecast, reminders
from billclock.billing.facts import Facts
from billclock.billing.invoices import Invoice
from billclock.billing.letters.news import News, NoLongerSoError, part, service_name, services
from billclock.billing.notice_kinds import KINDS
from billclock.billing.periods import Period

_DAY = timedelta(days=1)


def gather(news: News) -> Facts:
    """Gather what there is to say. Raise NoLongerSoError where there is nothing."""
    balance = news.account.funds.balance_minor
    parts = [*_unpaid(news), *_coming(news), *_statement(news, balance)]
    if not parts and balance >= 0:
        raise NoLongerSoError("there is nothing to say")
    return {
        "balance": news.money(balance),
        "debt": news.money(-balance) if balance < 0 else None,
        "parts": parts,
    }


def _unpaid(news: News) -> Iterator[Facts]:
    unpaid = Invoice.objects.open().filter(account=news.account).order_by("issued_on", "id")
    lines = [
        {
            "name": invoice.number or str(invoice.pk),
            "note": {"said": _("due on %s"), "of": invoice.due_on} if invoice.due_on else "",
            "amount": news.money(invoice.left),
        }
        for invoice in unpaid
    ]
    if lines:
        total = sum(invoice.left for invoice in unpaid)
        yield part(lines, title=_("Unpaid invoices"), total=news.money(total))


def _coming(news: News) -> Iterator[Facts]:
    """Tell of renewals until the day the letter looks ahead to; daily charges by their day."""
    _period, ahead = reminders.told_period(KINDS[news.kind], news.period)
    today = news.account.provider.today()
    found = [(key, one) for key, one in forecast.of_account(news.account, today) if one.on < ahead]
    names = services(key for key, _one in found)
    lines = [
        {
            "name": service_name(names[key]),
            "note": _("each day") if one.daily else _on(max(one.on, today)),
            "amount": news.money(one.amount),
        }
        for key, one in found
        if one.amount
    ]
    if lines:
        yield part(lines, title=_("Coming charges"))


def _on(day: date) -> Mapping[str, Any]:
    return {"said": _("renews on %s"), "of": day}


def _statement(news: News, balance: int) -> Iterator[Facts]:
    """Tell what came and went in the period, and the balance before and after it."""
    period, _ahead = reminders.told_period(KINDS[news.kind], news.period)
    account = {"account": news.account.pk}
    given, given_since = _moved("debit_id = %(account)s", account, period)
    # the index of what came in knows no charges: nobody gets money by them
    came = "credit_id = %(account)s AND NOT (cause IN (1, 2))"
    got, got_since = _moved(came, account, period)
    if not (got or given):
        return
    after = balance - got_since + given_since
    lines = (
        (_("Balance before"), after - got + given, period.start),
        (_("Money in"), got, None),
        (_("Money out"), -given, None),
        (_("Balance after"), after, period.end - _DAY),
    )
    yield part(
        [{"name": name, "note": day, "amount": news.money(n)} for name, n, day in lines],
        title=_("What happened"),
    )


def _moved(whose: str, account: engine.Values, period: Period) -> tuple[int, int]:
    """Give what moved within a period, and since its end."""
    ((within, since),) = engine.rows(
        f"""SELECT coalesce(sum(CASE WHEN "on" < {engine.day("end")} THEN amount_minor END), 0),
                   coalesce(sum(CASE WHEN "on" >= {engine.day("end")} THEN amount_minor END), 0)
            FROM billing_transfer WHERE {whose} AND "on" >= {engine.day("start")}""",  # noqa: S608
        {**account, "start": period.start.isoformat(), "end": period.end.isoformat()},
    )
    return int(within), int(since)
