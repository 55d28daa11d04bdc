"""How long an entry's runs take: the average and the 95th percentile of the last of them."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from django.db.models import F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from billclock.scheduler.models import Entry, Outcome, Run

OF_LAST = 50


class Typical(NamedTuple):
    """The average and the 95th percentile in seconds, of so many runs."""

    mean: float
    p95: float
    runs: int


def typical(entries: Collection[int]) -> Mapping[int, Typical]:
    """Give how long the last runs of entries took; those that never ended have none. One query."""
    # bounded by each entry's own 50th run: the index (entry, -id) serves both sides
    own = Run.objects.filter(entry=OuterRef("pk")).order_by("-id").values("id")
    rows = (
        Entry.objects.filter(pk__in=entries)
        .annotate(oldest=Coalesce(Subquery(own[OF_LAST - 1 : OF_LAST]), Value(0)))
        .filter(
            runs__id__gte=F("oldest"),
            runs__finished__isnull=False,
            runs__started__isnull=False,
        )
        .exclude(runs__outcome=Outcome.STOPPED)
        .values_list("id", "runs__started", "runs__finished")
    )
    found: defaultdict[int, list[float]] = defaultdict(list)
    for entry, started, finished in rows:
        if started is not None and finished is not None:
            found[entry].append(max((finished - started).total_seconds(), 0.0))
    return {entry: of(seconds) for entry, seconds in found.items()}


def of(seconds: Collection[float]) -> Typical:
    """Sum up lengths in seconds, of which there is at least one."""
    ordered = sorted(seconds)
    return Typical(
        sum(ordered) / len(ordered), ordered[-(-95 * len(ordered) // 100) - 1], len(ordered)
    )
