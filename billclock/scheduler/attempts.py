"""The life of an attempt: it waits for its moment or for room, runs, ends, is tried again."""

import heapq
import logging
from collections import deque
from collections.abc import Container, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError

from billclock import clock
from billclock.cron.chains import ChainError
from billclock.scheduler import chains, claims, hooks, orders, policies, report
from billclock.scheduler.chains import Follower
from billclock.scheduler.claims import moment
from billclock.scheduler.environment import UnknownUserError
from billclock.scheduler.executors.base import Ending, Executor, StartError
from billclock.scheduler.models import Mail, Outcome, Trigger
from billclock.scheduler.pauses import Pauses
from billclock.scheduler.policies import CatchUp, HookWhen, Start
from billclock.scheduler.records import Records
from billclock.scheduler.roster import Job, Roster

log = logging.getLogger("billclock.scheduler")

RETRY_AGAIN = 10.0  # seconds after which an attempt that could not be written down is made again


@dataclass(slots=True)
class Attempt:
    """One run of a job on its way; `planned` is in seconds since the epoch, None by hand.

    `cause` is the run whose ending began it, `before` the entries of the chain up to it.
    """

    job: Job
    run: int
    slot: int | None = None
    planned: float | None = None
    number: int = 1
    trigger: Trigger = Trigger.SCHEDULE
    note: str = ""  # who or what stopped it
    cause: int | None = None
    before: tuple[int, ...] = ()


class Attempts:
    """All attempts of one scheduler: those running, those waiting for another to end, retries."""

    def __init__(self, roster: Roster, executor: Executor, records: Records, host: str) -> None:
        """Begin with none."""
        self.roster = roster
        self.executor = executor
        self.records = records
        self.host = host
        self.pauses = Pauses()
        self.parallel = settings.PARALLEL
        self.running: dict[int, Attempt] = {}
        self._runs_of: dict[int, set[int]] = {}
        self._former: dict[int, Outcome] = {}
        self._waiting: deque[Attempt] = deque()
        self._retries: list[tuple[float, int, Attempt]] = []
        self._coming: list[tuple[float, int, Attempt]] = []
        self.hooked: Mapping[str, HookWhen] = {}

    # towards a start

    def begin(self, attempt: Attempt) -> None:
        """Decide what becomes of an attempt whose moment has come, and start it if it may."""
        late = 0.0 if attempt.planned is None else clock.seconds() - attempt.planned
        if late > settings.SERVE_LATE and _expires(attempt):
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
        reason = self._follow(attempt, outcome, reason)
        mail, hook = self._mail(attempt, outcome, 0), hooks.owed(attempt, outcome, self.hooked)
        self.records.unstarted(attempt.run, outcome, reason, mail, hook)
        if attempt.slot is not None:
            self.records.settled(attempt.slot, outcome, reason)

    def allow(self, parallel: int) -> None:
        """Let so many run at once from now on (0: no limit), and start what waited for that."""
        raised, self.parallel = parallel != self.parallel, parallel
        if raised and self._waiting:
            self._start_waiting()

    def dismiss(self, reason: str) -> None:
        """Record of all that wait for their turn that it will not come.

        Those of a chain stay as they are: the next scheduler starts them.
        """
        while self._waiting:
            attempt = self._waiting.popleft()
            if attempt.cause is None:
                self.refuse(attempt, Outcome.MISSED, reason)

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
        chained = attempt.cause is not None  # whatever the schedule
        if job is None or not (chained or job.line.expression == attempt.job.line.expression):
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
        return not self.parallel or len(self.running) < self.parallel

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
        outcome, reason = judge(ending, attempt.note, attempt.job.options.success)
        wait = self._retry_in(attempt, outcome)
        retried = wait is not None
        mail = self._mail(attempt, outcome, ending.output_size, retried=retried)
        hook = hooks.owed(attempt, outcome, self.hooked, retried=retried)
        if wait is None:
            reason = self._follow(attempt, outcome, reason)
        self.records.ended(ending, outcome, reason, mail, hook)
        _tell(attempt, ending, outcome)
        if wait is not None:
            self._again_in(wait, attempt, outcome)
        elif attempt.slot is not None:
            self.records.settled(attempt.slot, outcome, reason)

    def _again_in(self, wait: float, attempt: Attempt, outcome: Outcome) -> None:
        due = clock.seconds() + wait
        if attempt.cause is None:
            self.retry_at(due, attempt)
        else:  # no slot tells of it: its row has to
            number, cause = attempt.number + 1, attempt.cause
            last = (attempt.run, outcome, attempt.before)
            again = Follower(attempt.job, cause, number, due, Trigger.RETRY, *last)
            self.records.followers.append(again)

    def _follow(self, attempt: Attempt, outcome: Outcome, reason: str) -> str:
        """Have the entry started that an ending calls for; give the reason, with why none is."""
        try:
            following = chains.follower(attempt, outcome, self.roster, clock.seconds())
        except ChainError as error:
            return f"{reason}; {error}" if reason else str(error)
        if following is not None:
            self.records.followers.append(following)
        return reason

    def lost(self, attempt: Attempt, outcome: Outcome, *, again: bool) -> None:
        """Go on after an attempt that ended unseen: what its chain calls for, or a further one."""
        wait = self._retry_in(attempt, outcome) if again else None
        if wait is not None:
            self._again_in(0.0, attempt, outcome)
        else:
            self._follow(attempt, outcome, "")

    def _retry_in(self, attempt: Attempt, outcome: Outcome) -> float | None:
        """Give the seconds until the next attempt at a moment, or None where this was the last."""
        begun_by_itself = attempt.slot is not None or attempt.cause is not None
        if not begun_by_itself or outcome not in chains.FAILURES:
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
        """Give the time of the first retry or chained run, or None."""
        self._take_followers()
        return min((heap[0][0] for heap in (self._retries, self._coming) if heap), default=None)

    def expect(self, attempt: Attempt) -> None:
        """Begin an attempt that has its row already when its moment comes."""
        heapq.heappush(self._coming, (attempt.planned or 0.0, attempt.run, attempt))

    def _take_followers(self) -> None:
        arrived, self.records.arrived = self.records.arrived, []
        for one, run in arrived:
            more = (one.number, one.trigger, "", one.cause, one.before)
            self.expect(Attempt(one.job, run, None, one.due, *more))

    def will_retry(self, slot: int) -> bool:
        """Tell whether a further attempt at a slot is on its way."""
        return any(last.slot == slot for _, _, last in self._retries)

    def start_retries(self, until: float) -> None:
        """Start the retries and chained runs due by `until`, each with a run row of its own."""
        self._take_followers()
        while self._coming and self._coming[0][0] <= until:
            self.begin(heapq.heappop(self._coming)[2])
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


def _expires(attempt: Attempt) -> bool:
    """Tell whether an attempt that could not begin in time is not to begin at all."""
    if attempt.trigger is Trigger.CHAIN:
        return attempt.job.options.catch_up is not CatchUp.ONCE
    return attempt.trigger is Trigger.SCHEDULE


def judge(
    ending: Ending, note: str = "", success: Container[int | None] = (0,)
) -> tuple[Outcome, str]:
    """Give the outcome of a run that is over, and its reason where the code does not say it.

    `note` says who or what stopped it, if somebody did; `success` holds the codes that are good.
    """
    if ending.timed_out:
        return Outcome.TIMED_OUT, ending.reason or "it ran longer than its timeout"
    if ending.stopped:
        return Outcome.STOPPED, note or ending.reason
    if ending.lost or (ending.code is None and ending.signal is None):
        return Outcome.LOST, ending.reason or "it ended unseen: its exit code is unknown"
    return (Outcome.SUCCEEDED if ending.code in success else Outcome.FAILED), ending.reason


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
