"""The lanes of a timeline: each job's runs as long as they took, and those to come as usual."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from html import escape
from itertools import islice

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from billclock.scheduler.changes import met
from billclock.scheduler.durations import Typical, typical
from billclock.scheduler.load import load
from billclock.web.outcomes import mark
from billclock.web.rows import When, language, when
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
ROOM = 7.0  # per cent of the width that a word takes
TOLD = 3  # deviations of a lane up to which each is told in a word


@dataclass(frozen=True, slots=True)
class Bar:
    """A run, or a moment without one: its place and width, its looks, its words, its address."""

    left: str
    width: str
    kind: str
    label: str
    url: str

    def html(self, title: str) -> str:
        """Give the bar as it is drawn in the lane of a title, a link where it leads to a run."""
        rect = (
            f'<rect class="{self.kind}" x="{self.left}" y="8" width="{self.width}" height="14"'
            ' rx="1"/>'
        )
        if not self.url:
            return rect
        said = escape(f"{title}: {self.label}")
        return f'<a href="{self.url}" aria-label="{said}">{rect}<title>{said}</title></a>'


@dataclass(frozen=True, slots=True)
class Note:
    """A word in a lane."""

    left: str
    kind: str
    text: str


@dataclass(frozen=True)
class Band:
    """A stretch of time that stands out: over all lanes, or in the one of a paused job."""

    left: str
    width: str
    kind: str
    label: str


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
    first: datetime | None = None
    next: When | None = None
    unsaved: bool = False
    paused: list[Band] = field(default_factory=list)
    told: list[Happened] = field(default_factory=list)

    @property
    def drawn(self) -> SafeString:
        """Give its bars as they are put into the page, which has hundreds of them."""
        return SafeString("".join(bar.html(self.title) for bar in self.bars))


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
    known = _known(groups, shown)
    return [
        _lane(at * HEIGHT, title, members, known, shown)
        for at, (title, members) in enumerate(groups)
    ]


def _known(groups: Sequence[tuple[str, Sequence[Job]]], shown: Range) -> Known:
    keys = {job.key for _title, members in groups for job in members if job.key is not None}
    dense = frozenset(
        job.key
        for _title, members in groups
        if _are_many(members, shown)
        for job in members
        if job.key is not None
    )
    return Known(
        happened=happened(keys - dense, shown),
        deviations=deviations(dense, shown),
        streams=streams(dense, shown),
        typical=typical(keys - dense),
        dense=dense,
    )


def _are_many(members: Sequence[Job], shown: Range) -> bool:
    """Tell whether a lane has more moments in the range than can be drawn one by one."""
    left = MOST
    for job in members:
        zone = job.planned.zone
        since, until = shown.begin.astimezone(zone), shown.close.astimezone(zone)
        left -= sum(1 for _ in islice(job.planned.expression.between(since, until), left + 1))
        if left < 0:
            return True
    return False


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
    dense = [job for job in members if job.key in known.dense]
    if dense:
        _draw_bands(lane, dense, known, shown)
    for job in members:
        found = known.deviations if job.key in known.dense else known.happened
        events += found.get(job.key or 0, [])
        if job.planned.active:
            _draw_due(lane, job, known, shown)
            _note_changes(lane, job, shown)
    _draw_past(lane, events, shown)
    lane.next = when(lane.first, shown.wall)
    return lane


def _draw_past(lane: Lane, events: Sequence[Happened], shown: Range) -> None:
    good: list[Happened] = []
    odd: list[Happened] = []
    for event in events:
        (good if mark(event.outcome, started=event.started).kind == "ok" else odd).append(event)
    lane.told = odd
    lane.ran += sum(event.started for event in events)
    lane.odd += sum(event.count for event in odd if mark(event.outcome).kind != "now")
    lane.count += sum(event.count for event in events)
    if len(good) > LINKED:
        lane.past = "".join(_comb(event.at, event.until, shown) for event in good)
        good = []
    lane.bars += [_bar(event, shown) for event in (*good, *odd)]
    if len(odd) <= TOLD:
        beside = [shown.now, *([lane.first] if lane.first else []), *(e.at for e in events)]
        lane.notes += _words(odd, beside, shown)


def _words(odd: Sequence[Happened], moments: Sequence[datetime], shown: Range) -> Iterator[Note]:
    """Tell what did not go well in a word each, where there is room for one."""
    for event in odd:
        look = mark(event.outcome, started=event.started)
        left = shown.place(event.until)
        if not any(left < shown.place(moment) < left + ROOM for moment in moments):
            yield Note(percent(left), look.kind, str(look.word))


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
    url = f"{_runs()}{event.run}" if event.run else ""
    return Bar(percent(left / 100), percent(width / 100), kind, ", ".join(words), url)


@cache
def _runs() -> str:
    """Give where the addresses of runs begin: a page has hundreds of them."""
    return reverse("run", args=[0]).removesuffix("0")


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
    first = lane.first
    for moment in due(job, shown):
        first = min(moment, first or moment)
        if job.key in known.dense:
            break
        comb.append(_comb(moment, moment + mean, shown))
        right = sum(_extent(moment, moment + mean, shown))
        until = min(shown.place(moment + longest) * 100, UNITS)
        if until > right + THIN / 2:
            whiskers.append(f"M{right:.0f} 15H{until:.0f}")
    lane.first = first
    lane.due += "".join(comb)
    lane.whiskers += "".join(whiskers)
    lane.count += len(comb)


def due(job: Job, shown: Range) -> Iterator[datetime]:
    """Give the moments of a job that are still to come in the range, in UTC."""
    zone = job.planned.zone
    since = max(shown.begin, shown.now).astimezone(zone)
    for moment in job.planned.expression.between(since, shown.close.astimezone(zone)):
        yield moment.astimezone(UTC)


def _draw_bands(lane: Lane, jobs: Sequence[Job], known: Known, shown: Range) -> None:
    """Draw jobs that run too often for bars: a band for what ran, one for what is to come."""
    active = [job.planned for job in jobs if job.planned.active]
    ran = [known.streams[key] for job in jobs if (key := job.key or 0) in known.streams]
    since = max(shown.begin, shown.now)
    if active and since < shown.close:
        lane.bands.append(_band(since, shown.close, "due", shown))
    if ran:
        since = min(each.first for each in ran)
        lane.bands.append(_band(since, max(each.last for each in ran), "ran", shown))
    schedules = Counter((planned.expression, planned.zone) for planned in active)
    lane.count += load(schedules, min(since, shown.close), shown.close).total


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
