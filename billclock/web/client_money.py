"""An account's money on its page: what there is, for how long it lasts, what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billclock.billing.clients import Account
from billclock.billing.forecast import Coming
from billclock.billing.money import exponent
from billclock.billing.progress import Parked
from billclock.web import client_coming
from billclock.web import client_words as words
from billclock.web.client_coming import Month
from billclock.web.client_story import changes
from billclock.web.kit import chart
from billclock.web.kit.leading import way_to

DRAWN = timedelta(days=60)
MOST_NEXT = 25


@dataclass(frozen=True)
class Next:
    """A charge to come: when, of which service, what it leaves, and whether that is enough."""

    when: str
    what: str
    url: str
    amount: str
    left: str
    covered: bool
    daily: bool


def of_account(row: Any, _request: HttpRequest) -> dict[str, Any]:
    """Give the head of an account's page, and the charges of the coming month."""
    account: Account = row
    held, code, ahead = account.funds, account.currency_id, client_coming.month(account)
    on, free, bound, need = ahead.on, ahead.free, ahead.bound, ahead.need
    ends = next((one.coming for one in ahead.walked if one.left is None), None)
    return {
        "balance": words.amount(held.balance_minor, code),
        "below": held.balance_minor < 0,
        "free": words.amount(max(free, 0), code) if bound else "",
        "floor": words.amount(held.floor_minor, code) if bound else "",
        "kind": words.ACCOUNT_KINDS[Account.Kind(account.kind)],
        "credit": account.kind == Account.Kind.CREDIT,
        "due": ngettext("within %d day", "within %d days", account.credit_due_days)
        % account.credit_due_days,
        "blocked": account.credit_blocked,
        "parked": Parked.objects.filter(account=account).exists(),
        "autopay": _autopay(account),
        "need": words.amount(need, code),
        "missing": words.amount(need - free, code) if bound and need > free else "",
        "lasts": _lasts(ends, on) if bound else "",
        "ends": ends is not None,
        "next": _said(ahead),
        "cut": len(ahead.walked) > MOST_NEXT,
        "chart": _drawn(account, on),
        "label": _("Balance of the last %d days") % DRAWN.days,
        "statement": way_to("client-accounts", account.pk, "statement"),
    }


def _said(ahead: Month) -> list[Next]:
    code = ahead.account.currency_id
    return [
        Next(
            _when(one.coming, ahead.on),
            words.service_said(ahead.services[one.service]),
            way_to("services", one.service),
            words.amount(one.coming.amount, code),
            words.amount(one.left + ahead.floor, code)
            if ahead.bound and one.left is not None
            else "",
            one.left is not None,
            one.coming.daily,
        )
        for one in ahead.walked[:MOST_NEXT]
        if one.service in ahead.services
    ]


def _when(coming: Coming, on: date) -> str:
    if coming.on <= on:
        return _("each day from today") if coming.daily else _("today")
    day = date_format(coming.on, "D j M")
    return _("each day from %s") % day if coming.daily else day


def _lasts(ends: Coming | None, on: date) -> str:
    """Say for how long the money lasts."""
    if ends is None:
        return _("for the whole month to come")
    day = max(ends.on, on)
    if ends.daily:
        return _("not for all days of the month to come")
    days = (day - on).days
    far = ngettext("in %d day", "in %d days", days) % days if days else _("today")
    return _("until %(day)s, %(far)s") % {"day": date_format(day, "D j M Y"), "far": far}


def _autopay(account: Account) -> str:
    stored = account.autopay
    if stored is None:
        return ""
    named = " ".join(part for part in (stored.method.name, stored.masked) if part)
    if account.autopay_most_minor is None:
        return named
    most = words.amount(account.autopay_most_minor, account.currency_id)
    return _("%(method)s, at most %(most)s a month") % {"method": named, "most": most}


def _drawn(account: Account, on: date) -> chart.Line | None:
    """Draw the balance of the last days as steps; None where nothing moved."""
    first = on - DRAWN
    moved = changes(account, first + timedelta(days=1), date.max)
    if not moved:
        return None
    parts = 10.0 ** exponent(account.currency_id)
    balance = account.funds.balance_minor - sum(moved.values())
    points = [(first, balance / parts)]
    for day in sorted(moved):
        points.append((day, balance / parts))
        balance += moved[day]
        points.append((min(day, on), balance / parts))
    return chart.line(points, first, on, height=180)
