"""What an account's time has to come: charges as billing would judge them now, and what follows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billclock.billing import forecast, ledger
from billclock.billing.clients import Account
from billclock.billing.forecast import Coming
from billclock.billing.ledger import UNLIMITED
from billclock.billing.services import Service
from billclock.web import client_words as words
from billclock.web.kit.leading import way_to

MOST = 12  # the nearest lines of the column; the table of next charges has more


@dataclass(frozen=True)
class Walk:
    """A charge of the coming month: what it leaves of what can be spent, None if it is not paid.

    `had` is what could be spent when it came.
    """

    service: int
    coming: Coming
    left: int | None
    had: int


@dataclass(frozen=True)
class Month:
    """An account's coming month: the charges in order, the services they are of, its end."""

    account: Account
    on: date
    free: int
    walked: Sequence[Walk]
    services: dict[int, Service]

    @property
    def bound(self) -> bool:
        """Tell whether the account has a floor."""
        return self.account.funds.floor_minor > UNLIMITED

    @property
    def floor(self) -> int:
        """Give the balance at which nothing can be spent any more."""
        return self.account.funds.balance_minor - self.free

    @property
    def need(self) -> int:
        """Give what all of the month costs."""
        return sum(total(one.coming, self.on) for one in self.walked)


@dataclass(frozen=True)
class Ahead:
    """A line to come: its day, how it looks, what and why, what it does to the balance."""

    on: date
    icon: str
    title: str
    why: str = ""
    tone: str = ""
    url: str = ""
    amount: str = ""
    balance: str = ""

    @property
    def day(self) -> str:
        """Say its day, as the days of the past are said."""
        return date_format(self.on, "D j M")


def month(account: Account) -> Month:
    """Reckon the coming month, once for all that a page shows of it: a fixed number of queries."""
    kept: dict[str, Any] = vars(account)
    if (known := kept.get("coming_month")) is not None:
        return cast("Month", known)
    on, held = account.provider.today(), account.funds
    free = ledger.available(held, credit_blocked=account.credit_blocked)
    coming = forecast.of_account(account, on)
    walked = list(walk(coming, free if held.floor_minor > UNLIMITED else None, on))
    keys = {one.service for one in walked}
    services = Service.objects.select_related("product").in_bulk(keys)
    made = kept["coming_month"] = Month(account, on, free, walked, services)
    return made


def total(coming: Coming, on: date) -> int:
    """Give what a charge to come amounts to within the month, each day of it counted."""
    days = (forecast.horizon(on) - max(coming.on, on)).days if coming.daily else 1
    return coming.amount * days


def walk(coming: Sequence[tuple[int, Coming]], free: int | None, on: date) -> Iterator[Walk]:
    """Go through the month as billing would: what cannot be paid is left out, and the rest goes on.

    A charge by the day is told once: with what its first day leaves, or as not paid if any day of
    it is not. `free` is what can be spent now; None for an account without a floor.
    """
    left, short, told = free or 0, dict[int, int](), dict[int, int]()
    ordered = sorted(coming, key=lambda one: (one[1].on, one[0]))
    day = on
    while day < forecast.horizon(on):
        for place, (_service, one) in enumerate(ordered):
            due = max(one.on, on)
            if (due <= day if one.daily else due == day) and place not in short:
                if free is not None and left < one.amount:
                    short[place] = left
                    continue
                left -= one.amount
                told.setdefault(place, left)
        day += timedelta(days=1)
    for place, (service, one) in enumerate(ordered):
        after = told.get(place, left)
        had = short.get(place, after + one.amount)
        yield Walk(service, one, None if place in short else after, had)


def lines(account: Account, kind: str) -> list[Ahead]:
    """Give what is to come of a kind ("" for all), the farthest first, as the column goes."""
    found: list[Ahead] = []
    if kind in {"", "money"}:
        found += _charges(month(account))
    if kind in {"", "services"}:
        found += [*_stops(month(account)), *_ends(account)]
    nearest = sorted(found, key=lambda line: line.on)[:MOST]
    return nearest[::-1]


def _charges(ahead: Month) -> Iterator[Ahead]:
    code = ahead.account.currency_id
    for one, service in _known(ahead):
        what, url = words.service_said(service), way_to("services", one.service)
        on = max(one.coming.on, ahead.on)
        each = _("each day from then on") if one.coming.daily else ""
        if one.left is None:
            yield Ahead(on, "circle-x", _("No money for %s") % what, _short(one, code), "bad", url)
            continue
        left = words.amount(one.left + ahead.floor, code) if ahead.bound else ""
        amount = words.amount(-one.coming.amount, code)
        yield Ahead(on, "receipt-text", what, each, "", url, amount, left)


def _short(one: Walk, code: str) -> str:
    return _("it needs %(need)s, there will be %(have)s; short by %(short)s") % {
        "need": words.amount(one.coming.amount, code),
        "have": words.amount(one.had, code),
        "short": words.amount(one.coming.amount - one.had, code),
    }


def _stops(ahead: Month) -> Iterator[Ahead]:
    """Tell when what will not be paid is stopped at the earliest: its grace after that day."""
    account = ahead.account
    spared = account.never_suspended or account.client.never_suspended
    if not ahead.bound or spared or (account.group and account.group.never_suspended):
        return
    for one, service in _known(ahead):
        if one.left is None and not service.never_suspended and not service.stopped_for:
            own = service.product.grace_days
            days = account.provider.grace_days if own is None else own
            why = ngettext(
                "%d day after the client is told; money before then keeps it running",
                "%d days after the client is told; money before then keeps it running",
                days,
            )
            yield Ahead(
                max(one.coming.on, ahead.on) + timedelta(days=days), "pause",
                _("%s is stopped, at the earliest") % words.service_said(service), why % days,
                url=way_to("services", one.service),
            )  # fmt: skip


def _ends(account: Account) -> Iterator[Ahead]:
    """Tell of services that end within the month, since nothing renews them."""
    on = account.provider.today()
    ending = Service.objects.of(account.pk).open().filter(
        auto_renew=False, paid_until__gte=on, paid_until__lt=forecast.horizon(on)
    )  # fmt: skip
    for service in ending.select_related("product").order_by("paid_until", "pk")[:MOST]:
        yield Ahead(
            service.paid_until, "repeat", _("%s ends") % words.service_said(service),
            _("automatic renewal is off"), url=way_to("services", service.pk),
        )  # fmt: skip


def _known(ahead: Month) -> Iterable[tuple[Walk, Service]]:
    found = ((one, ahead.services.get(one.service)) for one in ahead.walked)
    return ((one, service) for one, service in found if service is not None)
