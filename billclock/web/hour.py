"""The hour that goes on: what was started, what is still to come, and the hand between them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Count
from django.db.models.functions import Substr

from billclock.cron.entry import Entry as Line
from billclock.scheduler import unindexed
from billclock.scheduler.models import Entry, Run
from billclock.scheduler.roster import Zones
from billclock.web.times import Wall

MINUTES = 60
HOUR = timedelta(hours=1)
MINUTE = (15, 2)  # where the minute stands in a moment as SQLite keeps it, and its length
FLOOR, STEP, MOST = 30, 7, 4  # where boxes stand, how high one is, how many stand on another


@dataclass(frozen=True)
class Box:
    """Starts of one minute: the place on the rule in per cent, the top, `past` or `due`."""

    left: str
    top: int
    height: int
    kind: str


@dataclass(frozen=True)
class Hour:
    """The drawing, and what it says in figures."""

    label: str
    quarters: tuple[tuple[str, str], ...]
    hand: str
    boxes: list[Box]
    started: int
    due: int


def hour(table: str, entries: Iterable[Line], wall: Wall) -> Hour:
    """Draw this hour for one table: one query, and a look at each distinct schedule."""
    top = wall.now.replace(minute=0, second=0, microsecond=0)
    begin = top.astimezone(UTC)  # an hour that comes twice is drawn twice, not at double length
    past = _started(table, begin)
    due = _due(entries, wall.now, begin)
    boxes = [*_boxes(past, "past"), *_boxes(due, "due")]
    return Hour(
        label=f"{top:%H:%M}–{top:%H}:59",
        quarters=tuple((f"{part * 25}%", f"{top:%H}:{part * 15:02}") for part in range(4)),
        hand=_percent((wall.now.astimezone(UTC) - begin).total_seconds() / 60),
        boxes=boxes,
        started=past.total(),
        due=due.total(),
    )


def _started(table: str, begin: datetime) -> Counter[int]:
    """Count the starts by minute in the database: an hour of a thousand jobs may have very many."""
    # the hour has fewer runs than the table's entries have in all
    own = unindexed.of(Entry.objects.filter(table=table))
    counts = (
        Run.objects.filter(own, started__gte=begin, started__lt=begin + HOUR)
        .values(clock=Substr("started", *MINUTE))
        .annotate(runs=Count("id"))
        .order_by()
        .values_list("clock", "runs")
    )
    return Counter({(int(clock) - begin.minute) % MINUTES: runs for clock, runs in counts})


def _due(entries: Iterable[Line], now: datetime, begin: datetime) -> Counter[int]:
    """Count the starts to come by minute; entries that share a schedule share the work."""
    end = begin + HOUR
    zones = Zones()
    shared = Counter((entry.expression, zones.of(entry)) for entry in entries if entry.active)
    found: Counter[int] = Counter()
    for (expression, zone), count in shared.items():
        for moment in expression.between(now.astimezone(zone), end.astimezone(zone)):
            found[int((moment.astimezone(UTC) - begin).total_seconds() // 60)] += count
    return found


def _boxes(minutes: Counter[int], kind: str) -> Iterable[Box]:
    for minute, count in sorted(minutes.items()):
        height = STEP * min(count, MOST) - 1
        yield Box(_percent(minute), FLOOR - height, height, kind)


def _percent(minutes: float) -> str:
    return f"{minutes / MINUTES * 100:.2f}%"
