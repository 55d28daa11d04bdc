"""The loop: claims planned moments ahead, starts them on time, and sleeps in between."""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime

from billclock import clock
from billclock.scheduler import claims
from billclock.scheduler.attempts import Attempt, Attempts
from billclock.scheduler.claims import Passed, Wanted
from billclock.scheduler.executors.base import Executor
from billclock.scheduler.models import Outcome, Trigger
from billclock.scheduler.policies import CatchUp
from billclock.scheduler.records import Records
from billclock.scheduler.roster import Roster

REAP_EVERY = 16  # starts after which ended processes are seen to, so that a burst's ends are timed
COUNT_MOST = 100_000  # moments counted one by one where time has passed without us


class Loop:
    """Runs the jobs of a roster by an executor and records what became of every moment."""

    def __init__(self, roster: Roster, executor: Executor, *, host: str) -> None:
        """Begin with nothing claimed; moments up to `roster.agenda.served` are not ours."""
        self.roster = roster
        self.host = host
        self.records = Records(host)
        self.attempts = Attempts(roster, executor, self.records, host)
        self.ready: deque[Attempt] = deque()
        self.look_again: Callable[[], None] = lambda: None

    def tick(self, until: datetime) -> None:
        """Claim and start everything due up to `until` (aware), and see to what runs."""
        self.prepare(until.timestamp())
        self.start(until.timestamp())
        self.attempts.attend()
        self.records.flush()

    def prepare(self, until: float) -> None:
        """Claim what is due up to `until` (seconds since the epoch), in one transaction."""
        self._claim(
            Wanted(entry, planned, job.era)
            for planned, entries in self.roster.agenda.due(until)
            for entry in entries
            if (job := self.roster.get(entry)) is not None
        )

    def start(self, until: float) -> None:
        """Start what is claimed and due by `until`, retries too."""
        self.attempts.attend()  # what has just ended is in nobody's way
        self.attempts.start_retries(until)
        if self._is_due(until):
            self.look_again()
        started = 0
        while self._is_due(until):
            self.attempts.begin(self.ready.popleft())
            started += 1
            if started % REAP_EVERY == 0:
                self.attempts.attend()

    def next_start(self) -> float | None:
        """Give when something is to be started that is claimed already, or None."""
        moments = [self.attempts.next_retry(), self.ready[0].planned if self.ready else None]
        return min((found for found in moments if found is not None), default=None)

    def next_claim(self, ahead: float) -> float | None:
        """Give when to claim, `ahead` seconds before the moments that come next, or None."""
        coming = self.roster.agenda.next_moment()
        return None if coming is None else coming - ahead

    def bridge(self, since: float, until: float, why: str) -> int:
        """Record the moments of (since, until] as missed; give how many there were.

        An entry with catch-up=once gets one run, for the latest of them. Moments that have a slot
        already are left out.
        """
        agenda = self.roster.agenda
        passed: list[Passed] = []
        wanted: list[Wanted] = []
        for gap in agenda.gaps(since, until, claims.latest(since), COUNT_MOST):
            job = self.roster.get(gap.entry)
            if job is None:
                continue
            missed, last = gap.count, gap.last
            if job.options.catch_up is CatchUp.ONCE and not self._comes_anyway(gap.entry, until):
                wanted.append(Wanted(gap.entry, last, job.era, Trigger.CATCH_UP))
                missed, last = missed - 1, agenda.before(gap.entry, last)
            if missed:
                told = Passed(gap.entry, gap.first, last, missed, Outcome.MISSED, why, job.era)
                passed.append(told)
        claims.settle(passed, at=clock.now(), host=self.host)
        self._claim(wanted)
        agenda.turn_to(max(since, until))
        return sum(told.count for told in passed) + len(wanted)

    def release(self) -> None:
        """Give back the claims whose moments have not come, before the scheduler stops."""
        claims.release(attempt.slot for attempt in self.ready if attempt.slot is not None)
        self.ready.clear()

    def _is_due(self, until: float) -> bool:
        return bool(self.ready) and _planned(self.ready[0]) <= until

    def _comes_anyway(self, entry: int, until: float) -> bool:
        """Tell whether a moment after the gap is served late, which makes a catch-up a second."""
        coming = self.roster.agenda.next_of(entry, until)
        return coming is not None and coming <= clock.seconds()

    def _claim(self, wanted: Iterable[Wanted]) -> None:
        for won in claims.claim(wanted, at=clock.now(), host=self.host):
            job = self.roster.get(won.wanted.entry)
            if job is not None:
                planned, trigger = won.wanted.planned, won.wanted.trigger
                self.ready.append(Attempt(job, won.run, won.slot, planned, trigger=trigger))
        self.ready = deque(sorted(self.ready, key=_planned))


def _planned(attempt: Attempt) -> float:
    return attempt.planned or 0.0
