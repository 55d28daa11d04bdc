"""The life of an attempt: it waits for its moment or for room, runs, ends, is tried again."""

import heapq
import logging
from collections import deque
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError

from billclock import clock
from billclock.scheduler import claims, orders, policies, report
from billclock.scheduler.claims import moment
from billclock.scheduler.environment import UnknownUserError
from billclock.scheduler.executors.base import Ending, Executor, StartError
from billclock.scheduler.models import Mail, Outcome, Trigger
from billclock.scheduler.pauses import Pauses
from billclock.scheduler.policies import Start
from billclock.scheduler.records import Records
from billclock.scheduler.roster import Job, Roster

log = logging.getLogger("billclock.scheduler")

RETRY_AGAIN = 10.0  # seconds after which an attempt that could not be written down is made again


@dataclass(slots=True)
class Attempt:
    """One run of a job on its way; `planned` is in seconds since the epoch, None by hand."""

    job: Job
    run: int
    slot: int | None = None
    planned: float | None = None
    number: int = 1
    trigger: Trigger = Trigger.SCHEDULE
    note: str = ""  # who or what stopped it


class Attempts:
    """All attempts of one scheduler: those running, those waiting for another to end, retries."""

    def __init__(self, roster: Roster, executor: Executor, records: Records, host: str) -> None:
        """Begin with none."""
        self.roster = roster
        self.executor = executor
        self.records = records
        self.host = host
        self.pauses = Pauses()
        self.running: dict[int, Attempt] = {}
        self._runs_of: dict[int, set[int]] = {}
        self._former: dict[int, Outcome] = {}
        self._waiting: deque[Attempt] = deque()
        self._retries: list[tuple[float, int, Attempt]] = []

    # towards a start

    def begin(self, attempt: Attempt) -> None:
        """Decide what becomes of an attempt whose moment has come, and start it if it may."""
        late = 0.0 if attempt.planned is None else clock.seconds() - attempt.planned
        if late > settings.SERVE_LATE and attempt.trigger is Trigger.SCHEDULE:
            self.refuse(attempt, Outcome.MISSED, f"its time came {late:.0f} s too late")
        elif not self._still_due(attempt):
            reason = "the entry was changed, switched off or removed just before its time"
            self.refuse(attempt, Outcome.MISSED, reason)
        elif (pause := self.pauses.over(attempt.job, clock.now())) is not None:
            self.refuse(attempt, Outcome.SKIPPED, pause)
        else:
            self._overlap(attempt)

    def launch(self, attempt: Attempt) -> bool:
        """Start an attempt at once; False when there is no process to show for it."""
        try:
            order = orders.order(attempt.job, attempt.run)
            launched = self.executor.submit(order)
        except (StartError, UnknownUserError) as error:
            self.refuse(attempt, Outcome.FAILED, str(error))
            return False
        self.watch(attempt)
        self.records.started(launched, order.environment["LOGNAME"])
        return True

    def watch(self, attempt: Attempt) -> None:
        """Count an attempt among those that run."""
        self.running[attempt.run] = attempt
        self._runs_of.setdefault(attempt.job.entry, set()).add(attempt.run)

    def refuse(self, attempt: Attempt, outcome: Outcome, reason: str) -> None:
        """Record that an attempt never began, and why."""
        self.records.unstarted(attempt.run, outcome, reason, self._mail(attempt, outcome, 0))
        if attempt.slot is not None:
            self.records.settled(attempt.slot, outcome, reason)

    def dismiss(self, reason: str) -> None:
        """Record of all that wait for their turn that it will not come."""
        while self._waiting:
            self.refuse(self._waiting.popleft(), Outcome.MISSED, reason)

    def stop(self, run: int, note: str) -> bool:
        """Ask a run's processes to end; `note` says who or what wants it. False: not here."""
        attempt = self.running.get(run)
        if attempt is None or not self.executor.stop(run):
            return False
        attempt.note = note
        return True

    def runs_of(self, entry: int) -> set[int]:
        """Give the runs of an entry that go on."""
        return self._runs_of.get(entry, set())

    def _still_due(self, attempt: Attempt) -> bool:
        """Tell whether the entry, which may have changed since the claim, is due as planned."""
        job = self.roster.get(attempt.job.entry)
        if job is attempt.job or attempt.planned is None:
            return True
        if job is None or job.line.expression != attempt.job.line.expression:
            return False
        attempt.job = job
        return True

    def _overlap(self, attempt: Attempt) -> None:
        entry = attempt.job.entry
        decision = policies.on_overlap(
            attempt.job.options.overlap,
            running=len(self.runs_of(entry)),
            waiting=sum(1 for other in self._waiting if other.job.entry == entry),
        )
        if decision is Start.SKIP:
            others = ", ".join(map(str, sorted(self.runs_of(entry))))
            self.refuse(attempt, Outcome.SKIPPED, f"overlap: run {others} was still going on")
        elif decision is Start.NOW and self._has_room():
            self.launch(attempt)
        else:
            if decision is Start.REPLACE:
                self._replace(entry)
            self._waiting.append(attempt)

    def _replace(self, entry: int) -> None:
        """Stop what runs; of the moments that wait, only the newest is worth keeping."""
        for old in [other for other in self._waiting if other.job.entry == entry]:
            self._waiting.remove(old)
            self.refuse(old, Outcome.SKIPPED, "overlap: replaced by the next moment")
        for run in self.runs_of(entry):
            self.stop(run, "replaced by the next moment")

    def _has_room(self) -> bool:
        return not settings.PARALLEL or len(self.running) < settings.PARALLEL

    # after the start

    def attend(self) -> None:
        """Record the runs that ended, and start what waited for them."""
        endings = self.executor.attend()
        for ending in endings:
            self._end(ending)
        if endings and self._waiting:
            self._start_waiting()

    def _end(self, ending: Ending) -> None:
        attempt = self.running.pop(ending.run, None)
        if attempt is None:
            return
        entry = attempt.job.entry
        self._runs_of[entry].discard(ending.run)
        if not self._runs_of[entry]:
            del self._runs_of[entry]
        outcome, reason = judge(ending, attempt.note)
        wait = self._retry_in(attempt, outcome)
        mail = self._mail(attempt, outcome, ending.output_size, retried=wait is not None)
        self.records.ended(ending, outcome, reason, mail)
        _tell(attempt, ending, outcome)
        if wait is not None:
            self.retry_at(clock.seconds() + wait, attempt)
        elif attempt.slot is not None:
            self.records.settled(attempt.slot, outcome, reason)

    def _retry_in(self, attempt: Attempt, outcome: Outcome) -> float | None:
        """Give the seconds until the next attempt at a moment, or None where this was the last."""
        if attempt.slot is None or outcome not in (
            Outcome.FAILED,
            Outcome.TIMED_OUT,
            Outcome.LOST,
        ):
            return None
        return policies.retry_in(attempt.job.options, attempt.number)

    def _mail(
        self, attempt: Attempt, outcome: Outcome, size: int, *, retried: bool = False
    ) -> Mail:
        """Tell whether a report is due; the entry's former outcome says whether it recovered."""
        if outcome in (Outcome.SKIPPED, Outcome.MISSED) or attempt.trigger is Trigger.TEST:
            return Mail.NONE
        entry = attempt.job.entry
        previous = self._former.get(entry)
        self._former[entry] = outcome
        owed = report.owed(
            attempt.job, outcome, output_size=size, previous=previous, retried=retried
        )
        return Mail.DUE if owed else Mail.NONE

    def _start_waiting(self) -> None:
        still: deque[Attempt] = deque()
        while self._waiting and self._has_room():
            attempt = self._waiting.popleft()
            if self.runs_of(attempt.job.entry) and not attempt.job.options.overlaps:
                still.append(attempt)
            else:
                self.launch(attempt)
        self._waiting.extendleft(reversed(still))

    # again

    def retry_at(self, seconds: float, last: Attempt) -> None:
        """Make a further attempt at this time (seconds since the epoch)."""
        heapq.heappush(self._retries, (seconds, last.run, last))

    def next_retry(self) -> float | None:
        """Give the time of the first retry, or None."""
        return self._retries[0][0] if self._retries else None

    def will_retry(self, slot: int) -> bool:
        """Tell whether a further attempt at a slot is on its way."""
        return any(last.slot == slot for _, _, last in self._retries)

    def start_retries(self, until: float) -> None:
        """Start the retries due by `until`, each with a run row of its own."""
        while self._retries and self._retries[0][0] <= until:
            _, run, last = heapq.heappop(self._retries)
            try:
                self.begin(self._again(last))
            except DatabaseError as error:
                log.error("no further attempt at run %d for now: %s", run, error)  # noqa: TRY400
                self.retry_at(until + RETRY_AGAIN, last)

    def _again(self, last: Attempt) -> Attempt:
        number = last.number + 1
        run = claims.attempt(
            slot=last.slot,
            entry=last.job.entry,
            number=number,
            planned=last.planned,
            host=self.host,
        )
        return Attempt(last.job, run, last.slot, last.planned, number, Trigger.RETRY)


def judge(ending: Ending, note: str = "") -> tuple[Outcome, str]:
    """Give the outcome of a run that is over, and its reason where the code does not say it.

    `note` says who or what stopped it, if somebody did.
    """
    if ending.timed_out:
        return Outcome.TIMED_OUT, ending.reason or "it ran longer than its timeout"
    if ending.stopped:
        return Outcome.STOPPED, note or ending.reason
    if ending.lost or (ending.code is None and ending.signal is None):
        return Outcome.LOST, ending.reason or "it ended unseen: its exit code is unknown"
    return (Outcome.SUCCEEDED if ending.code == 0 else Outcome.FAILED), ending.reason


def _tell(attempt: Attempt, ending: Ending, outcome: Outcome) -> None:
    log.info(
        "run %d of entry %d in %s: %s",
        *(ending.run, attempt.job.entry, attempt.job.table, outcome),
        extra={
            "run": ending.run,
            "entry": attempt.job.entry,
            "table": attempt.job.table,
            "planned": None if attempt.planned is None else moment(attempt.planned).isoformat(),
            "outcome": str(outcome),
            "code": ending.code,
            "signal": ending.signal,
            "cpu": ending.cpu,
        },
    )
