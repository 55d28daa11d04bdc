"""Money on the overview, from what was reckoned last: day by day, the ledger, tonight, how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from billclock.billing import money, reckonings
from billclock.billing.ledger import Cause, Seal
from billclock.billing.overview import DAYS
from billclock.web.billing_runs_next import next_of
from billclock.web.dashboard_card import Look
from billclock.web.kit import chart
from billclock.web.kit.leading import list_of
from billclock.web.visible import visible

NEAR = 7  # days within which money that ends is pressing
LINE = "2"  # pixels of the line that a day's charges are drawn as

CAUSES: Mapping[Cause, Promise] = {
    Cause.PAYMENT: gettext_lazy("Payments"),
    Cause.CHARGE: gettext_lazy("Charges"),
    Cause.CHARGE_TAX: gettext_lazy("Tax on charges"),
    Cause.REFUND: gettext_lazy("Refunds"),
    Cause.CHARGEBACK: gettext_lazy("Chargebacks"),
    Cause.REVERSAL: gettext_lazy("Taken back"),
    Cause.OPENING: gettext_lazy("Brought in from before"),
    Cause.ROUNDING: gettext_lazy("Rounding of invoices"),
    Cause.AFFILIATE: gettext_lazy("Partners' rewards"),
    Cause.MANUAL: gettext_lazy("By hand"),
}


@dataclass(frozen=True)
class Figure:
    """A figure with its name, and what stands below it."""

    name: str
    told: str
    below: str = ""
    url: str = ""


@dataclass(frozen=True)
class Line:
    """A line of the ledger: what moved, how often, the change with its sign."""

    name: str
    below: str
    change: str


@dataclass(frozen=True)
class Night:
    """What daily billing of a provider would do next."""

    time: str
    provider: str
    sums: Sequence[str]
    told: str
    question: str


def day_by_day(look: Look) -> Mapping[str, Any] | None:
    """Draw what came in and what was charged each day, in one currency: one query."""
    found = _last("money")
    if found is None:
        return None
    currencies = _currencies(found)
    code = _chosen(look, currencies)
    days = _days(look)
    received, charged = (
        {date.fromisoformat(day): n for day, n in found[name].get(code, {}).items()}
        for name in ("received", "charged")
    )
    drawn = [(day, _major(received.get(day, 0), code), _kind(day, days), "") for day in days]
    worded = [
        (day, value, kind, _worded(day, received.get(day, 0), charged.get(day, 0), code))
        for day, value, kind, _word in drawn
    ]
    lines = [(day, _major(charged.get(day, 0), code), "charged", "") for day in days]
    shown = chart.bars([*worded, *lines]) if any(n for _d, n, _k, _w in [*worded, *lines]) else None
    if shown:
        thin = [replace(bar, height=LINE) if bar.kind == "charged" else bar for bar in shown.bars]
        shown = replace(shown, bars=thin)
    total = _("%(received)s received, %(charged)s charged in %(days)d days") % {
        "received": _said(sum(received.values()), code),
        "charged": _said(sum(charged.values()), code),
        "days": DAYS,
    }
    return {
        "currencies": [(one, one == code) for one in currencies] if len(currencies) > 1 else [],
        "figures": list(_figures(found, code, look.wall.now.date())),
        "chart": shown,
        "label": total,
    }


def ledger(look: Look) -> Mapping[str, Any] | None:
    """Give the clients' balances, what moved them since a day was sealed, and the check."""
    found = _last("money")
    if found is None or not found["ledger"]["currencies"]:
        return None
    code = _chosen(look, _currencies(found))
    of = found["ledger"]["currencies"].get(code, {"accounts": 0, "now": 0, "moves": {}})
    before = of["now"] - sum(change for _count, change in of["moves"].values())
    sealed = found["ledger"]["sealed"]
    accounts = ngettext("%(n)s account in %(code)s", "%(n)s accounts in %(code)s", of["accounts"])
    since = _("Clients' balances before")
    if sealed:
        since = _("Clients' balances, sealed %s") % _day(date.fromisoformat(sealed))
    return {
        "since": since,
        "accounts": accounts % {"n": _grouped(of["accounts"]), "code": code},
        "before": _said(before, code),
        "lines": list(_moves(of["moves"], code)),
        "now": _said(of["now"], code),
        **_checked(look),
    }


def tonight(look: Look) -> Mapping[str, Any] | None:
    """Give what daily billing would do at its next moment, as it was rehearsed last."""
    last = reckonings.last("tonight")
    if last is None or not last.values["providers"]:
        return None
    coming = next_of("billdaily", look.user, look.wall)
    when = look.wall.within(coming.at) if coming and coming.at else ""
    return {
        "nights": [_night(one) for one in last.values["providers"]],
        "when": when,
        "off": not when,
        "asof": look.wall.within(last.at),
    }


def lasting(look: Look) -> Mapping[str, Any] | None:
    """Draw on which day how many accounts' money ends within the coming month."""
    found = _last("lasting")
    if found is None:
        return None
    ends = {date.fromisoformat(day): n for day, n in found["ends"].items()}
    today = look.wall.now.date()
    days = [today + timedelta(days=n) for n in range(DAYS)]
    near = sum(n for day, n in ends.items() if day < today + timedelta(days=NEAR))
    count = sum(ends.values())
    bars = [
        (day, float(ends.get(day, 0)), "warn" if n < NEAR else "past", _ending(day, ends))
        for n, day in enumerate(days)
    ]
    missing = ", ".join(_said(n, code) for code, n in sorted(found["missing"].items()))
    words = ngettext("%(n)s account runs dry", "%(n)s accounts run dry", count)
    soon = ngettext("%(n)s of them within a week", "%(n)s of them within a week", near)
    return {
        "chart": chart.bars(bars, height=120) if count else None,
        "label": f"{words % {'n': _grouped(count)}}, {soon % {'n': _grouped(near)}}",
        "missing": missing,
    }


def _last(name: str) -> Mapping[str, Any] | None:
    last = reckonings.last(name)
    return last.values if last else None


def _currencies(found: Mapping[str, Any]) -> list[str]:
    """Give the currencies that clients have accounts in, the one of most of them first."""
    held = found["ledger"]["currencies"]
    return sorted(held, key=lambda code: (-held[code]["accounts"], code))


def _chosen(look: Look, currencies: Sequence[str]) -> str:
    asked = look.request.GET.get("currency", "")
    return asked if asked in currencies else next(iter(currencies), "")


def _figures(found: Mapping[str, Any], code: str, today: date) -> Iterator[Figure]:
    """Give today's sums, and what is owed; the reckoning may be some minutes old."""
    day = today.isoformat()
    for name, word in (("received", _("Received today")), ("charged", _("Charged today"))):
        yield Figure(word, _said(found[name].get(code, {}).get(day, 0), code))
    owed = found["owed"].get(code, {})
    for name, word in (("overdue", _("Overdue")), ("open", _("Invoices open"))):
        count, amount = owed.get(name, (0, 0))
        told = ngettext("%(n)s invoice", "%(n)s invoices", count) % {"n": _grouped(count)}
        yield Figure(word, _said(amount, code), told, list_of("invoices", state=name))
    unfunded = found["unfunded"]
    if unfunded:
        words = ngettext("service without money", "services without money", unfunded)
        yield Figure(_("Not renewed"), _grouped(unfunded), words)


def _moves(moves: Mapping[str, Sequence[int]], code: str) -> Iterator[Line]:
    for cause, (count, change) in moves.items():
        word = CAUSES.get(Cause(int(cause)), Cause(int(cause)).label)
        sign = "+" if change > 0 else "−"
        times = ngettext("%(n)s transfer", "%(n)s transfers", count) % {"n": _grouped(count)}
        yield Line(str(word), times, f"{sign} {_said(abs(change), code)}")


def _checked(look: Look) -> Mapping[str, Any]:
    """Say when the books were checked last, and which day was sealed last."""
    check, seal = reckonings.last("books"), Seal.objects.order_by("-on").first()
    said, bad = _("not checked yet"), False
    if check is not None:
        bad = bool(check.values["breaches"])
        words = _("checked %s: something does not hold") if bad else _("checked %s: clean")
        said = words % look.wall.within(check.at)
    return {
        "checked": said,
        "bad": bad,
        "sealed": _("sealed up to %s") % _day(seal.on) if seal else "",
        "digest": seal.digest[:12] if seal else "",
    }


def _night(one: Mapping[str, Any]) -> Night:
    counts = one["counts"]
    renewed, unfunded = counts.get("renewed", 0), counts.get("unfunded", 0)
    told = ngettext("%(n)s renewal", "%(n)s renewals", renewed) % {"n": _grouped(renewed)}
    if unfunded:
        lacking = ngettext("%(n)s lacks money", "%(n)s lack money", unfunded)
        told = f"{told}; {lacking % {'n': _grouped(unfunded)}}"
    return Night(
        time=_day(date.fromisoformat(one["on"])),
        provider=visible(one["provider"]),
        sums=[_said(minor, code) for code, minor in sorted(one["charged"].items())],
        told=told,
        question=visible(one["question"]),
    )


def _days(look: Look) -> list[date]:
    today = look.wall.now.date()
    return [today - timedelta(days=n) for n in range(DAYS, -1, -1)]


def _kind(day: date, days: Sequence[date]) -> str:
    return "now" if day == days[-1] else "past"


def _worded(day: date, received: int, charged: int, code: str) -> str:
    return _("%(day)s: %(received)s received, %(charged)s charged") % {
        "day": date_format(day, "D j M"),
        "received": _said(received, code),
        "charged": _said(charged, code),
    }


def _ending(day: date, ends: Mapping[date, int]) -> str:
    count = ends.get(day, 0)
    words = ngettext("%(n)s account", "%(n)s accounts", count) % {"n": _grouped(count)}
    return f"{date_format(day, 'D j M')}: {words}"


def _said(minor: int, code: str) -> str:
    return money.Money(minor, code).shown(get_language() or "en")


def _major(minor: int, code: str) -> float:
    """Give an amount in the major unit, for a drawing only."""
    places: int = money.exponent(code)
    return minor / 10.0**places


def _day(on: date) -> str:
    return date_format(on, "j M")


def _grouped(count: int) -> str:
    return str(number_format(count, force_grouping=True))
