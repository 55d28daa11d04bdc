"""What is let go: runs, planned moments and outputs that are older or more than settings keep.

All goes in small batches, each followed by a rest as long as itself: the daemon writes to the same
database. Outputs go before their rows, so that a kill leaves no file without a run.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

from django.db.models import Count, Exists, F, Max, OuterRef, QuerySet, Sum
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Least

from billclock import clock
from billclock.outbox import messages
from billclock.scheduler import chosen, hooks, keeping, output
from billclock.scheduler.keeping import BATCH, BLOCK, Wishes
from billclock.scheduler.models import Run, Slot
from billclock.scheduler.report_limits import group

SPAN = 10_000
"""Runs whose outputs are added up at once."""


@dataclass
class Pruned:
    """How many runs, slots and report mails went, bytes of disk freed, and whether that was all."""

    runs: int = 0
    slots: int = 0
    mails: int = 0
    freed: int = 0
    finished: bool = False


def prune(budget_seconds: float = 10.0) -> Pruned:
    """Let go what the settings no longer keep, for about so long; the next call goes on.

    Kept are as many days, runs an entry and MiB of output in all as `chosen` says; always kept are
    running runs, each entry's last run and last slot, and what the entry's own `keep` asks for.
    After a time without runs, or the clock set forward, nothing goes for its age for a day:
    somebody may want to set it back.
    """
    deadline = time.monotonic() + budget_seconds
    keep = chosen.in_force()
    before = clock.now() - timedelta(days=keep.keep_days)
    aged: tuple[Callable[[Pruned], Iterator[None]], ...] = ()
    by_age = _was_running(before, keep.keep_days)
    wishes = keeping.wishes(clock.now(), by_age=by_age)
    if by_age:
        aged = (
            lambda pruned: _old_runs(before, wishes, pruned),
            lambda pruned: _old_slots(before, pruned),
            lambda pruned: _old_mails(before, pruned),
        )
    pruned = Pruned()
    begun = time.monotonic()
    steps: tuple[Callable[[Pruned], Iterator[None]], ...] = (
        lambda pruned: _surplus(max(keep.keep_runs, 1), wishes, pruned),
        lambda pruned: _unwanted(wishes, pruned),
        *aged,
        lambda pruned: _excess(keep.keep_mib * 1024 * 1024, wishes, pruned),
    )
    for _ in chain.from_iterable(step(pruned) for step in steps):
        now = time.monotonic()
        if now >= deadline:
            return pruned
        time.sleep(now - begun)
        begun = time.monotonic()
    pruned.finished = True
    return pruned


def _was_running(before: datetime, days: int) -> bool:
    """Tell whether any run began in the time that is kept, but not just now."""
    grace = min(timedelta(days=1), timedelta(days=days) / 2)
    return Run.objects.filter(started__gte=before, started__lt=clock.now() - grace).exists()


def _old_runs(before: datetime, wishes: Wishes, pruned: Pruned) -> Iterator[None]:
    """Walk the runs from the first; ids rise with time, so where none is old the rest is young."""
    newer = Exists(Run.objects.filter(entry=OuterRef("entry"), id__gt=OuterRef("id")))
    kept = Run.objects.exclude(wishes.spared)
    runs = kept.annotate(at=Coalesce("started", "planned"), newer=newer).order_by("id")
    last = 0
    while rows := list(
        runs.filter(id__gt=last).values_list("id", "outcome", "newer", "at")[:BATCH]
    ):
        last = rows[-1][0]
        old = [row for row in rows if row[3] is not None and row[3] < before]
        if not old:
            return
        _remove([run for run, outcome, newer, _ in old if outcome and newer], pruned)
        yield


def _surplus(keep: int, wishes: Wishes, pruned: Pruned) -> Iterator[None]:
    """Walk the entries, a few at a time, and let their oldest runs go where they have too many."""
    last = 0
    while rows := list(
        Run.objects.filter(entry__gt=last)
        .values("entry")
        .annotate(n=Count("id"))
        .order_by("entry")
        .values_list("entry", "n")[:100]
    ):
        last = rows[-1][0]
        yield
        for entry, count in rows:
            if count > keep:
                yield from _surplus_of(entry, keep, wishes, pruned)


def _surplus_of(entry: int, keep: int, wishes: Wishes, pruned: Pruned) -> Iterator[None]:
    runs = Run.objects.filter(entry=entry).order_by("-id").values_list("id", flat=True)
    oldest_kept = runs[keep - 1]
    surplus = runs.filter(id__lt=oldest_kept).exclude(outcome="").exclude(wishes.spared)
    while ids := list(surplus.order_by("id")[:BATCH]):
        _remove(ids, pruned)
        yield


def _unwanted(wishes: Wishes, pruned: Pruned) -> Iterator[None]:
    """Let the outputs go that their own entries no longer want; the runs stay."""
    for ids in wishes.outputs():
        pruned.freed += output.remove(ids)
        yield


def _remove(ids: list[int], pruned: Pruned) -> None:
    if ids:
        pruned.freed += output.remove(ids)
        pruned.runs += Run.objects.filter(id__in=ids).delete()[0]


def _old_slots(before: datetime, pruned: Pruned) -> Iterator[None]:
    """Walk the slots as the runs; one goes only for its age, for it keeps its moment from a start.

    The runs that are too many leave theirs behind: with the clock set back nothing starts twice.
    """
    newer = Exists(Slot.objects.filter(entry=OuterRef("entry"), planned__gt=OuterRef("planned")))
    used = Exists(Run.objects.filter(slot=OuterRef("id")))
    slots = Slot.objects.annotate(newer=newer, used=used).order_by("id")
    columns = ("id", "planned", "outcome", "newer", "used")
    last = 0
    while rows := list(slots.filter(id__gt=last).values_list(*columns)[:BATCH]):
        last = rows[-1][0]
        old = [row for row in rows if row[1] < before]
        if not old:
            return
        ids = [slot for slot, _, outcome, newer, used in old if outcome and newer and not used]
        if ids:
            pruned.slots += Slot.objects.filter(id__in=ids).delete()[0]
        yield


def _old_mails(before: datetime, pruned: Pruned) -> Iterator[None]:
    for groups in (group(""), hooks.group("")):
        while gone := messages.prune(before, groups, most=BATCH):
            pruned.mails += gone
            yield


def _excess(left: int, wishes: Wishes, pruned: Pruned) -> Iterator[None]:
    """Add the outputs up from the newest; those beyond `left` bytes go as files."""
    top = Run.objects.aggregate(top=Max("id"))["top"] or 0
    for first in range(top, 0, -SPAN):
        span = Run.objects.filter(id__gt=first - SPAN, id__lte=first, output_size__gt=0)
        span = span.exclude(wishes.gone)
        size = span.aggregate(size=Sum(on_disk()))["size"] or 0
        if size > left:
            yield from _without_outputs(_boundary(span.order_by("-id"), left), pruned)
            return
        left -= size
        yield


def on_disk() -> Combinable:
    """Give what a run's output takes on disk at most, in bytes, as a query says it."""
    kept = Least(F("output_size"), output.HEAD + output.TAIL)
    return (kept + (BLOCK - 1)) / BLOCK * BLOCK


def _boundary(span: QuerySet[Run], left: int) -> int:
    """Give the newest run whose output no longer fits into `left` bytes (0: all fit)."""
    for run, size in span.annotate(size=on_disk()).values_list("id", "size"):
        left -= size
        if left < 0:
            return run
    return 0


def _without_outputs(boundary: int, pruned: Pruned) -> Iterator[None]:
    """Remove the output files of all runs up to one, oldest first, but of none that goes on."""
    running = set(Run.objects.filter(outcome="").values_list("id", flat=True))
    for folder in output.kept(boundary):
        ids = [run for run in folder if run not in running]
        for start in range(0, len(ids), BATCH):
            pruned.freed += output.remove(ids[start : start + BATCH])
            yield
