"""The day on the overview: its starts on a dial, how they ended, what comes next, who is needed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from heapq import nsmallest
from math import cos, pi, sin
from typing import Any

from django.db.models import Sum
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.utils.translation import pgettext

from billclock.accounts.models import User
from billclock.scheduler.load import load
from billclock.scheduler.models import Outcome, Run, Slot
from billclock.web import crontabs, run_query, timeline_plan
from billclock.web.dashboard_card import Look
from billclock.web.kit.marks import Mark
from billclock.web.outcomes import mark
from billclock.web.problems_found import found
from billclock.web.problems_words import Card as Problem
from billclock.web.problems_words import cards
from billclock.web.run_lines import title
from billclock.web.times import Wall

PARTS = 96  # of the dial: quarters of an hour
CENTRE, RIM, LONGEST, SHORTEST = 210.0, 163.0, 56.0, 3.0  # units of the drawing
BAD = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST)
NEXT, NEEDED, GOING = 7, 5, 3
MOST_TABLES = 20


@dataclass(frozen=True)
class Count:
    """How many moments of today ended so, and where they are listed."""

    mark: Mark
    count: int
    url: str

    @property
    def words(self) -> str:
        """Say how many, and how they ended."""
        texts = {"count": number_format(self.count, force_grouping=True), "word": self.mark.word}
        return pgettext("outcomes counted", "%(count)s %(word)s") % texts


@dataclass(frozen=True)
class Coming:
    """A moment to come: when, which job, how far."""

    time: str
    title: str
    distance: str
    url: str


class Day:
    """What is known of today in one look: the runs begun, the moments that none began for."""

    def __init__(self, user: User, wall: Wall) -> None:
        self.wall = wall
        self.begin = datetime.combine(wall.now.date(), time(), wall.zone)
        end = datetime.combine(wall.now.date() + timedelta(days=1), time(), wall.zone)
        self.end = end.astimezone(UTC)
        self._user = user

    @cached_property
    def runs(self) -> list[tuple[datetime, str]]:
        """Give start and outcome of each run begun today."""
        runs = run_query.open_to(self._user).filter(started__gte=self.begin).order_by()
        return [(at, outcome) for at, outcome in runs.values_list("started", "outcome") if at]

    @cached_property
    def unstarted(self) -> dict[str, int]:
        """Count the moments of today that were skipped or missed."""
        passed = Slot.objects.filter(
            planned__gte=self.begin, outcome__in=(Outcome.SKIPPED, Outcome.MISSED)
        )
        own = self._user.tables.split()
        passed = passed.filter(entry__table__in=own) if own else passed
        return dict(passed.order_by().values_list("outcome").annotate(n=Sum("count")))

    @cached_property
    def coming(self) -> Counter[int]:
        """Count the starts to come today by quarter of an hour."""
        names = crontabs.names(self._user)[:MOST_TABLES]
        read = (crontabs.read(name).crontab for name in names)
        starts = load(timeline_plan.schedules(read, self.wall.zone), self.wall.now, self.end)
        parts: Counter[int] = Counter()
        for minute, count in enumerate(starts.counts):
            if count:
                at = starts.start + timedelta(minutes=minute)
                parts[_part(at.astimezone(self.wall.zone))] += count
        return parts


def dial(look: Look) -> Mapping[str, Any]:
    """Draw the day, and count how its moments ended: three queries."""
    day = Day(look.user, look.wall)
    past = Counter(_part(at.astimezone(look.wall.zone)) for at, _outcome in day.runs)
    bad = Counter(_part(at.astimezone(look.wall.zone)) for at, how in day.runs if how in BAD)
    most = max([*past.values(), *day.coming.values()], default=1)
    return {
        "due": _bars(day.coming, most),
        "past": _bars(past, most),
        "bad": _bars(bad, most),
        "hand": f"rotate({_angle(look.wall.now):.2f} {CENTRE:.0f} {CENTRE:.0f})",
        "started": number_format(len(day.runs), force_grouping=True),
        "due_count": number_format(day.coming.total(), force_grouping=True),
        "counts": list(_counts(day)),
        "going": _going(look),
        "hours": _hours(),
    }


def coming(look: Look) -> Mapping[str, Any] | None:
    """Give the jobs that start next, each once: a query a table."""
    names = crontabs.names(look.user)[:MOST_TABLES]
    now, due = look.wall.now, []
    for name in names:
        for job in timeline_plan.jobs(name, crontabs.read(name).crontab, look.wall.zone):
            planned = job.planned
            at = planned.expression.next(now.astimezone(planned.zone)) if planned.active else None
            if at is not None:
                due.append((at.astimezone(UTC), job.title, job.key))
    soon = nsmallest(NEXT, due, key=lambda one: one[0])
    return {"next": [_coming(at, name, key, look.wall) for at, name, key in soon]}


def needed(look: Look) -> Mapping[str, Any]:
    """Give the most pressing problems, and how many there are."""
    all_found = found(look.user, look.wall)
    open_ones: list[Problem] = cards(all_found, look.user)
    more = max(len(open_ones) - NEEDED, 0)
    return {"cards": open_ones[:NEEDED], "more": more, "count": len(open_ones)}


def _counts(day: Day) -> Iterator[Count]:
    """Count by outcome, the usual one first; an outcome that none had is left out."""
    ended = Counter(outcome for _at, outcome in day.runs)
    ended.update(day.unstarted)
    today = f"{day.wall.now:%Y-%m-%d}"
    for outcome in ("", *Outcome.values):
        if ended[outcome]:
            query = urlencode({"outcome": outcome or run_query.RUNNING, "since": today})
            yield Count(mark(outcome), ended[outcome], f"{reverse('runs')}?{query}")


def _going(look: Look) -> Sequence[tuple[str, str, str]]:
    """Give the runs that go on: title, address, since when."""
    runs = run_query.open_to(look.user).filter(outcome="", started__isnull=False)
    return [
        (title(run), reverse("run", args=[run.pk]), look.wall.distance(run.started))
        for run in _latest(runs)
        if run.started is not None
    ]


def _latest(runs: Any) -> list[Run]:
    return list(runs.select_related("entry").order_by("-pk")[:GOING])


def _coming(at: datetime, name: str, key: int | None, wall: Wall) -> Coming:
    local = at.astimezone(wall.zone)
    word = f"{local:%H:%M}" if local.date() == wall.now.date() else wall.when(at)
    return Coming(word, name, wall.distance(at), reverse("entry_edit", args=[key]) if key else "")


def _part(local: datetime) -> int:
    return local.hour * 4 + local.minute // 15


def _angle(local: datetime) -> float:
    """Give degrees from the top: the whole day once around."""
    return (local.hour * 60 + local.minute + local.second / 60) / 4


def _bars(counts: Mapping[int, int], most: int) -> str:
    """Draw a bar a quarter of an hour, from the rim inwards, as one path."""
    return "".join(_bar(part, count / most) for part, count in sorted(counts.items()) if count)


def _bar(part: int, share: float) -> str:
    inner = RIM - max(LONGEST * share, SHORTEST)
    wide = 2 * pi / PARTS
    begin, end = part * wide + wide * 0.14, (part + 1) * wide - wide * 0.14
    corners = [_place(begin, RIM), _place(end, RIM), _place(end, inner), _place(begin, inner)]
    return "M" + "L".join(corners) + "z"


def _place(angle: float, radius: float) -> str:
    return f"{CENTRE + radius * sin(angle):.1f} {CENTRE - radius * cos(angle):.1f}"


def _hours() -> list[tuple[str, str, int]]:
    """Place the hours' names around the dial."""
    hours = []
    for hour in range(0, 24, 3):
        angle = hour * pi / 12
        x, y = CENTRE + 187 * sin(angle), CENTRE - 187 * cos(angle) + 5
        hours.append((f"{x:.1f}", f"{y:.1f}", hour))
    return hours
