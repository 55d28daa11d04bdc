"""Half-open periods of dates, anchored month arithmetic, billing cycles, and prices over them.

A period's price is parted by days with `money.span`, so that whatever tiles a period adds up to
its price. Dates are business dates; amounts are in minor units.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from billclock.billing.errors import PeriodError
from billclock.billing.money import share, span

LENGTHS = (1, 3, 6, 12, 24, 36)
"""The lengths of periods that are sold, in months."""

_LAST_ANCHOR = 31
_MONTHS = 12
_HOUR = 3600
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The days from `start` to the day before `end`; PeriodError where there is none."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise PeriodError(f"no day lies from {self.start} to before {self.end}")

    def __contains__(self, on: date) -> bool:
        return self.start <= on < self.end

    def __str__(self) -> str:
        return f"{self.start} to {self.last}"

    @property
    def days(self) -> int:
        """Give the number of days."""
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        """Give the last day, for people: the day before `end`."""
        return self.end - _DAY

    def before(self, on: date) -> int:
        """Give the number of its days before a date: 0 before it begins, all after its end."""
        return min(max((on - self.start).days, 0), self.days)


class Flaw(StrEnum):
    """How two neighbouring periods fail to tile."""

    GAP = "gap"
    OVERLAP = "overlap"


@dataclass(frozen=True, slots=True)
class Seam:
    """The days that no period of a series covers, or that a second one covers too."""

    flaw: Flaw
    period: Period


def anchored(anchor_day: int, year: int, month: int) -> date:
    """Give a month's day of an anchor (1 to 31): the day itself, or the month's last."""
    if not 1 <= anchor_day <= _LAST_ANCHOR:
        raise PeriodError(f"anchor day {anchor_day} is not between 1 and {_LAST_ANCHOR}")
    return date(year, month, min(anchor_day, monthrange(year, month)[1]))


def add_months(on: date, months: int, anchor_day: int) -> date:
    """Give the anchor's day so many months after (or before) the month of a date.

    Only the date's month counts, so 31 January leads to 28 February and that to 31 March.
    """
    year, month = divmod(on.year * _MONTHS + on.month - 1 + months, _MONTHS)
    return anchored(anchor_day, year, month + 1)


def next_end_sql(on: str, months: str, anchor_day: str, vendor: str) -> str:
    """Give the twin of `add_months` for SQL expressions; `vendor`: sqlite or postgresql.

    The result is a date, on SQLite its text. It holds no % sign.
    """
    if vendor == "sqlite":
        month = f"{on}, 'start of month', ({months}) || ' months'"
        day = f"(({anchor_day}) - 1) || ' days'"
        return f"min(date({month}, {day}), date({month}, '+1 month', '-1 day'))"
    if vendor == "postgresql":
        month = f"date_trunc('month', CAST(({on}) AS timestamp))"
        first, after = (
            f"CAST({month} + make_interval(months => CAST(({months}) AS integer) + {more}) AS date)"
            for more in (0, 1)
        )
        return f"LEAST({first} + CAST(({anchor_day}) AS integer) - 1, {after} - 1)"
    raise ValueError(f"{vendor} is neither sqlite nor postgresql")


def months_of(start: date, months: int, anchor_day: int) -> list[Period]:
    """Part a period of so many months into its months, each reckoned from the anchor."""
    later = (add_months(start, count, anchor_day) for count in range(1, months + 1))
    return [Period(*days) for days in pairwise([start, *later])]


def price_by_months(
    price: int, start: date, months: int, anchor_day: int
) -> list[tuple[Period, int]]:
    """Recognise the price of a long period month by month: 120 for a year is 12 times 10."""
    parts = enumerate(months_of(start, months, anchor_day), start=1)
    return [(month, share(price, months, part)) for part, month in parts]


def calendar_first(on: date, prorata_day: int, months: int = 1) -> Period:
    """Give the first period of a calendar service ordered on a date; renewals have anchor 1.

    An order before the pro-rata day counts this month as the period's first; a later one gets the
    rest of this month and a whole period (C12: with day 15, 12 July until 1 August, 17 July until
    1 September).
    """
    whole = months if on.day < prorata_day else months + 1
    return Period(on, add_months(on, whole, 1))


def calendar_first_price(price: int, on: date, prorata_day: int, months: int = 1) -> int:
    """Give what `calendar_first` costs, of the price of a whole period of so many months.

    The rest of this month, today included, costs its days' share of a month's price.
    """
    length = monthrange(on.year, on.month)[1]
    rest = span(share(price, months, 1), length, 0, length - on.day + 1)
    return rest + (span(price, months, 1, months) if on.day < prorata_day else price)


def day_price(price: int, on: date) -> int:
    """Give a date's part of the price of its calendar month: what daily billing charges."""
    return share(price, monthrange(on.year, on.month)[1], on.day)


def hours_of(on: date, zone: ZoneInfo) -> int:
    """Give the hours of a date in a zone: 24, or 23 and 25 where clocks change.

    Counted are the hours of UTC that begin in it, so that every hour is of just one date, even
    where clocks change by half an hour or a date is left out (then 0).
    """
    begins, ends = (
        int(datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC).timestamp())
        for day in (on, on + _DAY)
    )
    return -(-ends // _HOUR) - -(-begins // _HOUR)


def part_price(price: int, period: Period, part: Period) -> int:
    """Give the price of some of a period's days; raise PeriodError for days outside of it."""
    if part.start < period.start or part.end > period.end:
        raise PeriodError(f"{part} is not within {period}")
    return span(price, period.days, period.before(part.start), period.before(part.end))


def unused_price(price: int, period: Period, on: date) -> int:
    """Give what is returned of a period's price when the service ends on a date.

    That date is not billed any more: all is returned on the period's start, nothing on its end.
    """
    return span(price, period.days, period.before(on), period.days)


def price_changes(
    price: int, period: Period, changes: Sequence[tuple[date, int]]
) -> list[tuple[Period, int]]:
    """Part a period where its price changes: each segment with its days' share of its price.

    `changes` are (from, price of the whole period) in the order of dates within the period; one on
    its start replaces `price`. Raises PeriodError for other dates.
    """
    steps = [(period.start, price), *changes]
    if changes and changes[0][0] == period.start:
        steps = steps[1:]
    starts = [on for on, _ in steps]
    if starts[-1] not in period or any(later <= earlier for earlier, later in pairwise(starts)):
        raise PeriodError(f"prices change out of order or outside of {period}: {starts}")
    segments = (Period(*days) for days in pairwise([*starts, period.end]))
    return [
        (segment, part_price(cost, period, segment))
        for segment, (_, cost) in zip(segments, steps, strict=True)
    ]


def gaps_and_overlaps(periods: Iterable[Period]) -> list[Seam]:
    """Give where periods, in any order, do not tile the line from the first start to the last end.

    An overlap is told once for each period that covers again what earlier ones do.
    """
    seams = []
    covered: date | None = None
    for period in sorted(periods):
        if covered is not None and period.start > covered:
            seams.append(Seam(Flaw.GAP, Period(covered, period.start)))
        if covered is not None and period.start < covered:
            again = Period(period.start, min(period.end, covered))
            seams.append(Seam(Flaw.OVERLAP, again))
        covered = period.end if covered is None else max(covered, period.end)
    return seams
