"""What is kept of runs, how much room it takes, and what other limits would let go."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Max, Min, Q, Sum, Window
from django.db.models.functions import RowNumber

from billclock.scheduler import chosen, keeping
from billclock.scheduler.models import Run
from billclock.scheduler.retention import on_disk


@dataclass(frozen=True)
class Use:
    """What is kept now: runs, the oldest of them, the most of one entry, bytes of output."""

    runs: int
    oldest: datetime | None
    most: int
    size: int


@dataclass(frozen=True)
class Limits:
    """How much is kept: days, runs of one entry, MiB of output in all."""

    days: int
    runs: int
    mib: int

    @classmethod
    def now(cls) -> "Limits":
        """Give the limits in force."""
        now = chosen.in_force()
        return cls(now.keep_days, now.keep_runs, now.keep_mib)


@dataclass(frozen=True)
class Loss:
    """What limits would let go: runs for their age, more beyond those kept, bytes of output."""

    aged: int
    surplus: int
    size: int


def use() -> Use:
    """Look at what is kept: two queries."""
    told = Run.objects.aggregate(runs=Count("id"), oldest=Min("started"), size=Sum(on_disk()))
    counts = Run.objects.order_by().values("entry").annotate(n=Count("id"))
    most = counts.aggregate(most=Max("n"))["most"] or 0
    return Use(told["runs"], told["oldest"], most, told["size"] or 0)


def loss(limits: Limits, now: datetime) -> Loss:
    """Say what other limits would let go, beside what entries' own `keep` lets go anyway.

    Of an entry its last run always stays, and the runs that its `keep` asks for; output beyond
    the room goes, its runs stay. Three queries, and what reading every table takes.
    """
    wishes = keeping.wishes(now, by_age=True)
    may_go = Run.objects.exclude(outcome="").exclude(wishes.spared)
    place = Window(RowNumber(), partition_by=F("entry"), order_by=F("id").desc())
    placed = Run.objects.annotate(place=place).filter(place__gt=max(limits.runs, 1))
    last = Run.objects.order_by().values("entry").annotate(last=Max("id")).values("last")
    before = now - timedelta(days=limits.days)
    old = Q(started__lt=before) | Q(started=None, planned__lt=before)
    aged = may_go.filter(old).exclude(pk__in=last)
    surplus = may_go.filter(pk__in=placed.values("pk")).exclude(pk__in=aged.values("pk"))
    size = Run.objects.exclude(wishes.gone).aggregate(size=Sum(on_disk()))["size"] or 0
    return Loss(aged.count(), surplus.count(), max(size - limits.mib * 1024 * 1024, 0))
