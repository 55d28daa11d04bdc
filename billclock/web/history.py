"""The last of what happened to many entries, in two queries however many they are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from django.db.models import F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from billclock.scheduler.models import Entry, Outcome, Run, Slot

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Past:
    """One thing that happened: a run (with its id), or moments that were missed (`count`)."""

    at: datetime | None
    outcome: str
    run: int | None = None
    started: datetime | None = None
    finished: datetime | None = None
    exit_code: int | None = None
    signal: int | None = None
    reason: str = ""
    count: int = 1

    @property
    def seconds(self) -> float | None:
        """Give how long the run took, None where it never began or goes on."""
        if self.started is None or self.finished is None:
            return None
        return max((self.finished - self.started).total_seconds(), 0.0)


def lately(entries: Collection[int], most: int = 20) -> Mapping[int, list[Past]]:
    """Give the last `most` events of each entry, the oldest first; entries without one have []."""
    found: defaultdict[int, list[Past]] = defaultdict(list)
    for entry, past in [*_runs(entries, most), *_missed(entries, most)]:
        found[entry].append(past)
    for events in found.values():
        events.sort(key=lambda past: (past.at or EPOCH, past.run or 0))
        del events[:-most]
    return found


def _runs(entries: Collection[int], most: int) -> list[tuple[int, Past]]:
    # one join bounded by each entry's own `most`-th run: the index (entry, -id) serves both sides
    own = Run.objects.filter(entry=OuterRef("pk")).order_by("-id").values("id")
    rows = (
        Entry.objects.filter(pk__in=entries)
        .annotate(oldest=Coalesce(Subquery(own[most - 1 : most]), Value(0)))
        .filter(runs__id__gte=F("oldest"))
        .values_list(
            "id", "runs__planned", "runs__outcome", "runs__id", "runs__started",
            "runs__finished", "runs__exit_code", "runs__signal", "runs__reason",
        )
    )  # fmt: skip
    return [
        (entry, Past(started or planned, outcome, run, started, *rest))
        for entry, planned, outcome, run, started, *rest in cast("Iterable[Any]", rows)
    ]


def _missed(entries: Collection[int], most: int) -> list[tuple[int, Past]]:
    """Give the moments among the last that were missed and so have no run."""
    own = Slot.objects.filter(entry=OuterRef("pk")).order_by("-planned").values("planned")
    rows = (
        Entry.objects.filter(pk__in=entries)
        .annotate(oldest=Coalesce(Subquery(own[most - 1 : most]), Value(EPOCH)))
        .filter(
            slots__planned__gte=F("oldest"),
            slots__outcome=Outcome.MISSED,
            slots__runs__isnull=True,
        )
        .values_list("id", "slots__planned", "slots__reason", "slots__count")
    )
    return [
        (entry, Past(planned, Outcome.MISSED, reason=reason, count=count))
        for entry, planned, reason, count in rows
    ]
