"""The time before and after a moment, drawn: the runs of its table, and the pauses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _

from billclock.scheduler.evidence import AROUND
from billclock.scheduler.models import Entry, Run
from billclock.scheduler.why import Evidence
from billclock.web.outcomes import mark
from billclock.web.times import Wall

MOST = 300  # runs of other jobs that are drawn around a moment
MINUTES = AROUND // timedelta(minutes=1)
QUARTER = 15


@dataclass(frozen=True)
class Mark:
    """A run in the time around: the place in per cent, and what kind of bar it is."""

    left: str
    kind: str


@dataclass(frozen=True)
class Around:
    """The time before and after the moment, drawn on a rule from 0 to 100 per cent."""

    ticks: Sequence[tuple[str, str]]
    bands: Sequence[tuple[str, str]]
    marks: Sequence[Mark]
    label: str
    words: str


def around(entry: Entry, evidence: Evidence, wall: Wall) -> Around:
    """Draw the runs of the table and the pauses in the time before and after."""
    moment = evidence.moment.astimezone(UTC)
    begin, end = moment - AROUND, moment + AROUND
    own = {run.run for run in evidence.runs}
    rows = Run.objects.filter(started__gte=begin, started__lt=end, entry__table=entry.table)
    others = rows.exclude(pk__in=own).values_list("started", "outcome")[:MOST]
    marks = [Mark(_at(at, begin), f"other {mark(how).kind}") for at, how in others if at]
    marks += [
        Mark(_at(run.started, begin), f"own {mark(run.outcome).kind}")
        for run in evidence.runs
        if run.started and begin <= run.started < end
    ]
    bands = [
        (_at(max(pause.since, begin), begin), _at(min(pause.until or end, end), begin))
        for pause in evidence.pauses
    ]
    return Around(
        ticks=_ticks(begin, wall),
        bands=[(left, f"{float(right[:-1]) - float(left[:-1]):.2f}%") for left, right in bands],
        marks=marks,
        label=f"{evidence.moment.astimezone(wall.zone):%H:%M}",
        words=_words(marks, bands),
    )


def _words(marks: Sequence[Mark], bands: Sequence[object]) -> str:
    texts = {"runs": len(marks), "own": sum("own" in each.kind for each in marks)}
    text = _("%(runs)d runs of this table, %(own)d of them of this job.") % texts
    return f"{text} {_('Starts were paused for a time.')}" if bands else text


def _ticks(begin: datetime, wall: Wall) -> list[tuple[str, str]]:
    """Name the quarters of an hour in the time around."""
    first = -begin.minute % QUARTER
    moments = [begin + timedelta(minutes=m) for m in range(first, 2 * MINUTES + 1, QUARTER)]
    return [(_at(at, begin), f"{at.astimezone(wall.zone):%H:%M}") for at in moments]


def _at(moment: datetime, begin: datetime) -> str:
    minutes = (moment - begin).total_seconds() / 60
    return f"{minutes / (2 * MINUTES) * 100:.2f}%"
