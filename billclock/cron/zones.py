"""Zones by their names, and the stretches between their clock changes, found by asking offsets.

Moments are readings of a clock set to UTC, labelled with the zone all the same: so they can be
moved to what the zone's wall clocks show, counted and compared without conversion.
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

# No zone has changed its clocks twice within a week since 1990: two days miss no change.
_PROBE = timedelta(days=2)
_SECOND = timedelta(seconds=1)
_NO_JUMP = timedelta()
_NAME = re.compile(r"[A-Za-z0-9_+-]{1,64}(/[A-Za-z0-9_+-]{1,64}){0,4}")


class Stretch(NamedTuple):
    """The moments from `start` until before `end` that share one offset from UTC.

    `jump` is how far wall clocks went forward at `start` (back: below 0); `opens` and `closes` are
    what they show at `start` and at `end`.
    """

    start: datetime
    end: datetime
    offset: timedelta
    jump: timedelta
    opens: datetime
    closes: datetime


def named(name: str) -> ZoneInfo:
    """Return the zone that the IANA database has by a name; ValueError where it has none.

    What can't be a name is not looked for: ZoneInfo takes it for the path of a package, and gives
    up at a few hundred slashes with a RecursionError that nobody who reads a crontab expects.
    """
    try:
        if _NAME.fullmatch(name):
            return ZoneInfo(name)
    except (LookupError, OSError):
        pass
    raise ValueError(f"there is no zone {name[:64]!r}")


def stretch_at(moment: datetime) -> Stretch:
    """Return the stretch that holds a moment.

    A long stretch is given in parts; no part begins or ends near a clock change of another.
    """
    stretches = _stretches(moment.tzinfo or UTC, moment.year)
    for stretch in stretches:
        if moment < stretch.end:
            return stretch
    return stretches[-1]


def shifted(moment: datetime, by: timedelta) -> datetime:
    """Return a moment moved, or the end of the calendar where it would leave it."""
    try:
        return moment + by
    except OverflowError:
        return (last_moment if by > _NO_JUMP else first_moment)(moment.tzinfo)


@lru_cache(maxsize=1024)
def first_moment(zone: tzinfo | None) -> datetime:
    """Return the first moment of the calendar, labelled with a zone."""
    return datetime.min.replace(tzinfo=zone)


@lru_cache(maxsize=1024)
def last_moment(zone: tzinfo | None) -> datetime:
    """Return the last moment of the calendar, labelled with a zone."""
    return datetime.max.replace(tzinfo=zone)


@lru_cache(maxsize=2048)
def _stretches(zone: tzinfo, year: int) -> tuple[Stretch, ...]:
    """Return the stretches of a year, the year before and the year after, in order."""
    start, end = _new_year(zone, year - 1), _new_year(zone, year + 2)
    # A change just before the first stretch would be felt in it: begin where none is near.
    while start.year > MINYEAR and _offset(start - _PROBE) != _offset(start):
        start -= _PROBE
    found = []
    offset, jump = _offset(start), _NO_JUMP
    probe = start
    while probe < end:
        following = min(shifted(probe, _PROBE), end)
        if _offset(following) != offset:
            change = _change(probe, following)
            found.append(_stretch(start, change, offset, jump))
            jump = _offset(following) - offset
            start, offset = change, offset + jump
        probe = following
    return (*found, _stretch(start, end, offset, jump))


def _stretch(start: datetime, end: datetime, offset: timedelta, jump: timedelta) -> Stretch:
    return Stretch(start, end, offset, jump, shifted(start, offset), shifted(end, offset))


def _new_year(zone: tzinfo, year: int) -> datetime:
    if year <= MINYEAR:
        return first_moment(zone)
    return datetime(year, 1, 1, tzinfo=zone) if year <= MAXYEAR else last_moment(zone)


def _offset(moment: datetime) -> timedelta:
    # A zone's own arithmetic needs room at both ends of the calendar.
    zone = moment.tzinfo
    low, high = first_moment(zone) + _PROBE, last_moment(zone) - _PROBE
    inside = min(max(moment, low), high)
    return inside.replace(tzinfo=UTC).astimezone(zone).utcoffset() or _NO_JUMP


def _change(low: datetime, high: datetime) -> datetime:
    """Return the first second after `low` that no longer has its offset; `high` has another."""
    offset = _offset(low)
    quiet, changed = 0, -(-(high - low) // _SECOND)
    while changed - quiet > 1:
        middle = (quiet + changed) // 2
        if _offset(low + middle * _SECOND) == offset:
            quiet = middle
        else:
            changed = middle
    return shifted(low, changed * _SECOND)
