"""Requests to pay that are written by themselves for renewals to come which no money covers.

The panel's rules: never for accounts with a credit limit or charges by the day or hour, never for
domains and certificates; a service that a request of these days names already is left out, so
that a later request is a supplement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from hashlib import blake2b

from billclock.billing import engine, forecast, invoicing, pricing
from billclock.billing.catalog import Cycle
from billclock.billing.clients import Account
from billclock.billing.daily import due
from billclock.billing.daily.due import Scope
from billclock.billing.invoice_lines import LONGEST, Line
from billclock.billing.invoices import Invoice, InvoiceLine
from billclock.billing.provider import Provider
from billclock.billing.services import Service

MARK = "automatic"
"""How the keys of such requests begin."""

BY_TIME = (Cycle.DAILY, Cycle.HOURLY)


def wanted(provider: Provider, on: date) -> list[Account]:
    """Give the accounts whose money ends within the days of low-money letters, and may be asked."""
    if not provider.automatic_invoices:
        return []
    last = on + timedelta(days=_days(provider))
    short = [it.account for it in forecast.short(provider, on) if it.ends_on < last]
    by_time = Service.objects.open().filter(account__in=short, product__cycle__in=BY_TIME)
    asked = Account.objects.filter(pk__in=short, kind=Account.Kind.PREPAID)
    found = asked.exclude(pk__in=by_time.values("account"))
    return list(found.select_related("company", "provider", "client").order_by("pk"))


def ask(account: Account, on: date) -> Invoice | None:
    """Write and send an account's request for what none of these days names; None for nothing."""
    lines = lines_of(account, on)
    if not lines:
        return None
    named = "|".join(f"{line.text} {line.start}" for line in lines)
    digest = blake2b(named.encode(), digest_size=8).hexdigest()
    key = f"{MARK} {account.number} {on} {digest}"
    return invoicing.request_payment(account, lines, key=key, on=on)


def lines_of(account: Account, on: date) -> list[Line]:
    """Give the renewals of the coming days that are to be asked for."""
    days = timedelta(days=_days(account.provider))
    known = _named(account, on - days)
    return [line for line in _renewals(account, on + days) if (line.text, line.start) not in known]


def _days(provider: Provider) -> int:
    return int(max(provider.low_money_days, default=0))


def _named(account: Account, since: date) -> set[tuple[str, date | None]]:
    """Give what open requests name; an older one has been forgotten, and is written anew."""
    lines = InvoiceLine.objects.filter(
        invoice__account=account,
        invoice__kind=Invoice.Kind.REQUEST,
        invoice__state=Invoice.State.ISSUED,
        invoice__key__startswith=f"{MARK} ",
        invoice__issued_on__gt=since,
    )
    return set(lines.values_list("text", "period_start"))


def _renewals(account: Account, before: date) -> Iterable[Line]:
    """Give the lines of what renews before a date, priced as billing will."""
    pricing.lay_out(account.provider, before)
    due.lay_out(Scope(account.provider, before - timedelta(days=1), account.pk, account.pk))
    found = engine.rows(
        """SELECT s.id, p.name, s.name, s.number, min(d.starts), max(d.ends), sum(d.net_minor),
                  sum(d.tax_minor), max(d.tax_ppm), max(a.tax_area)
           FROM due d JOIN billing_service s ON s.id = d.service_id
           JOIN billing_account a ON a.funds_id = d.account_id
           JOIN billing_product p ON p.id = s.product_id
           JOIN billing_producttype k ON k.id = p.type_id
           LEFT JOIN billing_module m ON m.id = p.module_id
           WHERE NOT k.domain AND coalesce(m.plugin, '') <> 'acme'
                 AND s.stored_method_id IS NULL
           GROUP BY s.id, p.name, s.name, s.number
           HAVING sum(d.net_minor) > 0 ORDER BY min(d.starts), s.id"""
    )
    for _key, product, name, number, starts, ends, net, tax, ppm, area in found:
        line = Line(f"{product}, {name or number}"[:LONGEST], int(net), int(tax), ppm, area or "")
        yield replace(line, start=_date(starts), end=_date(ends))


def _date(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
