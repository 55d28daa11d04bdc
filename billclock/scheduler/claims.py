"""The right to start: a slot's row, inserted once by whichever scheduler is first.

The statements are the common dialect of SQLite and PostgreSQL, so that several schedulers on one
database share moments by the same rule as one scheduler that was killed and started again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

from django.db import connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Max

from billclock.scheduler.models import Outcome, Run, Slot, Trigger

T = TypeVar("T")

ROWS = 80  # rows a statement: 12 columns of 80 rows stay under SQLite's oldest limit of 999


@dataclass(frozen=True, slots=True)
class Wanted:
    """A moment of an entry (seconds since the epoch) for which a run should start."""

    entry: int
    planned: float
    era: int = 0
    trigger: Trigger = Trigger.SCHEDULE


@dataclass(frozen=True, slots=True)
class Claimed:
    """A moment that is ours: its slot and the run that may start."""

    wanted: Wanted
    slot: int
    run: int


@dataclass(frozen=True, slots=True)
class Passed:
    """Moments of one entry that go without a start: the first, the last, how many, and why."""

    entry: int
    first: float
    last: float
    count: int
    outcome: Outcome
    reason: str
    era: int = 0


def claim(wanted: Iterable[Wanted], *, at: datetime, host: str) -> list[Claimed]:
    """Insert slots and runs for `wanted`, in one transaction; give those nobody had before."""
    won: list[Claimed] = []
    with transaction.atomic(using=_alias()):
        for chunk in _chunks(wanted):
            slots = _insert_slots(
                [(w.entry, moment(w.planned), w.era, None, 1, at, "", "") for w in chunk]
            )
            ours = [(slots[key], w) for w in chunk if (key := (w.entry, w.planned)) in slots]
            runs = _insert_runs(
                [(slot, w.entry, w.trigger, moment(w.planned), "", "", host) for slot, w in ours]
            )
            won += [Claimed(w, slot, runs[slot]) for slot, w in ours]
    return won


def settle(passed: Iterable[Passed], *, at: datetime, host: str) -> int:
    """Record moments that were not started, one row a stretch; give how many rows were new."""
    new = 0
    with transaction.atomic(using=_alias()):
        for chunk in _chunks(passed):
            slots = _insert_slots([_passed_row(p, at) for p in chunk])
            ours = [(slots[key], p) for p in chunk if (key := (p.entry, p.last)) in slots]
            _insert_runs(
                [
                    (slot, p.entry, Trigger.SCHEDULE, moment(p.last), p.outcome, p.reason, host)
                    for slot, p in ours
                ]
            )
            new += len(ours)
    return new


def attempt(*, slot: int | None, entry: int, number: int, planned: float | None, host: str) -> int:
    """Insert a further attempt at a slot; give its run's id."""
    run = Run.objects.create(
        slot_id=slot,
        entry_id=entry,
        attempt=number,
        trigger=Trigger.RETRY,
        planned=None if planned is None else moment(planned),
        host=host,
    )
    return int(run.pk)


def by_hand(entry: int, *, actor: str, host: str, trigger: Trigger = Trigger.MANUAL) -> int:
    """Insert a run that somebody asked for, without a slot; give its id."""
    run = Run.objects.create(entry_id=entry, trigger=trigger, actor=actor, host=host)
    return int(run.pk)


def release(slots: Iterable[int]) -> None:
    """Give back claims whose moment has not come, so that the next scheduler can have them."""
    with transaction.atomic(using=_alias()):
        for chunk in _chunks(slots):
            Slot.objects.filter(pk__in=chunk).delete()


def latest(since: float) -> dict[int, float]:
    """Give, by entry, the last moment after `since` (seconds) that has a slot already."""
    rows = Slot.objects.filter(planned__gt=moment(since)).values_list("entry_id")
    return {entry: found.timestamp() for entry, found in rows.annotate(Max("planned"))}


def moment(seconds: float) -> datetime:
    """Give seconds since the epoch as an aware moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _passed_row(p: Passed, at: datetime) -> tuple[Any, ...]:
    first = moment(p.first) if p.count > 1 else None
    return (p.entry, moment(p.last), p.era, first, p.count, at, p.outcome, p.reason)


def _insert_slots(rows: Sequence[tuple[Any, ...]]) -> dict[tuple[int, float], int]:
    """Insert slot rows that are new; give their ids by entry and planned moment."""
    columns = "entry_id, planned, era, first_planned, count, claimed_at, outcome, reason"
    found = _insert(Slot._meta.db_table, columns, rows, "id, entry_id, planned")
    return {(entry, _seconds(planned)): key for key, entry, planned in found}


def _insert_runs(rows: Sequence[tuple[Any, ...]]) -> dict[int, int]:
    """Insert first attempts; give their ids by slot."""
    columns = (
        "slot_id, entry_id, trigger, planned, outcome, reason, host, "
        "attempt, actor, output_size, mail, user"
    )
    rows = [(*row, 1, "", 0, "none", "") for row in rows]
    return {slot: key for key, slot in _insert(Run._meta.db_table, columns, rows, "id, slot_id")}


def _insert(
    table: str, columns: str, rows: Sequence[tuple[Any, ...]], returning: str
) -> list[tuple[Any, ...]]:
    if not rows:
        return []
    connection = _connection()
    adapt = connection.ops.adapt_datetimefield_value
    values = [adapt(v) if isinstance(v, datetime) else v for row in rows for v in row]
    line = "(" + ", ".join(["%s"] * len(rows[0])) + ")"
    names = ", ".join(connection.ops.quote_name(name.strip()) for name in columns.split(","))
    statement = (
        f"INSERT INTO {table} ({names}) VALUES {', '.join([line] * len(rows))} "  # noqa: S608
        f"ON CONFLICT DO NOTHING RETURNING {returning}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _seconds(planned: datetime | str) -> float:
    if isinstance(planned, str):
        planned = datetime.fromisoformat(planned)
    return planned.replace(tzinfo=UTC).timestamp()


def _chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    walk = iter(rows)
    while chunk := list(islice(walk, ROWS)):
        yield chunk


def _alias() -> str:
    return router.db_for_write(Slot)


def _connection() -> BaseDatabaseWrapper:
    return connections[_alias()]
