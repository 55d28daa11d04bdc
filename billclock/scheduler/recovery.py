"""What a scheduler that was killed left behind: each run is found again, or told as lost."""

from collections.abc import Callable

from billclock import clock
from billclock.scheduler import chains, orders, output, policies
from billclock.scheduler.attempts import Attempt, Attempts
from billclock.scheduler.environment import UnknownUserError
from billclock.scheduler.executors.base import Ending, Executor, StartError
from billclock.scheduler.models import Mail, Outcome, Run, Slot, Trigger
from billclock.scheduler.policies import CatchUp
from billclock.scheduler.roster import Job

Find = Callable[[int], Job | None]

NEVER_BEGAN = "claimed, but the scheduler was killed before it could start"
ENTRY_GONE = "its entry was removed while no scheduler was watching"
VANISHED = "the scheduler was killed while it ran, and its process has gone since"


def recover(attempts: Attempts, executor: Executor, find: Find | None = None) -> int:
    """Take over or close every open run of this host; give how many there were.

    `find` gives entries as jobs, also those switched off; without it only those in force are known.
    Afterwards every slot is settled, or has a run or a retry on its way.
    """
    rows = list(Run.objects.filter(outcome="", host=attempts.host).order_by("id"))
    for row in rows:
        _take_over(row, attempts, executor, find or attempts.roster.get)
    attempts.records.flush()
    ours = Slot.objects.filter(outcome="", runs__host=attempts.host).distinct()
    for slot in ours.exclude(runs__outcome=""):
        _go_on(slot, attempts)
    attempts.records.flush()
    return len(rows)


def _take_over(row: Run, attempts: Attempts, executor: Executor, find: Find) -> None:
    attempt = _attempt(row, find)
    if attempt is None:
        _close(row, attempts, ENTRY_GONE)
        return
    try:
        order = orders.order(attempt.job, row.pk)
        adopted = executor.adopt(order, row.pid, row.pid_started)
    except (UnknownUserError, StartError):
        adopted = False
    if adopted:
        attempts.watch(attempt)
    elif row.pid is None and not output.path(row.pk).exists():
        _never_began(attempt, attempts)
    else:
        _close(row, attempts, VANISHED)
        if attempt.cause is not None:
            attempts.lost(attempt, Outcome.LOST, again=True)


def _attempt(row: Run, find: Find) -> Attempt | None:
    job = find(row.entry_id)
    if job is None:
        return None
    planned = row.planned.timestamp() if row.planned else None
    known = (row.slot_id, planned, row.attempt, Trigger(row.trigger))
    return Attempt(job, row.pk, *known, cause=row.cause, before=chains.before(row.cause))


def _never_began(attempt: Attempt, attempts: Attempts) -> None:
    if attempt.cause is not None:
        attempts.expect(attempt)
    elif attempt.slot is not None and attempt.job.options.catch_up is CatchUp.ONCE:
        attempts.records.unstarted(attempt.run, Outcome.MISSED, NEVER_BEGAN, Mail.NONE)
        attempts.retry_at(clock.seconds(), attempt)
    else:
        attempts.refuse(attempt, Outcome.MISSED, NEVER_BEGAN)


def _close(row: Run, attempts: Attempts, reason: str) -> None:
    """Close a run whose process is no more; its slot is settled or tried again by `_go_on`."""
    size = output.size(row.pk)
    ending = Ending(row.pk, clock.now(), output_size=size, lost=True)
    attempts.records.ended(ending, Outcome.LOST, reason, Mail.NONE)


def _go_on(slot: Slot, attempts: Attempts) -> None:
    """Settle a slot whose attempts are all over, unless another attempt is due to it."""
    last = slot.runs.order_by("-attempt").first()
    if last is None:
        attempts.records.settled(slot.pk, Outcome.MISSED, NEVER_BEGAN)
        return
    attempt = _attempt(last, attempts.roster.get)
    again = last.outcome in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST)
    if attempt and again and policies.retry_in(attempt.job.options, last.attempt) is not None:
        attempts.retry_at(clock.seconds(), attempt)
    elif not (attempt and attempts.will_retry(slot.pk)):
        attempts.records.settled(slot.pk, Outcome(last.outcome), last.reason)
        if attempt:
            attempts.lost(attempt, Outcome(last.outcome), again=False)
