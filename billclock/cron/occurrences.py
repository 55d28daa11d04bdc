"""When an expression runs: next, previous and all between, with zones and clock changes.

One sequence serves them all. Real time is cut where a zone's clocks change (zones.py); each piece
shows a window of the wall clock, in which the matches are found (wall.py). An entry whose minute
or hour begins with `*` follows real time: it runs in every window, twice in a repeated hour. An
entry of fixed times runs in the first pass of a repeated hour only, and once, in the first minute
after it, for a gap of up to three hours. That is what Debian's cron does, which runs such an entry
for each minute left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from . import wall
from .zones import Stretch, first_moment, last_moment, shifted, stretch_at

if TYPE_CHECKING:
    from .expression import Expression

_MINUTE = timedelta(minutes=1)
_NO_JUMP = timedelta()
_DAY = timedelta(days=1)
_LONGEST_GAP = timedelta(hours=3)
_END = last_moment(None)

_Walk = tuple["Expression", datetime, "Iterator[datetime] | None"]
# Expressions asked for one next moment after another: the expression, its latest answer, and what
# follows that. The key is the id of the expression, which its walk keeps alive. Who goes on with a
# walk takes it out first, in one step of the interpreter: no two threads share an iterator.
_walks: dict[int, _Walk] = {}
_MOST_WALKS = 32


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
        if self.second_pass:
            return match.replace(fold=1)
        return self.landing or match


def following(expression: Expression, after: datetime) -> datetime | None:
    """Return the first moment strictly after a moment, in its zone; None past the year 9999.

    Asked from the very moment it gave last, it goes on from there: a loop over it costs little
    more than `upcoming`.
    """
    key = id(expression)
    walk = _walks.pop(key, None)
    if walk is not None and walk[1] is after:
        onward = walk[2] or upcoming(expression, after)
        moment = next(onward, None)
    else:
        onward = None
        moment = _following(expression, after)
        if len(_walks) >= _MOST_WALKS:
            _walks.clear()
    if moment is not None:
        _walks[key] = expression, moment, onward
    return moment


def _following(expression: Expression, after: datetime) -> datetime | None:
    if not expression.minutes:
        return None
    offset = after.utcoffset()
    since = _minute_after(after)
    if offset is None:
        return wall.first(expression, since, _END)
    for window in _forward(expression, shifted(since, -offset), last_moment(after.tzinfo)):
        moment = window.first(expression)
        if moment is not None:
            return moment
    return None


def upcoming(expression: Expression, after: datetime) -> Iterator[datetime]:
    """Iterate over all moments strictly after a moment, in its zone, up to the year 9999."""
    since = shifted(_minute_after(after), -(after.utcoffset() or _NO_JUMP))
    return _moments(expression, since, last_moment(after.tzinfo))


def preceding(expression: Expression, before: datetime) -> datetime | None:
    """Return the last moment strictly before a moment, in its zone; None before the year 1."""
    if not expression.minutes:
        return None
    offset = before.utcoffset()
    if offset is None:
        return wall.last(expression, first_moment(before.tzinfo), before)
    for window in _backward(expression, shifted(before, -offset)):
        moment = window.last(expression)
        if moment is not None:
            return moment
    return None


def between(expression: Expression, start: datetime, end: datetime) -> Iterator[datetime]:
    """Iterate over the moments from `start` until before `end`, in the zone of `start`.

    Raises TypeError where one of the two has a zone and the other has none.
    """
    since, until = start.utcoffset(), end.utcoffset()
    if (since is None) != (until is None):
        raise TypeError("start and end must both have a zone, or both have none")
    return _moments(
        expression,
        shifted(start, -(since or _NO_JUMP)),
        shifted(end, -(until or _NO_JUMP)).replace(tzinfo=start.tzinfo),
    )


def _moments(expression: Expression, since: datetime, until: datetime) -> Iterator[datetime]:
    if not expression.minutes:
        return iter(())
    if since.utcoffset() is None:
        return wall.run(expression, since, until)
    windows = _forward(expression, since, until)
    return chain.from_iterable(window.run(expression) for window in windows)


def _forward(expression: Expression, since: datetime, until: datetime) -> Iterator[_Window]:
    """Yield the windows from one moment until before another, both as zones.py has them."""
    while since < until:
        stretch = stretch_at(since)
        yield from _windows(expression, stretch, since, until)
        since = max(stretch.end, _quiet_until(expression, stretch))


def _quiet_until(expression: Expression, stretch: Stretch) -> datetime:
    """Return a moment before which nothing runs once a stretch is over.

    It spares a rare entry all the clock changes up to its next run. A day back from the end of
    the stretch lies what the clock may show again; two days are more than any offset.
    """
    again = _whole(shifted(stretch.closes, -_DAY))
    end = last_moment(again.tzinfo)
    match = wall.first(expression, again, end)
    return end if match is None else shifted(match, -2 * _DAY)


def _backward(expression: Expression, until: datetime) -> Iterator[_Window]:
    while until > first_moment(until.tzinfo):
        stretch = stretch_at(until - datetime.resolution)
        yield from reversed(_windows(expression, stretch, stretch.start, until))
        until = stretch.start


def _windows(
    expression: Expression, stretch: Stretch, since: datetime, until: datetime
) -> list[_Window]:
    """Return what the wall clock shows between two moments of a stretch, as far as it counts."""
    low, high = stretch.opens, stretch.closes
    if since > stretch.start:
        low = shifted(since, stretch.offset)
    if until < stretch.end:
        high = shifted(until, stretch.offset)
    if stretch.jump:
        return _after_jump(expression, stretch, low, high)
    return [_Window(_whole(low), high)]


def _after_jump(
    expression: Expression, stretch: Stretch, low: datetime, high: datetime
) -> list[_Window]:
    """Return what counts of a stretch that began with a clock change, between two wall times."""
    jump, begin = stretch.jump, stretch.opens
    follows_real_time = expression.minute_star or expression.hour_star
    windows = []
    if jump < _NO_JUMP:
        repeated = shifted(begin, -jump)
        if follows_real_time and low < repeated:
            windows.append(_Window(_whole(low), min(high, repeated), second_pass=True))
        low = max(low, repeated)
    elif jump <= _LONGEST_GAP and not follows_real_time:
        landing = _whole(begin)
        if low <= landing < high:
            low = landing + _MINUTE
            windows.append(_Window(begin - jump, low, landing=landing))
    if low < high:
        windows.append(_Window(_whole(low), high))
    return windows


def _minute_after(moment: datetime) -> datetime:
    """Return the first whole minute strictly after a moment."""
    if moment.second or moment.microsecond:
        return shifted(moment, timedelta(0, 60 - moment.second, -moment.microsecond))
    return shifted(moment, _MINUTE)


def _whole(moment: datetime) -> datetime:
    """Return the first whole minute at or after a moment."""
    return _minute_after(moment) if moment.second or moment.microsecond else moment
