"""The stretch of time that a timeline shows: its bounds, its ticks, and where a moment lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from django.utils.formats import date_format

from billclock.scheduler.changes import Change, changes
from billclock.web.times import Wall

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FARTHEST = timedelta(days=800)


class Zoom(StrEnum):
    """How much of the time is shown."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


LENGTHS = {Zoom.HOUR: HOUR, Zoom.DAY: DAY, Zoom.WEEK: 7 * DAY, Zoom.MONTH: 31 * DAY}
STEPS = {Zoom.HOUR: timedelta(minutes=5), Zoom.DAY: HOUR, Zoom.WEEK: 6 * HOUR}
BEFORE = {Zoom.HOUR: timedelta(minutes=20), Zoom.DAY: 8 * HOUR, Zoom.WEEK: 2 * DAY}
"""How much of the past is shown where no moment is asked for."""


@dataclass(frozen=True)
class Tick:
    """A line of the grid: its place, its label, and whether a day begins there (its date)."""

    left: str
    label: str
    day: str


@dataclass(frozen=True)
class Range:
    """From `start` until before `end`, two aware moments of the server's zone."""

    zoom: Zoom
    start: datetime
    end: datetime
    wall: Wall

    @property
    def now(self) -> datetime:
        """Give the present in UTC, in which all comparing is done."""
        return self.wall.now.astimezone(UTC)

    @cached_property
    def begin(self) -> datetime:
        """Give the start in UTC."""
        return self.start.astimezone(UTC)

    @cached_property
    def close(self) -> datetime:
        """Give the end in UTC."""
        return self.end.astimezone(UTC)

    @property
    def first_day(self) -> date:
        """Give the date on which it begins."""
        return self.start.date()

    @property
    def has_past(self) -> bool:
        """Tell whether it begins before now."""
        return self.begin < self.now

    @property
    def earlier(self) -> str:
        """Give the start of the range before it, as an address has it."""
        return _typed(_moved(self.start, self.zoom, -1), self.wall.zone)

    @property
    def later(self) -> str:
        """Give the start of the range after it."""
        return _typed(self.close, self.wall.zone)

    @property
    def typed(self) -> str:
        """Give its own start as an address has it."""
        return _typed(self.begin, self.wall.zone)

    @property
    def words(self) -> str:
        """Say from when to when it goes: "Sat 24 Oct 16:00 – Sun 25 Oct 08:00"."""
        return f"{self._said(self.start)} – {self._said(self.end)}"

    def place(self, moment: datetime) -> float:
        """Give how far into the range a moment lies, in per cent; outside of 0 to 100 too."""
        return (moment.astimezone(UTC) - self.begin) / (self.close - self.begin) * 100

    def left(self, moment: datetime) -> str:
        """Give a moment's place as a drawing has it."""
        return percent(self.place(moment))

    def width(self, length: timedelta) -> str:
        """Give a length of time as a drawing has it."""
        return percent(length / (self.close - self.begin) * 100)

    @cached_property
    def changes(self) -> Sequence[Change]:
        """Give the clock changes in it, and those whose repeated hour reaches into it."""
        return list(changes(self.wall.zone, self.begin - 3 * HOUR, self.close + 3 * HOUR))

    @cached_property
    def ticks(self) -> list[Tick]:
        """Give the lines of the grid, hour by hour or as the zoom has it."""
        found: list[Tick] = []
        step = STEPS[self.zoom]
        moment = self._first_tick(step)
        while moment < self.close:
            local = moment.astimezone(self.wall.zone)
            label = f"{local:%H:%M}" if self.zoom is Zoom.HOUR else f"{local:%H}"
            if self._is_repeated(local):
                label = f"{label} {local.isoformat()[-6:-3]}"
            day = "" if local.hour or local.minute else date_format(local, "D j M")
            if not found:
                day = date_format(local, "D j M")
            found.append(Tick(self.left(moment), label, day))
            # the hours of a day are counted through, longer steps are those of the wall
            moment = moment + step if step <= HOUR else (local + step).astimezone(UTC)
        return found

    def _first_tick(self, step: timedelta) -> datetime:
        """Give the first whole step of the wall clock at or after the start."""
        midnight = self.start.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        into = self.start.replace(tzinfo=None) - midnight
        return self.begin + -into % step

    def _said(self, moment: datetime) -> str:
        said = f"{date_format(moment, 'D j M')} {moment:%H:%M}"
        return f"{said} {moment.isoformat()[-6:-3]}" if self._is_repeated(moment) else said

    def _is_repeated(self, local: datetime) -> bool:
        naive = local.replace(tzinfo=None)
        return any(c.low <= naive < c.high for c in self.changes if not c.skipped)


def shown(zoom: str, at: str, wall: Wall) -> Range:
    """Give the range of a zoom that begins `at` (a wall time of the server), else around now.

    What can't be read counts as not asked for.
    """
    chosen = Zoom(zoom) if zoom in Zoom.__members__.values() else Zoom.DAY
    start = _read(at, wall) or _around_now(chosen, wall)
    if chosen is Zoom.MONTH:
        first = start.replace(day=1, hour=0, minute=0)
        return Range(chosen, first, (first + 32 * DAY).replace(day=1), wall)
    return Range(chosen, start, _moved(start, chosen, 1).astimezone(wall.zone), wall)


def _moved(start: datetime, zoom: Zoom, steps: int) -> datetime:
    """Give the moment some ranges away, in UTC: a day of the wall may have 23 or 25 hours."""
    length = steps * LENGTHS[zoom]
    # a sum within one zone is one of wall times
    return start.astimezone(UTC) + length if zoom is Zoom.HOUR else (start + length).astimezone(UTC)


def percent(value: float) -> str:
    """Write a percentage as SVG has it."""
    return f"{value:.3f}%"


def _around_now(zoom: Zoom, wall: Wall) -> datetime:
    if zoom is Zoom.MONTH:
        return wall.now.replace(second=0, microsecond=0)
    start = (wall.now.astimezone(UTC) - BEFORE[zoom]).astimezone(wall.zone)
    minute = start.minute // 5 * 5 if zoom is Zoom.HOUR else 0
    start = start.replace(minute=minute, second=0, microsecond=0)
    return start.replace(hour=0) if zoom is Zoom.WEEK else start


def _read(at: str, wall: Wall) -> datetime | None:
    try:
        naive = datetime.fromisoformat(at)
    except ValueError:
        return None
    moment = naive.replace(second=0, microsecond=0, tzinfo=naive.tzinfo or wall.zone)
    moment = moment.astimezone(UTC).astimezone(wall.zone)
    return moment if abs(moment - wall.now) < FARTHEST else None


def _typed(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    # the offset tells the passes of a repeated hour apart
    return f"{local:%Y-%m-%dT%H:%M}{local.isoformat()[-6:] if local.fold else ''}"
