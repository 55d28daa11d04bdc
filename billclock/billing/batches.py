"""Work over very many accounts: by ranges, taken up after a kill, halved where one fails.

What is done in a range, and that it is done, are one transaction. A range that fails is undone and
done in halves, down to the account at fault, which is parked and named; all others go on.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from django.db import DatabaseError, OperationalError, transaction

from billclock import clock
from billclock.billing import engine
from billclock.billing.errors import BillingError
from billclock.billing.progress import JobChunk, JobRun, Parked

WAITS = (0.05, 0.25, 1.0)
"""Seconds before a range that another transaction was in the way of is tried again."""

GAP = 0.004
"""Seconds between two ranges, in which SQLite's other writers get their turn."""

LARGEST = 2**63 - 1
"""A key that no account has."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Figures:
    """What was done: counts by name; charged amounts by currency and by product type.

    Amounts are in minor units; a type's key is its code and the currency, as "hosting EUR".
    """

    counts: Counter[str] = field(default_factory=Counter)
    charged: Counter[str] = field(default_factory=Counter)
    by_type: Counter[str] = field(default_factory=Counter)

    def add(self, other: Figures) -> None:
        """Take another range's figures in."""
        self.counts.update(other.counts)
        self.charged.update(other.charged)
        self.by_type.update(other.by_type)

    def values(self) -> dict[str, dict[str, int]]:
        """Give them as plain values."""
        return {
            "counts": dict(self.counts),
            "charged": dict(self.charged),
            "by_type": dict(self.by_type),
        }

    @classmethod
    def of(cls, values: Mapping[str, dict[str, int]]) -> Figures:
        """Read what `values` gave."""
        return cls(*(Counter(values.get(name, {})) for name in ("counts", "charged", "by_type")))


class Undone(Exception):  # noqa: N818 - not an error: a rehearsal ends by it
    """Takes a rehearsed range's effects back and carries its figures out."""

    def __init__(self, figures: Figures) -> None:
        super().__init__()
        self.figures = figures


Act = Callable[[int, int], Figures]
"""Does the work for the accounts from one key to another, in one transaction."""


def lock(first: int, last: int) -> None:
    """Take the accounts of a range, in the order of their keys; SQLite has one writer anyway."""
    if engine.on_postgresql():
        engine.execute(
            """SELECT 1 FROM billing_ledgeraccount
               WHERE kind = 1 AND id BETWEEN %(first)s AND %(last)s
               ORDER BY id FOR UPDATE""",
            {"first": first, "last": last},
        )


def note(
    run: JobRun | None,
    first: int,
    last: int,
    figures: Figures,
    *,
    phase: JobChunk.Phase = JobChunk.Phase.PERIODS,
    rehearsal: bool = False,
) -> None:
    """Note, within its transaction, that a range is done; end a rehearsal by raising Undone."""
    if run:
        JobChunk.objects.create(
            run=run, phase=phase, first=first, last=last, figures=figures.values()
        )
    if rehearsal:
        raise Undone(figures)


def covered(
    run: JobRun | None, first: int, last: int, phase: JobChunk.Phase = JobChunk.Phase.PERIODS
) -> bool:
    """Tell, with its accounts locked, whether a range was done by another process meanwhile."""
    if run is None:
        return False
    return run.chunks.filter(phase=phase, first__lte=first, last__gte=last).exists()


def gaps(run: JobRun, phase: JobChunk.Phase) -> Iterator[tuple[int, int]]:
    """Give what a run is not through with: the accounts between two keys, without these."""
    behind = 0
    rows = run.chunks.filter(phase=phase).order_by("first")
    for first, last in list(rows.values_list("first", "last")):
        if first > behind + 1:
            yield behind, first
        behind = max(behind, last)
    yield behind, LARGEST


def reached(run: JobRun, phase: JobChunk.Phase = JobChunk.Phase.PERIODS) -> int:
    """Give the last account that a run is through with."""
    return max(run.chunks.filter(phase=phase).values_list("last", flat=True), default=0)


def noted(run: JobRun) -> Figures:
    """Give the figures of all ranges that a run is through with."""
    done = Figures()
    for chunk in run.chunks.all():
        done.add(Figures.of(chunk.figures))
    return done


def rehearsed(act: Callable[[], Figures]) -> Figures:
    """Give the figures of work that undoes itself by raising Undone."""
    try:
        return act()
    except Undone as undone:
        return undone.figures


def halved(first: int, last: int, act: Act, run: JobRun) -> Figures:
    """Do a range; where that fails do its halves, down to the account that is at fault.

    Raises OperationalError where the database itself is in trouble, not an account: nobody is
    parked because others were in the way.
    """
    try:
        return _tried(first, last, act)
    except (BillingError, DatabaseError, ArithmeticError) as error:
        if isinstance(error, OperationalError) and not _smaller_helps(error, last - first):
            raise
        if first == last:
            return park(first, run, str(error))
        log.warning("accounts %d to %d: %s; halved", first, last, error)
    middle = (first + last) // 2
    done = halved(first, middle, act, run)
    done.add(halved(middle + 1, last, act, run))
    return done


def _tried(first: int, last: int, act: Act) -> Figures:
    """Do a range, and again where another transaction was in its way."""
    for wait in WAITS:
        try:
            return act(first, last)
        except OperationalError as error:
            if not (engine.collided(error) or engine.kept_waiting(error)):
                raise
            log.info("accounts %d to %d: %s; tried again", first, last, error)
        time.sleep(wait)
    return act(first, last)


def _smaller_helps(error: OperationalError, others: int) -> bool:
    """Tell whether an error is an account's, or one that a smaller range does not run into."""
    return "overflow" in str(error) or (engine.collided(error) and others > 0)


@transaction.atomic
def park(account: int, run: JobRun, reason: str) -> Figures:
    """Leave an account out until somebody looked at it, and say why."""
    Parked.objects.get_or_create(
        account_id=account, defaults={"reason": reason, "since": clock.now(), "run": run}
    )
    figures = Figures()
    figures.counts["parked"] = 1
    return figures
