"""The lanes of a timeline: each job's runs as long as they took, and those to come as usual."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

from django.urls import reverse
from django.utils.translation import gettext as _

from billclock.scheduler.changes import met
from billclock.scheduler.durations import Typical, typical
from billclock.scheduler.load import load
from billclock.web.outcomes import mark
from billclock.web.rows import language
from billclock.web.timeline_past import (
    Happened,
    Stream,
    deviations,
    happened,
    streams,
)
from billclock.web.timeline_plan import Job
from billclock.web.timeline_range import Range, percent
from billclock.web.times import duration

HEIGHT = 30  # of a lane, in pixels
UNITS = 10_000  # of a lane's width, in which its combs are drawn
THIN = 32  # units that a bar is wide at least: some 3 pixels
LINKED = 60  # runs of a lane up to which each is a link of its own
MOST = 200  # moments of a lane up to which each is drawn; more are a band
TOLD = 3  # deviations of a lane up to which each is told in a word


@dataclass(frozen=True, slots=True)
class Bar:
    """A run, or a moment without one: its place and width, its looks, its words, its address."""

    left: str
    width: str
    kind: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Note:
    """A word in a lane."""

    left: str
    kind: str
    text: str


@dataclass
class Lane:
    """One job, or all jobs of a tag: `y` is its top; `past` and `due` are paths of many bars."""

    y: int
    title: str
    schedule: str
    count: int
    active: bool
    key: int | None = None
    bars: list[Bar] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    past: str = ""
    due: str = ""
    whiskers: str = ""
    bands: list[Bar] = field(default_factory=list)
    ran: int = 0
    odd: int = 0
    next: datetime | None = None
    unsaved: bool = False


@dataclass(frozen=True)
class Known:
    """What is read from the database for all lanes at once."""

    happened: Mapping[int, list[Happened]]
    deviations: Mapping[int, list[Happened]]
    streams: Mapping[int, Stream]
    typical: Mapping[int, Typical]
    dense: frozenset[int]


def lanes(groups: Sequence[tuple[str, Sequence[Job]]], shown: Range) -> list[Lane]:
    """Draw lanes, each of a title and its jobs: five queries for all, none for each."""
    jobs = [job for _title, members in groups for job in members]
    known = _known(jobs, shown)
    return [
        _lane(at * HEIGHT, title, members, known, shown)
        for at, (title, members) in enumerate(groups)
    ]


def _known(jobs: Sequence[Job], shown: Range) -> Known:
    keys = {job.key for job in jobs if job.key is not None}
    dense = frozenset(job.key for job in jobs if job.key is not None and _is_dense(job, shown))
    return Known(
        happened=happened(keys - dense, shown),
        deviations=deviations(dense, shown),
        streams=streams(dense, shown),
        typical=typical(keys - dense),
        dense=dense,
    )


def _is_dense(job: Job, shown: Range) -> bool:
    """Tell whether a job has more moments in the range than can be drawn one by one."""
    zone = job.planned.zone
    moments = job.planned.expression.between(
        shown.begin.astimezone(zone), shown.close.astimezone(zone)
    )
    return next(islice(moments, MOST, None), None) is not None


def _lane(y: int, title: str, members: Sequence[Job], known: Known, shown: Range) -> Lane:
    first = members[0].planned
    alone = len(members) == 1
    lane = Lane(
        y=y,
        title=title,
        schedule=first.expression.describe(language()) if alone else "",
        count=0,
        active=any(job.planned.active for job in members),
        key=members[0].key if alone else None,
    )
    events: list[Happened] = []
    for job in members:
        if job.key in known.dense:
            _draw_band(lane, job, known, shown)
            events += known.deviations.get(job.key or 0, [])
        else:
            events += known.happened.get(job.key or 0, [])
        if job.planned.active:
            _draw_due(lane, job, known, shown)
            _note_changes(lane, job, shown)
    _draw_past(lane, events, shown)
    return lane


def _draw_past(lane: Lane, events: Sequence[Happened], shown: Range) -> None:
    good: list[Happened] = []
    odd: list[Happened] = []
    for event in events:
        (good if mark(event.outcome, started=event.started).kind == "ok" else odd).append(event)
    lane.ran += sum(event.started for event in events)
    lane.odd += sum(event.count for event in odd if mark(event.outcome).kind != "now")
    lane.count += sum(event.count for event in events)
    if len(good) > LINKED:
        lane.past = "".join(_comb(event.at, event.until, shown) for event in good)
        good = []
    lane.bars += [_bar(event, shown) for event in (*good, *odd)]
    if len(odd) <= TOLD:
        lane.notes += [
            Note(shown.left(event.until), mark(event.outcome, started=event.started).kind,
                 str(mark(event.outcome, started=event.started).word))
            for event in odd
        ]  # fmt: skip


def _bar(event: Happened, shown: Range) -> Bar:
    look = mark(event.outcome, started=event.started)
    at = event.at.astimezone(shown.wall.zone)
    words = [f"{at:%H:%M}", str(look.word)]
    if event.started and event.until > event.at:
        words.append(duration(event.until - event.at))
    if event.count > 1:
        words.append(_("%d moments") % event.count)
    kind = look.kind if event.started else f"{look.kind} none"
    left, width = _extent(event.at, event.until, shown)
    url = reverse("run", args=[event.run]) if event.run else ""
    return Bar(percent(left / 100), percent(width / 100), kind, ", ".join(words), url)


def _extent(at: datetime, until: datetime, shown: Range) -> tuple[float, float]:
    """Give the place and width of a bar in units, never too thin to be seen."""
    left = max(shown.place(at), 0.0) * 100
    right = min(shown.place(until), 100.0) * 100
    return left, max(right - left, THIN)


def _comb(at: datetime, until: datetime, shown: Range) -> str:
    left, width = _extent(at, until, shown)
    return f"M{left:.0f} 8h{width:.0f}v14h-{width:.0f}z"


def _draw_due(lane: Lane, job: Job, known: Known, shown: Range) -> None:
    """Draw the moments to come, as long as runs took on average, whiskers to what 95 % took."""
    usual = known.typical.get(job.key or 0)
    mean = timedelta(seconds=usual.mean if usual else 0)
    longest = timedelta(seconds=usual.p95 if usual else 0)
    comb, whiskers = [], []
    for moment in due(job, shown):
        lane.next = min(moment, lane.next or moment)
        if job.key in known.dense:
            return
        comb.append(_comb(moment, moment + mean, shown))
        right = sum(_extent(moment, moment + mean, shown))
        until = min(shown.place(moment + longest) * 100, UNITS)
        if until > right + THIN / 2:
            whiskers.append(f"M{right:.0f} 15H{until:.0f}")
    lane.due += "".join(comb)
    lane.whiskers += "".join(whiskers)
    lane.count += len(comb)


def due(job: Job, shown: Range) -> Iterator[datetime]:
    """Give the moments of a job that are still to come in the range, in UTC."""
    zone = job.planned.zone
    since = max(shown.begin, shown.now).astimezone(zone)
    for moment in job.planned.expression.between(since, shown.close.astimezone(zone)):
        yield moment.astimezone(UTC)


def _draw_band(lane: Lane, job: Job, known: Known, shown: Range) -> None:
    """Draw a job that runs too often for bars: a band for what ran, one for what is to come."""
    planned = job.planned
    ran = known.streams.get(job.key or 0)
    if ran:
        lane.bands.append(_band(ran.first, ran.last, "ran", shown))
    if planned.active and shown.close > shown.now:
        lane.bands.append(_band(max(shown.begin, shown.now), shown.close, "due", shown))
    since = shown.begin if ran else max(shown.begin, shown.now)
    if planned.active and since < shown.close:
        lane.count += load({(planned.expression, planned.zone): 1}, since, shown.close).total


def _band(since: datetime, until: datetime, kind: str, shown: Range) -> Bar:
    width = max(until - since, timedelta(minutes=1))
    return Bar(shown.left(since), shown.width(width), kind, "", "")


def _note_changes(lane: Lane, job: Job, shown: Range) -> None:
    """Tell at a clock change what a fixed time does: not again, or later instead."""
    if job.planned.zone != shown.wall.zone:
        return
    for change in shown.changes:
        wall = met(job.planned.expression, change)
        if wall is None:
            continue
        if change.skipped:
            lane.notes.append(
                Note(shown.left(change.at), "warn", _("instead of %s") % f"{wall:%H:%M}")
            )
        else:
            again = change.at + (wall - change.low)
            lane.notes.append(Note(shown.left(again), "warn", _("not again")))
