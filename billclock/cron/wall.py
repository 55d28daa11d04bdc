"""Where an expression matches on a wall clock that never changes: first, last, all in order.

Moments here are datetimes of one zone, or of none, counted and compared as a wall clock shows them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from .fields import days_of

if TYPE_CHECKING:
    from .expression import Expression

_LENGTHS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FEBRUARY = 2
# Times of day and shapes of months repeat: so many are kept.
_KEPT = 2048
# A week's 7 bits times this are the week six times, side by side.
_SIX_WEEKS = 1 | 1 << 7 | 1 << 14 | 1 << 21 | 1 << 28 | 1 << 35


def first(expression: Expression, since: datetime, until: datetime) -> datetime | None:
    """Return the first match at or after `since` (a whole minute) and before `until`."""
    if since >= until:
        return None
    year, month, day = since.year, since.month, since.day
    days = 0
    if expression.months >> month & 1:
        days = _days(expression, year, month) >> day
        if days & 1:
            time = _time_from(expression, since.hour, since.minute)
            if time is not None:
                hour, minute = time
                moment = datetime(year, month, day, hour, minute, 0, 0, since.tzinfo)
                return moment if moment < until else None
        days = days >> 1 << day + 1
    while not days:
        year, month = _month_after(expression, year, month)
        if year > until.year:
            return None
        days = _days(expression, year, month)
    hour, minute = _lowest(expression.hours), _lowest(expression.minutes)
    moment = datetime(year, month, _lowest(days), hour, minute, 0, 0, since.tzinfo)
    return moment if moment < until else None


def last(expression: Expression, since: datetime, until: datetime) -> datetime | None:
    """Return the last match at or after `since` and before `until`."""
    if until <= since:
        return None
    end = until - datetime.resolution
    year, month, day = end.year, end.month, end.day
    days = 0
    if expression.months >> month & 1:
        days = _days(expression, year, month) & days_of(day)
        if days >> day:
            time = _time_until(expression, end.hour, end.minute)
            if time is not None:
                hour, minute = time
                moment = datetime(year, month, day, hour, minute, 0, 0, since.tzinfo)
                return moment if moment >= since else None
        days &= days_of(day - 1)
    while not days:
        year, month = _month_before(expression, year, month)
        if year < since.year:
            return None
        days = _days(expression, year, month)
    hour, minute = _highest(expression.hours), _highest(expression.minutes)
    moment = datetime(year, month, _highest(days), hour, minute, 0, 0, since.tzinfo)
    return moment if moment >= since else None


def run(expression: Expression, since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield every match at or after `since` and before `until`, in order."""
    times = _times(expression.hours, expression.minutes)
    last_day = datetime(until.year, until.month, until.day, 0, 0, 0, 0, until.tzinfo)
    for midnight in _midnights(expression, since, until):
        today = times
        if midnight < since or midnight >= last_day:
            begin = bisect_left(times, since - midnight)
            end = bisect_left(times, until - midnight)
            today = times[begin:end]
        for time in today:
            yield midnight + time


def _midnights(expression: Expression, since: datetime, until: datetime) -> Iterator[datetime]:
    zone = since.tzinfo
    year, month = since.year, since.month
    days = 0
    if expression.months >> month & 1:
        days = _days(expression, year, month) >> since.day << since.day
    while True:
        for day in _ones(days):
            midnight = datetime(year, month, day, 0, 0, 0, 0, zone)
            if midnight >= until:
                return
            yield midnight
        year, month = _month_after(expression, year, month)
        if year > until.year:
            return
        days = _days(expression, year, month)


def _month_after(expression: Expression, year: int, month: int) -> tuple[int, int]:
    later = expression.months >> month + 1
    if later:
        return year, month + 1 + _lowest(later)
    return year + 1, _lowest(expression.months)


def _month_before(expression: Expression, year: int, month: int) -> tuple[int, int]:
    earlier = expression.months & (1 << month) - 1
    if earlier:
        return year, _highest(earlier)
    return year - 1, _highest(expression.months)


def _days(expression: Expression, year: int, month: int) -> int:
    """Return the days of a month on which an expression runs as a bit mask."""
    weekday, every = _shape(year, month)
    of_week = _of_week(expression.weekdays, weekday)
    if expression.day_star or expression.weekday_star:
        return expression.days & of_week & every
    return (expression.days | of_week) & every


@lru_cache(_KEPT)
def _of_week(weekdays: int, weekday: int) -> int:
    """Return the days on some weekdays, in a month whose 1st is a `weekday`, as a bit mask."""
    # The weeks without what lies before the 1st; its bit is then the lowest, where day 1 is bit 1.
    return weekdays * _SIX_WEEKS >> weekday << 1


@lru_cache(_KEPT)
def _shape(year: int, month: int) -> tuple[int, int]:
    """Return the weekday of a month's 1st (0 is Sunday) and all its days as a bit mask."""
    leap = month == _FEBRUARY and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return date(year, month, 1).isoweekday() % 7, days_of(_LENGTHS[month] + leap)


def _time_from(expression: Expression, hour: int, minute: int) -> tuple[int, int] | None:
    minutes, hours = expression.minutes, expression.hours
    if hours >> hour & 1:
        rest = minutes >> minute
        if rest:
            return hour, minute + _lowest(rest)
    later = hours >> hour + 1
    return (hour + 1 + _lowest(later), _lowest(minutes)) if later else None


def _time_until(expression: Expression, hour: int, minute: int) -> tuple[int, int] | None:
    minutes, hours = expression.minutes, expression.hours
    if hours >> hour & 1:
        rest = minutes & (2 << minute) - 1
        if rest:
            return hour, _highest(rest)
    earlier = hours & (1 << hour) - 1
    return (_highest(earlier), _highest(minutes)) if earlier else None


@lru_cache(_KEPT)
def _times(hours: int, minutes: int) -> tuple[timedelta, ...]:
    """Return the times of day of some hours and minutes, as time since midnight, in order."""
    past = [timedelta(minutes=minute) for minute in _ones(minutes)]
    return tuple(timedelta(hours=hour) + minute for hour in _ones(hours) for minute in past)


@lru_cache(_KEPT)
def _ones(mask: int) -> tuple[int, ...]:
    """Return the values of a bit mask, in order."""
    return tuple(value for value in range(mask.bit_length()) if mask >> value & 1)


def _lowest(mask: int) -> int:
    # Minus a number has the same lowest one and no other one in common with it.
    return (mask & -mask).bit_length() - 1


def _highest(mask: int) -> int:
    return mask.bit_length() - 1
