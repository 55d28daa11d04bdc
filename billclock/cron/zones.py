"""Stretches of real time between two clock changes of a zone, found by asking its offsets."""

# ruff: noqa: DTZ001, DTZ901  (the zone is kept apart: moments here are UTC or wall time)

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

# No zone has changed its clocks twice within a week since 1990: two days miss no change.
_PROBE = timedelta(days=2)
_SECOND = timedelta(seconds=1)
# The zone's own arithmetic needs room at both ends of the calendar.
_EARLIEST = datetime.min + _PROBE
_LATEST = datetime.max - _PROBE


class Stretch(NamedTuple):
    """Moments from `start` until before `end` (in UTC, without zone) that share one offset.

    `before` is the offset until `start`: wall clocks jump there by `offset - before`.
    """

    start: datetime
    end: datetime
    before: timedelta
    offset: timedelta


def stretch_at(zone: tzinfo, moment: datetime) -> Stretch:
    """Return the stretch of a zone that holds a moment (in UTC, without zone).

    A long stretch may be given in parts, each at least a year away from the clock changes that
    are not its own.
    """
    stretches = _stretches(zone, moment.year)
    for stretch in stretches:
        if moment < stretch.end:
            return stretch
    return stretches[-1]


def shifted(moment: datetime, by: timedelta) -> datetime:
    """Return a moment moved, or the end of the calendar where it would leave it."""
    try:
        return moment + by
    except OverflowError:
        return (datetime.max if by > timedelta() else datetime.min).replace(tzinfo=moment.tzinfo)


@lru_cache(maxsize=2048)
def _stretches(zone: tzinfo, year: int) -> tuple[Stretch, ...]:
    """Return the stretches of a year, the year before and the year after, in order."""
    start = datetime(year - 1, 1, 1) if year > datetime.min.year else datetime.min
    end = datetime(year + 2, 1, 1) if year + 2 <= datetime.max.year else datetime.max
    # A change just before the first stretch would be felt in it: begin where none is near.
    while start > _EARLIEST and _offset(zone, start - _PROBE) != _offset(zone, start):
        start -= _PROBE
    found = []
    before = offset = _offset(zone, start)
    probe = start
    while probe < end:
        following = min(shifted(probe, _PROBE), end)
        if _offset(zone, following) != offset:
            change = _change(zone, probe, following)
            found.append(Stretch(start, change, before, offset))
            start, before, offset = change, offset, _offset(zone, following)
        probe = following
    return (*found, Stretch(start, end, before, offset))


def _offset(zone: tzinfo, moment: datetime) -> timedelta:
    inside = min(max(moment, _EARLIEST), _LATEST)
    return inside.replace(tzinfo=UTC).astimezone(zone).utcoffset() or timedelta()


def _change(zone: tzinfo, low: datetime, high: datetime) -> datetime:
    """Return the first second after `low` that no longer has its offset; `high` has another."""
    offset = _offset(zone, low)
    span = (high - low) // _SECOND
    quiet, changed = 0, span
    while changed - quiet > 1:
        middle = (quiet + changed) // 2
        if _offset(zone, low + middle * _SECOND) == offset:
            quiet = middle
        else:
            changed = middle
    return low + changed * _SECOND
