"""How full the time is: the strip below a timeline, a range simulated, a quiet minute proposed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.utils.formats import date_format

from billclock.scheduler.load import Load, Schedules, load, quiet
from billclock.web.timeline_plan import Job
from billclock.web.timeline_range import Range, Zoom
from billclock.web.times import Wall, small_days

PARTS = {Zoom.HOUR: 60, Zoom.DAY: 288, Zoom.WEEK: 336}
TALL = 40  # pixels of the fullest minute
UNITS = 10_000
EDGE = 5.0  # per cent of the width in which a label would reach out of it
LONGEST = timedelta(days=92)
BUSIEST = 5


@dataclass(frozen=True)
class Strip:
    """The starts of each minute as two paths, and the fullest minute in words and place."""

    past: str
    due: str
    peak: int
    peak_at: str
    peak_left: str
    peak_side: str


@dataclass(frozen=True)
class Simulated:
    """What a stretch of time would bring: its starts, its fullest minute, its busiest jobs."""

    start: date
    end: date
    total: int
    peak: int
    peak_at: str
    busiest: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Quiet:
    """A quiet minute of the day near a wished one, as a daily expression says it."""

    wished: str
    time: str
    starts: int
    expression: str


def strip(started: Sequence[int], schedules: Schedules, shown: Range) -> Strip:
    """Draw what was started in each minute of the range, and what is to come."""
    coming = Load(shown.begin, ())
    counts = list(started)
    since = max(shown.begin, shown.now)
    if since < shown.close:
        coming = load(schedules, since, shown.close)
        for minute, starts in enumerate(coming.counts, (coming.start - shown.begin) // _MINUTE):
            if 0 <= minute < len(counts):
                counts[minute] += starts
    both = Load(shown.begin, counts)
    peak = both.peak
    parts = both.fullest(PARTS[shown.zoom])
    now = shown.place(shown.now) / 100 * len(parts)
    past: list[str] = []
    due: list[str] = []
    for place, starts in enumerate(parts):
        if starts and peak:
            bar = _bar(place, len(parts), starts / peak.starts)
            (past if place < now else due).append(bar)
    return Strip(
        past="".join(past),
        due="".join(due),
        peak=peak.starts if peak else 0,
        peak_at=f"{peak.at.astimezone(shown.wall.zone):%H:%M}" if peak else "",
        peak_left=shown.left(peak.at) if peak else "",
        peak_side=_side(shown.place(peak.at)) if peak else "",
    )


def simulated(
    jobs: Sequence[Job], schedules: Schedules, start: date, end: date, wall: Wall
) -> Simulated | None:
    """Count the starts from a day until the end of another; None for too long or no time."""
    if not timedelta() <= end - start < LONGEST:
        return None
    begin = datetime.combine(start, time(), wall.zone)
    close = datetime.combine(end + timedelta(days=1), time(), wall.zone)
    return _simulated(jobs, schedules, begin, close, wall)


def coming_week(jobs: Sequence[Job], schedules: Schedules, wall: Wall) -> Simulated:
    """Count the starts of the seven days from now on."""
    end = (wall.now.astimezone(UTC) + timedelta(days=7)).astimezone(wall.zone)
    return _simulated(jobs, schedules, wall.now, end, wall)


def proposed(wished: str, schedules: Schedules, wall: Wall) -> Quiet | None:
    """Propose a minute of the day with few starts near a wished one ("HH:MM"); None for none."""
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", wished)
    minute = int(found[1]) * 60 + int(found[2]) if found else -1
    if found is None or not (0 <= minute < 24 * 60 and int(found[2]) < 60):  # noqa: PLR2004
        return None
    best, starts = quiet(schedules, minute, wall.now)
    hour, rest = divmod(best, 60)
    return Quiet(f"{minute // 60:02}:{minute % 60:02}", f"{hour:02}:{rest:02}", starts,
                 f"{rest} {hour} * * *")  # fmt: skip


def _simulated(
    jobs: Sequence[Job], schedules: Schedules, begin: datetime, close: datetime, wall: Wall
) -> Simulated:
    found = load(schedules, begin, close)
    peak = found.peak
    at = peak.at.astimezone(wall.zone) if peak else None
    return Simulated(
        start=begin.date(),
        end=(close - _MINUTE).date(),
        total=found.total,
        peak=peak.starts if peak else 0,
        peak_at=f"{_day(at)} {at:%H:%M}" if at else "",
        busiest=_busiest(jobs, begin, close),
    )


def _day(at: datetime) -> str:
    """Say a day as it stands within a sentence."""
    said = date_format(at, "D j M")
    return said.lower() if small_days() else said


def _busiest(jobs: Sequence[Job], begin: datetime, close: datetime) -> list[tuple[str, int]]:
    """Name the jobs with the most starts, by what their fields alone say of a day."""
    active = [job for job in jobs if job.planned.active]

    def of_a_day(job: Job) -> int:
        expression = job.planned.expression
        return expression.minutes.bit_count() * expression.hours.bit_count()

    likely = sorted(active, key=of_a_day, reverse=True)[: 2 * BUSIEST]
    schedules = [(job.planned.expression, job.planned.zone) for job in likely]
    totals = {one: load({one: 1}, begin, close).total for one in set(schedules)}
    counted = [(job.title, totals[one]) for job, one in zip(likely, schedules, strict=True)]
    return sorted(counted, key=lambda pair: -pair[1])[:BUSIEST]


def _side(place: float) -> str:
    """Name where a label stands to its place (SVG's text-anchor), to stay inside."""
    if place < EDGE:
        return "start"
    return "end" if place > 100 - EDGE else "middle"


def _bar(place: int, parts: int, share: float) -> str:
    left, right = UNITS * place / parts, UNITS * (place + 1) / parts
    height = max(round(TALL * share), 2)
    return f"M{left:.0f} {TALL}v-{height}H{right - UNITS / parts / 5:.0f}V{TALL}z"


_MINUTE = timedelta(minutes=1)
