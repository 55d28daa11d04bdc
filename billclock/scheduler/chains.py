"""Runs that an ending calls for: of the entry that a chain leads to, or a chained one's next try.

Their rows are inserted in the transaction that records the ending, once for each run that causes
one: what is killed in between leaves either neither, or a row whose run the next daemon starts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connections, router

from billclock.cron.chains import ChainError
from billclock.scheduler.claims import moment
from billclock.scheduler.models import Outcome, Run, Trigger
from billclock.scheduler.roster import Job, Roster

if TYPE_CHECKING:
    from billclock.scheduler.attempts import Attempt

LONGEST = 50
"""Links of one chain; a ring is refused before, this bounds what edits meanwhile may make."""

FAILURES = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST)
"""Endings that on-failure follows. One that a person stopped starts nothing."""

_INSERT = (
    "INSERT INTO {table} (entry_id, attempt, trigger, planned, outcome, reason, host, actor, "
    "output_size, mail, hook, {user}, cause) "
    "SELECT %s, %s, %s, %s, '', '', %s, '', 0, 'none', 'none', '', %s "
    "FROM {table} WHERE id = %s AND outcome = %s ON CONFLICT DO NOTHING RETURNING id"
)


@dataclass(frozen=True, slots=True)
class Follower:
    """A run to be: its job, the run that caused it, its number and when it is due (seconds).

    It follows the run `after`, which has to have ended as `outcome`. `before` are the entries of
    the chain up to it.
    """

    job: Job
    cause: int
    number: int
    due: float
    trigger: Trigger
    after: int
    outcome: Outcome
    before: tuple[int, ...] = ()


def follower(attempt: "Attempt", outcome: Outcome, roster: Roster, at: float) -> Follower | None:
    """Give the run that an attempt's ending calls for by its entry's directives, None for none.

    Only what a schedule or a chain began is followed. Raise ChainError, which names the directive,
    where the entry to start is not to be had.
    """
    key, called = _called(attempt.job, outcome)
    if not called or (attempt.slot is None and attempt.cause is None):
        return None
    before = (*attempt.before, attempt.job.entry)
    try:
        job = roster.called(attempt.job.table, called)
    except ChainError as error:
        raise ChainError(f"{key}: {error}") from None
    if job.entry in before or len(before) > LONGEST:
        raise ChainError(f"{key}: the chain has come round: it goes no further")
    return Follower(job, attempt.run, 1, at, Trigger.CHAIN, attempt.run, outcome, before)


def insert(followers: Iterable[Follower], host: str) -> Iterator[tuple[Follower, int]]:
    """Insert the rows of runs to be, inside the caller's transaction; give those that are new."""
    alias = router.db_for_write(Run)
    connection = connections[alias]
    quoted = connection.ops.quote_name
    statement = _INSERT.format(table=Run._meta.db_table, user=quoted("user"))
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        for one in followers:
            row = (one.job.entry, one.number, one.trigger, adapt(moment(one.due)), host, one.cause)
            cursor.execute(statement, [*row, one.after, one.outcome])
            if (found := cursor.fetchone()) is not None:
                yield one, found[0]


def before(cause: int | None) -> tuple[int, ...]:
    """Give the entries of the chain that led to a run, the first first: a query a link."""
    entries: list[int] = []
    while cause is not None and len(entries) <= LONGEST:
        row = Run.objects.filter(pk=cause).values_list("entry_id", "cause").first()
        if row is None:
            break
        entries.insert(0, row[0])
        cause = row[1]
    return tuple(entries)


def _called(job: Job, outcome: Outcome) -> tuple[str, str]:
    if outcome is Outcome.SUCCEEDED:
        return "on-success", job.options.on_success
    return "on-failure", job.options.on_failure if outcome in FAILURES else ""
