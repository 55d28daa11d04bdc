"""Which periods follow a service's paid time, and how much of the price each costs.

A chunk's services have few different (cycle, end, anchor, months), so each is reckoned once by
`periods`, the one place of that arithmetic, and joined to the services.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from billclock.billing import engine, periods
from billclock.billing.catalog import Cycle

COLUMNS = (
    "cycle", "by_months", "paid_until", "anchor_day", "months",
    "starts", "ends", "part_from", "part_to", "parts", "hours",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the next period of a service depends on."""

    cycle: int
    by_months: int
    paid_until: date
    anchor_day: int
    months: int


@dataclass(frozen=True, slots=True)
class Span:
    """A period to charge, for the parts `part_from` to `part_to` of `parts` of the price."""

    starts: date
    ends: date
    part_from: int
    part_to: int
    parts: int
    hours: int = 1


def following(wanted: Wanted, zone: ZoneInfo) -> Iterator[Span]:
    """Give the periods that a renewal charges: one, or each month where the price is parted so."""
    start = wanted.paid_until
    if wanted.cycle in {Cycle.DAILY, Cycle.HOURLY}:
        length = monthrange(start.year, start.month)[1]
        hours = periods.hours_of(start, zone) if wanted.cycle == Cycle.HOURLY else 1
        yield Span(start, start + timedelta(days=1), start.day - 1, start.day, length, hours)
    elif wanted.cycle == Cycle.CALENDAR and start.day != 1:
        yield _to_the_first(start, wanted.months)
    elif wanted.by_months and wanted.months > 1:
        months = periods.months_of(start, wanted.months, wanted.anchor_day)
        for number, month in enumerate(months):
            yield Span(month.start, month.end, number, number + 1, wanted.months)
    else:
        end = periods.add_months(start, wanted.months, wanted.anchor_day)
        yield Span(start, end, 0, 1, 1)


def _to_the_first(start: date, months: int) -> Span:
    """Give the rest of a calendar period that a pause has cut: the days of its first month."""
    length = monthrange(start.year, start.month)[1]
    end = periods.add_months(start, months, 1)
    return Span(start, end, start.day - 1, months * length, months * length)


def lay_out(wanted: list[Wanted], zone: ZoneInfo) -> None:
    """Fill this connection's table `span_now` with the periods of all that is wanted."""
    engine.scratch(
        "span_now",
        "cycle integer, by_months integer, paid_until date, anchor_day integer, months integer, "
        "starts date, ends date, part_from bigint, part_to bigint, parts bigint, hours bigint, "
        "PRIMARY KEY (paid_until, anchor_day, months, cycle, by_months, starts)",
    )
    engine.insert(
        "span_now",
        COLUMNS,
        [
            tuple(map(_plain, (*astuple(want), *astuple(span))))
            for want in wanted
            for span in following(want, zone)
        ],
    )


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value
