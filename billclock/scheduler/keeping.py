"""What entries themselves want kept of their runs, by `keep` in their directive lines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Q

from billclock.cron.conditions import Keep
from billclock.scheduler import desk, output, policies
from billclock.scheduler.control import NotRunningError
from billclock.scheduler.errors import TableError
from billclock.scheduler.models import Entry, Run

BLOCK = 4096
"""Bytes of disk that any output takes at least, and a multiple of which every one takes."""

BATCH = 100
"""Rows deleted at once; some 10 ms."""

_WORD = b"keep="


@dataclass(frozen=True)
class Wishes:
    """What entries want: `spared` are runs that stay, `gone` those whose outputs do not.

    `last` gives by entry the newest run whose output, with all before it, is let go.
    """

    spared: Q
    gone: Q
    last: Mapping[int, int]

    def outputs(self) -> Iterator[list[int]]:
        """Give the runs whose outputs are still there and not wanted, oldest first, in batches."""
        for entry, last in self.last.items():
            found = _with_outputs(entry, last)
            for start in range(0, len(found), BATCH):
                yield found[start : start + BATCH]


def wishes(now: datetime, *, by_age: bool) -> Wishes:
    """Read what the tables say; without `by_age` nothing is let go for its age.

    Of a table that can't be read nobody knows what it wants: its runs are spared.
    """
    keeps, unread = _read()
    spared, gone = Q(entry__table__in=unread), Q(pk=None)
    last = {}
    for entry, keep in keeps.items():
        since = now - timedelta(days=keep.days) if keep.days else None
        if since is not None:
            young = Q(started__gte=since) | Q(started=None, planned__gte=since)
            spared |= Q(young, entry=entry)
        boundary = _boundary(entry, keep.size, since if by_age else None)
        if boundary:
            last[entry] = boundary
            gone |= Q(entry=entry, pk__lte=boundary)
    return Wishes(spared, gone, last)


def _read() -> tuple[dict[int, Keep], list[str]]:
    """Give what entries want, and the tables that can't be read."""
    keeps: dict[int, Keep] = {}
    unread: list[str] = []
    try:
        names = desk.names()
    except (TableError, NotRunningError):
        return keeps, list(Entry.objects.values_list("table", flat=True).distinct())
    for name in names:
        try:
            snapshot = desk.load(name)
        except (TableError, NotRunningError):
            unread.append(name)
            continue
        if _WORD not in (snapshot.data or b""):
            continue
        for key, line in zip(snapshot.keys, snapshot.crontab.entries, strict=True):
            if keep := policies.read(line.directives)[0].keep:
                keeps[key] = keep
    return keeps, unread


def _boundary(entry: int, room: int | None, since: datetime | None) -> int:
    """Give the newest run of an entry that is older than `since` or beyond the room; 0 for none."""
    runs = Run.objects.filter(entry=entry, output_size__gt=0).exclude(outcome="")
    oldest = 0
    if since is not None:
        oldest = runs.filter(started__lt=since).aggregate(last=Max("id"))["last"] or 0
    if room is not None:
        left = room
        for run, size in (
            runs.filter(id__gt=oldest).order_by("-id").values_list("id", "output_size")
        ):
            left -= -(-min(size, output.HEAD + output.TAIL) // BLOCK) * BLOCK
            if left < 0:
                return run
    return oldest


def _with_outputs(entry: int, last: int) -> list[int]:
    """Give the runs up to `last` whose outputs are there: where a whole batch has none, no more."""
    runs = Run.objects.filter(entry=entry, output_size__gt=0).exclude(outcome="")
    found: list[int] = []
    while ids := list(
        runs.filter(id__lte=last).order_by("-id").values_list("id", flat=True)[:BATCH]
    ):
        there = [run for run in ids if output.path(run).exists()]
        if not there:
            break
        found += there
        last = ids[-1] - 1
    return found[::-1]
