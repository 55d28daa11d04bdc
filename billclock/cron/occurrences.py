"""When an expression runs: next, previous and all between, with zones and clock changes.

One sequence serves them all. Real time is cut where a zone's clocks change (zones.py); each piece
shows a window of the wall clock, in which the matches are found (wall.py). An entry whose minute
or hour begins with `*` follows real time: it runs in every window, twice in a repeated hour. An
entry of fixed times runs in the first pass of a repeated hour only, and once, in the first minute
after it, for a gap of up to three hours. That is what Debian's cron does, which runs such an entry
for each minute left out.
"""

# ruff: noqa: DTZ001, DTZ901  (the zone is kept apart: moments here are UTC or wall time)

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from . import wall
from .zones import Stretch, shifted, stretch_at

if TYPE_CHECKING:
    from .expression import Expression

_MINUTE = timedelta(minutes=1)
_NO_JUMP = timedelta()
_LONGEST_GAP = timedelta(hours=3)
_END = datetime.max


class _Window(NamedTuple):
    """A part of a wall clock from `low` until before `high`, and when in real time it is shown."""

    low: datetime
    high: datetime
    second_pass: bool = False
    landing: datetime | None = None  # The one moment that stands for every match.

    def first(self, expression: Expression) -> datetime | None:
        return self._real(wall.first(expression, self.low, self.high))

    def last(self, expression: Expression) -> datetime | None:
        return self._real(wall.last(expression, self.low, self.high))

    def run(self, expression: Expression) -> Iterator[datetime]:
        if self.landing is not None:
            return iter([self.landing] if self.first(expression) else [])
        moments = wall.run(expression, self.low, self.high)
        return (moment.replace(fold=1) for moment in moments) if self.second_pass else moments

    def _real(self, match: datetime | None) -> datetime | None:
        if match is None:
            return None
        return self.landing or match.replace(fold=int(self.second_pass))


def following(expression: Expression, after: datetime) -> datetime | None:
    """Return the first moment strictly after a moment, in its zone; None past the year 9999."""
    if not expression.minutes:
        return None
    since = _minute_after(after)
    zone = _zone(after)
    if zone is None:
        return wall.first(expression, since, _END)
    windows = _forward(expression, zone, since, _END)
    return next(filter(None, (window.first(expression) for window in windows)), None)


def upcoming(expression: Expression, after: datetime) -> Iterator[datetime]:
    """Iterate over all moments strictly after a moment, in its zone, up to the year 9999."""
    return _moments(expression, _zone(after), _minute_after(after), _END)


def preceding(expression: Expression, before: datetime) -> datetime | None:
    """Return the last moment strictly before a moment, in its zone; None before the year 1."""
    if not expression.minutes:
        return None
    zone = _zone(before)
    if zone is None:
        return wall.last(expression, datetime.min, before)
    windows = _backward(expression, zone, _utc(before))
    return next(filter(None, (window.last(expression) for window in windows)), None)


def between(expression: Expression, start: datetime, end: datetime) -> Iterator[datetime]:
    """Iterate over the moments from `start` until before `end`, in the zone of `start`.

    Raises TypeError where one of the two has a zone and the other has none.
    """
    if (_zone(start) is None) != (_zone(end) is None):
        raise TypeError("start and end must both have a zone, or both have none")
    return _moments(expression, _zone(start), _utc(start), _utc(end))


def _moments(
    expression: Expression, zone: tzinfo | None, since: datetime, until: datetime
) -> Iterator[datetime]:
    if not expression.minutes:
        return iter(())
    if zone is None:
        return wall.run(expression, since, until)
    windows = _forward(expression, zone, since, until)
    return chain.from_iterable(window.run(expression) for window in windows)


def _forward(
    expression: Expression, zone: tzinfo, since: datetime, until: datetime
) -> Iterator[_Window]:
    while since < until:
        stretch = stretch_at(zone, since)
        yield from _windows(expression, zone, stretch, since, min(stretch.end, until))
        since = stretch.end


def _backward(expression: Expression, zone: tzinfo, until: datetime) -> Iterator[_Window]:
    while until > datetime.min:
        stretch = stretch_at(zone, until - datetime.resolution)
        yield from reversed(_windows(expression, zone, stretch, stretch.start, until))
        until = stretch.start


def _windows(
    expression: Expression, zone: tzinfo, stretch: Stretch, since: datetime, until: datetime
) -> list[_Window]:
    """Return what the wall clock shows between two moments of a stretch, as far as it counts."""
    low, high, begin = (
        shifted(moment, stretch.offset).replace(tzinfo=zone)
        for moment in (since, until, stretch.start)
    )
    jump = stretch.offset - stretch.before
    follows_real_time = expression.minute_star or expression.hour_star
    windows = []
    if jump < _NO_JUMP:
        repeated = shifted(begin, -jump)
        if follows_real_time and low < repeated:
            windows.append(_Window(_whole(low), min(high, repeated), second_pass=True))
        low = max(low, repeated)
    elif _NO_JUMP < jump <= _LONGEST_GAP and not follows_real_time:
        landing = _whole(begin)
        if low <= landing < high:
            low = landing + _MINUTE
            windows.append(_Window(begin - jump, low, landing=landing))
    if low < high:
        windows.append(_Window(_whole(low), high))
    return windows


def _zone(moment: datetime) -> tzinfo | None:
    return None if moment.utcoffset() is None else moment.tzinfo


def _utc(moment: datetime) -> datetime:
    """Return a moment in UTC, without zone; a moment without zone as it is."""
    return shifted(moment.replace(tzinfo=None), -(moment.utcoffset() or _NO_JUMP))


def _minute_after(moment: datetime) -> datetime:
    return shifted(_utc(moment.replace(second=0, microsecond=0)), _MINUTE)


def _whole(moment: datetime) -> datetime:
    """Return a moment, or the whole minute after it."""
    if moment.second or moment.microsecond:
        return shifted(moment.replace(second=0, microsecond=0), _MINUTE)
    return moment
