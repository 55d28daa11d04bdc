"""What happened in a stretch of time: runs as bars, moments without a start, the load."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Max, Min, OuterRef, Q, Subquery, TextField
from django.db.models.functions import Cast, Substr

from billclock.scheduler.models import Entry, Outcome, Run, Slot
from billclock.web.timeline_range import Range

LONGEST = timedelta(days=1)  # a run that began earlier than this before the range is not drawn
MOST = 20_000
MINUTE, TEN_MINUTES = 16, 15  # characters of a moment's text that name its minute, its ten
DEVIATIONS = (
    *(Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST),
    *(Outcome.STOPPED, Outcome.MISSED, Outcome.SKIPPED),
)


@dataclass(frozen=True, slots=True)
class Happened:
    """A run, or a moment without one: from when to when, how it ended, the run's id.

    `count` moments in a row were missed where it is more than one, the last of them at `until`.
    """

    at: datetime
    until: datetime
    outcome: str
    run: int | None
    started: bool
    count: int = 1


@dataclass(frozen=True, slots=True)
class Stream:
    """The first and the last moment served of an entry that runs too often for bars."""

    first: datetime
    last: datetime


def happened(keys: Collection[int], shown: Range) -> Mapping[int, list[Happened]]:
    """Give what became of entries in the range, the earliest first: two queries."""
    begun = Q(started__gte=shown.begin - LONGEST, started__lt=shown.close)
    reaching = begun & (Q(finished__gt=shown.begin) | Q(finished=None))
    unstarted = Q(started=None, planned__gte=shown.begin, planned__lt=shown.close)
    rows = Run.objects.filter(reaching | unstarted, entry__in=keys).order_by("-id")
    columns = ("entry", "planned", "started", "finished", "outcome", "id", "slot__count")
    found: defaultdict[int, list[Happened]] = defaultdict(list)
    for entry, planned, started, finished, outcome, run, count in rows.values_list(*columns)[:MOST]:
        at = started or planned
        if at is not None and (count or 1) == 1:
            until = finished or (at if outcome else shown.now)
            found[entry].append(Happened(at, until, outcome, run, started is not None))
    for entry, missed in _stretches(keys, shown).items():
        found[entry] += missed
    for each in found.values():
        each.sort(key=lambda one: one.at)
    return found


def deviations(keys: Collection[int], shown: Range) -> Mapping[int, list[Happened]]:
    """Give what did not go well of entries that run too often to show each run: two queries."""
    rows = (
        Slot.objects.filter(entry__in=keys, outcome__in=DEVIATIONS, count=1)
        .filter(planned__gte=shown.begin, planned__lt=shown.close)
        .annotate(run=Max("runs"))
        .order_by("planned")
        .values_list("entry", "planned", "outcome", "run")
    )
    found: defaultdict[int, list[Happened]] = defaultdict(list)
    for entry, planned, outcome, run in rows[:MOST]:
        started = outcome not in (Outcome.MISSED, Outcome.SKIPPED)
        found[entry].append(Happened(planned, planned, outcome, run, started))
    for entry, missed in _stretches(keys, shown).items():
        found[entry] += missed
    return found


def streams(keys: Collection[int], shown: Range) -> Mapping[int, Stream]:
    """Give from when to when entries were served in the range: one query by their index."""
    own = Slot.objects.filter(entry=OuterRef("pk"), planned__lt=shown.close)
    own = own.filter(planned__gte=shown.begin)
    rows = Entry.objects.filter(pk__in=keys).annotate(
        first=Subquery(own.order_by("planned").values("planned")[:1]),
        last=Subquery(own.order_by("-planned").values("planned")[:1]),
    )
    found = rows.values_list("id", "first", "last")
    return {key: Stream(first, last) for key, first, last in found if first and last}


def started(tables: Sequence[str] | None, shown: Range) -> list[int]:
    """Count the starts of each minute of the range up to now (None: of all tables); one query."""
    minutes = [0] * max((shown.close - shown.begin) // timedelta(minutes=1), 0)
    for text, count in _counted(tables, shown, MINUTE):
        at = datetime.fromisoformat(text).replace(tzinfo=UTC)
        place = (at - shown.begin) // timedelta(minutes=1)
        if 0 <= place < len(minutes):
            minutes[place] += count
    return minutes


def _counted(tables: Sequence[str] | None, shown: Range, size: int) -> list[tuple[str, int]]:
    # the first characters of the text of a moment name its minute on every engine
    runs = Run.objects.filter(started__gte=shown.begin, started__lt=min(shown.close, shown.now))
    if tables is not None:
        runs = runs.filter(entry__table__in=tables)
    part = Substr(Cast("started", TextField()), 1, size)
    rows = runs.annotate(part=part).order_by().values_list("part").annotate(Count("id"))
    return [(str(text), count) for text, count in rows]


def by_day(table: str, shown: Range, entry: int | None = None) -> Mapping[tuple[object, str], int]:
    """Count runs and moments without one by local date and outcome: two queries.

    They are a table's, or those of one entry of it.
    """
    of = {"entry__table": table} if entry is None else {"entry": entry}
    found: Counter[tuple[object, str]] = Counter()
    runs = Run.objects.filter(started__gte=shown.begin, started__lt=shown.close)
    tens = Substr(Cast("started", TextField()), 1, TEN_MINUTES)
    rows = runs.filter(**of).annotate(ten=tens).order_by()
    for text, outcome, count in rows.values_list("ten", "outcome").annotate(n=Count("id")):
        found[_day(f"{text}0", shown), outcome] += count
    slots = Slot.objects.filter(planned__gte=shown.begin, planned__lt=shown.close)
    slots = slots.filter(**of, outcome__in=(Outcome.MISSED, Outcome.SKIPPED))
    for planned, outcome, count in slots.values_list("planned", "outcome", "count"):
        found[planned.astimezone(shown.wall.zone).date(), outcome] += count
    return found


def _day(text: str, shown: Range) -> object:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).astimezone(shown.wall.zone).date()


def _stretches(keys: Collection[int], shown: Range) -> Mapping[int, list[Happened]]:
    """Give moments that were missed in a row, as far as they lie in the range."""
    rows = (
        Slot.objects.filter(entry__in=keys, outcome=Outcome.MISSED, count__gt=1)
        .filter(planned__gte=shown.begin, first_planned__lt=shown.close)
        .annotate(run=Min("runs"))
        .values_list("entry", "first_planned", "planned", "count", "run")
    )
    found: defaultdict[int, list[Happened]] = defaultdict(list)
    for entry, first, last, count, run in rows:
        since = max(first or last, shown.begin)
        until = min(last, shown.close)
        found[entry].append(Happened(since, until, Outcome.MISSED, run, False, count))
    return found
