"""The timeline as a list, for phones: what did not go well, what runs, and what comes next."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billclock.web.kit.marks import Mark
from billclock.web.outcomes import mark
from billclock.web.timeline_lanes import Lane, due
from billclock.web.timeline_plan import Job
from billclock.web.timeline_range import Range

PAST = 10  # of what did not go well, the latest; what runs is told beside them
COMING = 40  # moments to come that are listed
OFTEN = 12  # moments of one job in the range beyond which it is told in one line


@dataclass(frozen=True)
class Item:
    """A moment to come: its time, its job, how far it is; `day` where a new day begins."""

    time: str
    title: str
    distance: str
    day: str


@dataclass(frozen=True)
class Told:
    """Something of the past that is worth a line: its time, its job, how it ended, its run."""

    time: str
    title: str
    mark: Mark
    run: int | None


@dataclass(frozen=True)
class Agenda:
    """What did not go well, what is to come, and the jobs that run too often to list."""

    past: Sequence[Told]
    items: Sequence[Item]
    often: Sequence[Lane]


def agenda(jobs: Iterable[Job], lanes: Sequence[Lane], shown: Range) -> Agenda:
    """List the coming moments of the jobs in the range, the next first."""
    active = [job for job in jobs if job.planned.active]
    seldom = []
    for job in active:
        moments = list(islice(due(job, shown), OFTEN + 1))
        if len(moments) <= OFTEN:
            seldom.append([(moment, job.title) for moment in moments])
    often = [lane for lane in lanes if lane.active and lane.count > OFTEN]
    found: list[Item] = []
    day = ""
    for moment, title in islice(merge(*seldom), COMING):
        item = _item(moment, title, shown)
        found.append(item if item.day != day else Item(item.time, title, item.distance, ""))
        day = item.day
    return Agenda(_past(lanes, shown), found, often)


def _past(lanes: Sequence[Lane], shown: Range) -> list[Told]:
    """Tell the latest of what did not go well, and all that runs, the earliest first."""
    events = sorted(
        ((event, lane.title) for lane in lanes for event in lane.told),
        key=lambda pair: pair[0].at,
    )
    over = [pair for pair in events if pair[0].outcome]
    left_out = {id(event) for event, _title in over[:-PAST]}
    return [
        Told(
            time=shown.wall.when(event.at),
            title=title,
            mark=mark(event.outcome, started=event.started),
            run=event.run,
        )
        for event, title in events
        if id(event) not in left_out
    ]


def _item(moment: datetime, title: str, shown: Range) -> Item:
    local = moment.astimezone(shown.wall.zone)
    day = _("Today") if local.date() == shown.wall.now.date() else date_format(local, "l j F")
    return Item(f"{local:%H:%M}", title, shown.wall.distance(moment), day)
