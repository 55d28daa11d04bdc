"""What an expression means as a small value, before any language puts it into words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from billclock.cron.fields import longest

if TYPE_CHECKING:
    from billclock.cron.expression import Expression

MINUTES_PER_HOUR = 60
HOURS_PER_DAY = 24
_DAYS, _MONTHS, _WEEKDAYS = 31, 12, 7
_SHORTEST_SPAN = 3  # "4 to 6" is worth saying, "4 to 5" is not
_SHORTEST_STEP = 5  # fewer values than these are listed, not told as a step
_NO_STEPS = 100  # more values than any field has: no step is told
_MOST_CLOCK_TIMES = 6


@dataclass(frozen=True)
class Series:
    """The values from first to last, both included, step apart."""

    first: int
    last: int
    step: int = 1

    @property
    def single(self) -> bool:
        """Whether it is one value only."""
        return self.first == self.last


@dataclass(frozen=True)
class ClockTimes:
    """Times of the day, in minutes since midnight; a step is under an hour or whole hours."""

    series: tuple[Series, ...]

    @property
    def listed(self) -> bool:
        """Whether they are single times only, each of which a sentence can name."""
        return all(one.single for one in self.series)


@dataclass(frozen=True)
class HourlyTimes:
    """The same minutes in each of some hours."""

    minutes: tuple[Series, ...]
    hours: tuple[Series, ...]

    @property
    def steady(self) -> bool:
        """Whether the minutes go on evenly from one hour to the next, as every 10 minutes do."""
        first, *others = self.minutes
        return not others and first.first == 0 and first.last + first.step == MINUTES_PER_HOUR


@dataclass(frozen=True)
class Dates:
    """The days: an empty tuple restricts nothing.

    Weekdays count from 1 (Monday) to 7 (Sunday), so that a weekend is one series. Where days and
    weekdays are both given, `either` says that one of the two is enough.
    """

    days: tuple[Series, ...] = ()
    months: tuple[Series, ...] = ()
    weekdays: tuple[Series, ...] = ()
    either: bool = False

    @property
    def single_date(self) -> tuple[int, int] | None:
        """Month and day, where they are one date whatever the weekday."""
        lone = len(self.days) == len(self.months) == 1 and not self.weekdays
        if lone and self.days[0].single and self.months[0].single:
            return self.months[0].first, self.days[0].first
        return None


@dataclass(frozen=True)
class Phrase:
    """What a sentence has to say: at which times, on which dates."""

    times: ClockTimes | HourlyTimes
    dates: Dates


EVERY_HOUR = (Series(0, HOURS_PER_DAY - 1),)
LEAP_DAY = (2, 29)
ON_THE_HOUR = (Series(0, 0),)
ODD_DAYS = (Series(1, 31, 2),)
EVEN_DAYS = (Series(2, 30, 2),)


def phrase_of(expression: Expression) -> Phrase:
    """Return the meaning of an expression that has fields (so not of @reboot)."""
    minutes = _values(expression.minutes, range(MINUTES_PER_HOUR))
    hours = _values(expression.hours, range(HOURS_PER_DAY))
    return Phrase(_times(minutes, hours), _dates(expression))


def in_series(values: Sequence[int], shortest_step: int = _SHORTEST_STEP) -> tuple[Series, ...]:
    """Split ascending values into spans, steps of at least that many values, and single values."""
    found = []
    start = 0
    while start < len(values):
        end = _end_of_progression(values, start)
        step = values[start + 1] - values[start] if end > start + 1 else 1
        if end - start < (_SHORTEST_SPAN if step == 1 else shortest_step):
            end, step = start + 1, 1
        found.append(Series(values[start], values[end - 1], step))
        start = end
    return tuple(found)


def singles_and_rest(series: Sequence[Series]) -> tuple[list[int], list[Series]]:
    """Part the single values, which sentences list together, from the series of several."""
    return [one.first for one in series if one.single], [one for one in series if not one.single]


def by_step(series: Sequence[Series]) -> list[tuple[int, list[Series]]]:
    """Group series that a sentence can say together, since they have one step."""
    steps = sorted({one.step for one in series})
    return [(step, [one for one in series if one.step == step]) for step in steps]


def _end_of_progression(values: Sequence[int], start: int) -> int:
    """Return the index behind the longest run of equal distances that begins at start."""
    end = start + 1
    while end < len(values) and values[end] - values[end - 1] == values[start + 1] - values[start]:
        end += 1
    return end


def _values(mask: int, limits: Iterable[int]) -> list[int]:
    return [value for value in limits if mask >> value & 1]


def _times(minutes: list[int], hours: list[int]) -> ClockTimes | HourlyTimes:
    """Choose times of the day where a few series tell them, else minutes by the hour."""
    if len(hours) < HOURS_PER_DAY:
        moments = [hour * MINUTES_PER_HOUR + minute for hour in hours for minute in minutes]
        on_the_clock = in_series(moments)
        length = sum(1 if one.single else 2 for one in on_the_clock)
        if 1 in (len(minutes), len(hours)) or length <= _MOST_CLOCK_TIMES:
            return ClockTimes(on_the_clock)
    return HourlyTimes(_minutes_in_series(minutes), _hours_in_series(hours))


def _minutes_in_series(minutes: list[int]) -> tuple[Series, ...]:
    """Split minutes into series; a step that fills the hour is one even with two values."""
    filled = in_series([*minutes, MINUTES_PER_HOUR], shortest_step=3)
    if minutes[0] == 0 and len(filled) == 1:
        return (Series(0, minutes[-1], filled[0].step),)
    return in_series(minutes)


def _hours_in_series(hours: list[int]) -> tuple[Series, ...]:
    """Split hours into series; a step is told only where it is all there is to tell."""
    series = in_series(hours)
    return series if len(series) == 1 else in_series(hours, _NO_STEPS)


def _dates(expression: Expression) -> Dates:
    """Keep what restricts: a full field beside a restricted one may decide or drop out."""
    days = _values(expression.days, range(1, 32))
    months = _values(expression.months, range(1, 13))
    weekdays = sorted(day or _WEEKDAYS for day in _values(expression.weekdays, range(_WEEKDAYS)))
    either = not (expression.day_star or expression.weekday_star)
    if either and (len(days) == _DAYS or len(weekdays) == _WEEKDAYS):
        days, weekdays = [], []
    elif either and not _real_months(days, months):
        days = []
    elif not either:
        months = _real_months(days, months)
    return Dates(
        days=in_series(days) if len(days) < _DAYS else (),
        months=in_series(months, _NO_STEPS) if len(months) < _MONTHS else (),
        weekdays=in_series(weekdays, _NO_STEPS) if len(weekdays) < _WEEKDAYS else (),
        either=either and bool(days),
    )


def _real_months(days: list[int], months: list[int]) -> list[int]:
    """Return the months that have at least one of the days: 30 February is nothing to tell."""
    return [month for month in months if days[0] <= longest(1 << month)]
