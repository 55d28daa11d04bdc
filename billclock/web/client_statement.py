"""An account's statement: what it had on a day, what moved until another, what was left."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from itertools import islice

from asgiref.sync import sync_to_async
from django import forms
from django.db import close_old_connections
from django.http import Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_lazy, override, pgettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billclock.billing import ledger
from billclock.billing.clients import Account
from billclock.billing.ledger import Cause, Entry, Transfer
from billclock.billing.money import exponent
from billclock.billing.periods import add_months
from billclock.web import client_words as words
from billclock.web.kit import rights
from billclock.web.kit.cells import harmless
from billclock.web.kit.detail import one
from billclock.web.kit.fields import Day
from billclock.web.kit.section import Section

MOST = 1000  # lines of a page; the file has them all
LONGEST = timedelta(days=3660)
HEADINGS = ("date", "what", "why", "change", "balance", "currency", "transfer")


class Span(forms.Form):
    """From which day until which, both of them in."""

    since = Day(label=pgettext_lazy("day", "From"))
    until = Day(label=gettext_lazy("until"))

    def clean(self) -> dict[str, date]:
        """Refuse a span that runs backwards, or is beyond all reason."""
        values: dict[str, date] = super().clean() or self.cleaned_data
        since, until = values.get("since"), values.get("until")
        if since and until and not timedelta() <= until - since <= LONGEST:
            self.add_error("until", _("Give a day after the first, and at most 10 years."))
        if since and since <= date.min:
            self.add_error("since", _("Give a later day."))
        return values


@dataclass(frozen=True)
class Line:
    """A movement in words."""

    on: date
    told: words.Told
    change: str
    balance: str
    came: bool
    below: bool


@require_safe
def page(request: HttpRequest, section: Section, key: str) -> HttpResponse:
    """Show the statement of an account for the days asked for, this month's without any."""
    rights.reader(request, section)
    account: Account = one(section, key)
    form, since, until = _span(request.GET, account)
    entries = list(islice(ledger.statement(account.funds, since, until), MOST + 1))
    cut, entries = len(entries) > MOST, entries[:MOST]
    code = account.currency_id
    opening = (
        entries[0].balance_minor - entries[0].change_minor
        if entries
        else ledger.balance(account.funds, until)
    )
    closing = ledger.balance(account.funds, until) if cut else None
    closing = (
        closing if closing is not None else (entries[-1].balance_minor if entries else opening)
    )
    context = {
        "section": section, "account": account, "form": form, "since": since, "until": until,
        "before": since - timedelta(days=1), "lines": list(_lines(entries, code)),
        "cut": cut, "most": MOST, "opening": words.amount(opening, code),
        "closing": words.amount(closing, code), "moved": words.amount(
            closing - opening, code, signed=True), "months": _months(account.provider.today()),
    }  # fmt: skip
    status = 200 if form.is_valid() else 422
    return render(request, "clients/statement.html", context, status=status)


@require_safe
def as_csv(request: HttpRequest, section: Section, key: str) -> StreamingHttpResponse:
    """Give the same as a file, with plain amounts; the balances before and after are lines too."""
    rights.reader(request, section)
    account: Account = one(section, key)
    form, since, until = _span(request.GET, account)
    if not form.is_valid():
        raise Http404(_("These are no days of a statement."))
    parts = _parts(account, since, until, get_language() or "en")
    answer = StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8")
    name = f"statement-{account.pk}-{since.isoformat()}-{until.isoformat()}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _span(given: QueryDict, account: Account) -> tuple[Span, date, date]:
    """Read the days of an address; what makes no sense is told, and this month shown."""
    today = account.provider.today()
    usual = {"since": today.replace(day=1), "until": today}
    form = Span({name: given.get(name) or day.isoformat() for name, day in usual.items()})
    values = form.cleaned_data if form.is_valid() else usual
    return form, values["since"], values["until"]


def _months(today: date) -> list[tuple[str, date, date]]:
    """Give the months one looks at most: name, first day, last day."""
    firsts = [add_months(today.replace(day=1), -back, 1) for back in range(4)]
    return [
        (date_format(first, "F Y"), first, add_months(first, 1, 1) - timedelta(days=1))
        for first in firsts
    ]


def _lines(entries: list[Entry], code: str) -> Iterator[Line]:
    """Say movements; a charge and its tax are one, where the first of them is."""
    told = words.Movements((entry.transfer for entry in entries), code)
    sums: Counter[object] = Counter()
    for entry in entries:
        sums[_one(entry.transfer)] += entry.change_minor
    balance = entries[0].balance_minor - entries[0].change_minor if entries else 0
    for entry in entries:
        change = sums.pop(_one(entry.transfer), None)
        if change is None:
            continue
        balance += change
        yield Line(
            entry.transfer.on, told.told(entry.transfer),
            words.amount(change, code, signed=True), words.amount(balance, code),
            change > 0, balance < 0,
        )  # fmt: skip


def _one(transfer: Transfer) -> object:
    """Name what a transfer is a part of: its day's charge, or what took that back, else itself."""
    back = transfer.reverses if transfer.cause == Cause.REVERSAL else None
    origin = transfer if back is None else back
    if origin.cause not in words.CHARGED:
        return transfer.pk
    return transfer.on, back is None, origin.source


async def _parts(account: Account, since: date, until: date, language: str) -> AsyncIterator[str]:
    """Write a month at a time; no database connection is held in between."""
    yield _written([HEADINGS])
    first: date | None = since
    while first is not None:
        text, first = await sync_to_async(_part)(account, since, first, until, language)
        yield text


def _part(
    account: Account, since: date, first: date, until: date, language: str
) -> tuple[str, date | None]:
    """Give a month's lines as text, and the first day that follows; None at the end."""
    following = add_months(first.replace(day=1), 1, 1)
    last = min(until, following - timedelta(days=1))
    code = account.currency_id
    try:
        with override(language):
            rows: list[tuple[object, ...]] = []
            if first == since:
                before = since - timedelta(days=1)
                rows.append(_balance(account, before, _("Opening balance")))
            entries = list(ledger.statement(account.funds, first, last))
            told = words.Movements((entry.transfer for entry in entries), code)
            rows += [_cells(entry, told.told(entry.transfer), code) for entry in entries]
            if last == until:
                rows.append(_balance(account, until, _("Closing balance")))
            return _written(rows), None if last == until else following
    finally:
        close_old_connections()


def _cells(entry: Entry, told: words.Told, code: str) -> tuple[object, ...]:
    change, balance = _plain(entry.change_minor, code), _plain(entry.balance_minor, code)
    on = entry.transfer.on.isoformat()
    return on, told.title, told.why, change, balance, code, entry.transfer.pk


def _balance(account: Account, on: date, name: str) -> tuple[object, ...]:
    code = account.currency_id
    balance = _plain(ledger.balance(account.funds, on), code)
    return on.isoformat(), name, "", "", balance, code, ""


def _plain(minor: int, code: str) -> Decimal:
    return Decimal(minor).scaleb(-exponent(code))


def _written(lines: list[tuple[object, ...]]) -> str:
    text = StringIO()
    csv.writer(text).writerows([harmless(cell) for cell in line] for line in lines)
    return text.getvalue()
