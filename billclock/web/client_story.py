"""One column of an account's time that says why: every record of it, newest first, page by page."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from heapq import merge
from itertools import groupby, islice
from typing import Any

from django.db.models import Q, Sum
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from billclock.billing import ledger
from billclock.billing.clients import Account
from billclock.billing.ledger import Transfer
from billclock.web import client_coming, service_columns
from billclock.web import client_words as words
from billclock.web.client_story_sources import SOURCES, Line, Rows, Source, Whose

A_PAGE = 120  # lines before those of one service by the day are folded
KINDS = ("", "money", "services", "letters")
Place = tuple[date, int, int]


@dataclass(frozen=True)
class Told:
    """A line as the page shows it; the first one of a day has the day, and its closing balance."""

    line: Line
    day: str
    amount: str
    balance: str
    below: bool


@dataclass(frozen=True)
class Month:
    """Lines under the name of their month."""

    name: str
    lines: Sequence[Told]


def shown(row: Any, request: HttpRequest) -> dict[str, Any]:
    """Give the page of the column that the address asks for."""
    account: Account = row
    kind = request.GET.get("show", "")
    kind = kind if kind in KINDS else ""
    place = read(request.GET.get("before", ""))
    lines = page(account, kind, place)
    names = {
        "": pgettext("story", "All"),
        "money": _("Money"),
        "services": _("Services"),
        "letters": _("Letters"),
    }
    more = len(lines) > A_PAGE
    lines = lines[:A_PAGE]
    return {
        "kinds": [(names[one], _link(show=one), one == kind) for one in KINDS],
        "months": _months(account, lines),
        "older": _link(show=kind, before=written(lines[-1].place)) if more else "",
        "newest": _link(show=kind) if place else "",
        "ahead": [] if place else client_coming.lines(account, kind),
        "now": words.amount(account.funds.balance_minor, account.currency_id),
        "today": account.provider.today(),
        "currency": account.currency_id,
    }


def page(account: Account, kind: str, place: Place | None) -> list[Line]:
    """Give the lines after a place, one more than a page; a fixed number of queries."""
    whose = Whose.of(account)
    found = [
        _part(source, whose, rank, place)
        for rank, source in enumerate(SOURCES)
        if kind in {"", source.kind}
    ]
    ordered = merge(*found, key=lambda line: line.place, reverse=True)
    return list(islice(ordered, A_PAGE + 1))


def written(place: Place) -> str:
    """Write a place for an address."""
    on, rank, key = place
    return f"{on.isoformat()}.{rank}.{key}"


def read(text: str) -> Place | None:
    """Read a place; None where it is none."""
    try:
        on, rank, key = text.split(".")
        return date.fromisoformat(on), int(rank), min(int(key), 2**62)
    except ValueError:
        return None


def _part(source: Source, whose: Whose, rank: int, place: Place | None) -> list[Line]:
    rows = source.rows(whose)
    if place is not None:
        rows = _before(rows, rank, place)
    found = list(rows.order_by("-day", "-pk")[: A_PAGE + 1])
    return list(source.lines(found, whose.account, rank))


def _before(rows: Rows, rank: int, place: Place) -> Rows:
    """Keep what comes after a place in the column, which is before it in time."""
    on, of, key = place
    if rank < of:
        return rows.filter(day__lte=on)
    if rank > of:
        return rows.filter(day__lt=on)
    return rows.filter(Q(day__lt=on) | Q(pk__lt=key), day__lte=on)


def _months(account: Account, lines: Sequence[Line]) -> list[Month]:
    closing = _closing(account, lines)
    last: date | None = None
    months = []
    for name, some in groupby(lines, key=lambda line: date_format(line.on, "F Y")):
        told = []
        for line in folded(list(some)):
            first, last = line.on != last, line.on
            told.append(_told(line, account.currency_id, closing[line.on] if first else None))
        months.append(Month(name, told))
    return months


def folded(lines: Sequence[Line]) -> Iterator[Line]:
    """Give a month's lines with those of one fold as one, where the newest of them is."""
    groups: defaultdict[object, list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.fold or line.place].append(line)
    for line in lines:
        some = groups.pop(line.fold or line.place, None)
        if some is None:
            continue
        if line.fold is None or len(some) == 1:
            yield line
            continue
        what, kind = line.fold
        count = ngettext("%d charge", "%d charges", len(some)) % len(some)
        yield replace(
            line,
            title=f"{what}, {service_columns.days(some[-1].on, line.on + timedelta(days=1))}",
            why=f"{kind}: {count}",
            change=sum(one.change or 0 for one in some),
        )


def _told(line: Line, currency: str, balance: int | None) -> Told:
    return Told(
        line,
        "" if balance is None else date_format(line.on, "D j"),
        words.amount(line.change, currency, signed=True) if line.change else "",
        "" if balance is None else words.amount(balance, currency),
        balance is not None and balance < 0,
    )


def _closing(account: Account, lines: Sequence[Line]) -> dict[date, int]:
    """Give the balance at the end of each day of some lines, the newest first: four queries."""
    if not lines:
        return {}
    first, last = lines[-1].on, lines[0].on
    moved = changes(account, first, last)
    balance = ledger.balance(account.funds, last)
    closing = {}
    for on in sorted({line.on for line in lines} | set(moved), reverse=True):
        closing[on] = balance
        balance -= moved[on]
    return closing


def changes(account: Account, first: date, last: date) -> Counter[date]:
    """Give by how much each day of a range changed the balance; two queries."""
    sums: Counter[date] = Counter()
    ways = (ledger.received(account.funds), 1), (Transfer.objects.filter(debit=account.pk), -1)
    for rows, sign in ways:
        days = rows.filter(on__range=(first, last)).order_by().values_list("on")
        for on, minor in days.annotate(sum=Sum("amount_minor")):
            sums[on] += sign * minor
    return sums


def _link(**given: str) -> str:
    asked = urlencode({name: value for name, value in given.items() if value})
    return f"?{asked}#panel-story"
