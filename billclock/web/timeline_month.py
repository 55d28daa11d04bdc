"""A month as a calendar: each day with its starts and the worst that happened on it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, sqrt

from django.utils.formats import date_format

from billclock.scheduler.load import Schedules, load
from billclock.scheduler.models import Outcome
from billclock.web.kit.marks import Mark
from billclock.web.outcomes import mark
from billclock.web.timeline_past import by_day
from billclock.web.timeline_range import Range

SHADES = ("", "shade1", "shade2", "shade3", "shade4")
"""Classes of the style sheet, from an empty day to the fullest."""
NO_START = (Outcome.MISSED, Outcome.SKIPPED)
WORST = (
    *(Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST, Outcome.MISSED),
    *(Outcome.STOPPED, Outcome.SKIPPED),
)


@dataclass(frozen=True)
class Day:
    """A day: its number, its starts and those to come, how full it is, and its worst outcome."""

    day: date
    number: int
    inside: bool
    today: bool
    ran: int
    coming: int
    shade: str
    worst: Mark | None
    worst_count: int
    label: str


def weeks(
    table: str, schedules: Schedules, shown: Range, entry: int | None = None
) -> list[list[Day]]:
    """Give a month's weeks of a table, or of an entry, Monday first: two queries.

    `schedules` are what is counted of the time to come.
    """
    since = max(shown.now, shown.begin)
    coming: Counter[date] = Counter()
    if since < shown.close:
        coming = load(schedules, since, shown.close).of_days(shown.wall.zone)
    past = by_day(table, shown, entry)
    outcomes: dict[object, Counter[str]] = {}
    for (day, outcome), count in past.items():
        outcomes.setdefault(day, Counter())[outcome] += count
    totals = [
        outcomes.get(day, Counter()).total() + coming[day]
        for day in _days(shown)
        if _in(day, shown)
    ]
    most = max(totals, default=0)
    days = [
        _day(day, outcomes.get(day, Counter()), coming[day], most, shown) for day in _days(shown)
    ]
    return [days[at : at + 7] for at in range(0, len(days), 7)]


def _days(shown: Range) -> Sequence[date]:
    first = shown.start.date()
    monday = first - timedelta(days=first.weekday())
    last = (shown.end - timedelta(days=1)).date()
    count = (last - monday).days // 7 * 7 + 7
    return [monday + timedelta(days=each) for each in range(count)]


def _in(day: date, shown: Range) -> bool:
    return (day.year, day.month) == (shown.start.year, shown.start.month)


def _day(day: date, past: Mapping[str, int], coming: int, most: int, shown: Range) -> Day:
    ran = sum(count for outcome, count in past.items() if outcome not in NO_START)
    worst = next((outcome for outcome in WORST if past.get(outcome)), None)
    total = sum(past.values()) + coming
    return Day(
        day=day,
        number=day.day,
        inside=_in(day, shown),
        today=day == shown.wall.now.date(),
        ran=ran,
        coming=coming,
        shade=SHADES[ceil((len(SHADES) - 1) * sqrt(total / most)) if most else 0],
        worst=mark(worst) if worst else None,
        worst_count=past.get(worst, 0) if worst else 0,
        label=date_format(day, "l j F"),
    )
