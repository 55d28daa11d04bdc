"""By which index runs are found, whichever filters are given together.

SQLite keeps no figures of our tables, so it guesses, and a wrong guess reads every run there is.
So the runs that each filter leaves are counted, no further than it pays, and the fewest are looked
through; where all leave many, the list is walked in its own order, and soon has a page.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.db.models import F, Func, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, GreaterThanOrEqual, LessThan

from billclock.scheduler import unindexed
from billclock.scheduler.models import DEVIATES, Entry, Outcome, Run, Trigger
from billclock.scheduler.unindexed import Unindexed

MOMENT = Coalesce("started", "planned")
FEW = 8000  # runs that are looked through, and put in order, within some 50 ms


def among(
    exact: Mapping[str, object],
    entries: QuerySet[Entry] | None,
    begin: datetime | None,
    end: datetime | None,
) -> QuerySet[Run]:
    """Give runs whose columns are `exact`, of `entries` (None: of any), in a time.

    It is one query, and one more for each index that would do where there are several.
    """
    rare = [way for name, value in exact.items() if (way := _rare(name, value)) is not None]
    dated = begin is not None or end is not None
    days = Q(*_days(MOMENT, begin, end))
    if entries is None and len(rare) + dated <= 1:
        return Run.objects.filter(*rare, days, **exact)
    loose = [Exact(Unindexed(F(name)), value) for name, value in exact.items()]
    own = []
    if entries is not None:
        own = [unindexed.of(entries)]
        rare.append(Q(entry__in=entries))
    fewest = _fewest(rare)
    if fewest is not None:
        # the time behind a plus too, or its index is walked instead
        within = _days(Unindexed(MOMENT), begin, end)
        return Run.objects.filter(
            *loose, *own, *within, id__in=Run.objects.filter(fewest).values("id")
        )
    if dated:
        return Run.objects.filter(*loose, *own, days)
    return Run.objects.filter(*rare[: len(rare) - len(own)], *own, **exact)


def newest_of(entries: QuerySet[Entry], most: int, below: int | None) -> QuerySet[Run]:
    """Give the newest `most` runs of entries, `below` a key.

    The index (entry, -id) gives each entry's own first runs: of a few entries that are rarely
    run, a walk down all runs would find the first page too late.
    """
    own = Run.objects.filter(entry=OuterRef("pk")).order_by("-id").values("id")
    place = {}
    if below is not None:
        own = own.filter(id__lt=below)
        place = {"runs__id__lt": below}
    last = Coalesce(Subquery(own[most - 1 : most]), Value(0))
    # as a list of keys, so that entries lead to runs and never runs to entries
    bounds = Entry.objects.filter(pk__in=entries.values("id")).annotate(last=last)
    keys = bounds.filter(runs__id__gte=F("last"), **place).values("runs__id")
    # put in order behind a plus, or all runs are walked in their order to save the sorting
    keys = keys.order_by(Unindexed(F("runs__id")).desc())
    return Run.objects.filter(id__in=keys[:most])


def _rare(name: str, value: object) -> Q | None:
    """Say a filter so that it names the index of what deviates; None where there is none."""
    common: Mapping[str, tuple[object, Q]] = {
        "outcome": (Outcome.SUCCEEDED, Q() if value == "" else DEVIATES),
        "trigger": (Trigger.SCHEDULE, ~Q(trigger=Trigger.SCHEDULE)),
        "exit_code": (0, Q(exit_code__gt=0)),
        "actor": ("", Q(actor__gt="")),
    }
    usual, named = common[name]
    return None if value == usual else Q(**{name: value}) & named


def _days(
    at: Func, begin: datetime | None, end: datetime | None
) -> Iterator[GreaterThanOrEqual | LessThan]:
    if begin is not None:
        yield GreaterThanOrEqual(at, begin)
    if end is not None:
        yield LessThan(at, end)


def _fewest(ways: Sequence[Q]) -> Q | None:
    """Give the way to the fewest runs; None where each way has more than FEW."""
    sets = [Run.objects.filter(way).values("id")[: FEW + 1] for way in ways]
    count, number = min(
        ((found.count(), at) for at, found in enumerate(sets)), default=(FEW + 1, 0)
    )
    return ways[number] if count <= FEW else None
