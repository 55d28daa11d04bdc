"""The daemon: one loop in one process, with everything that wakes it."""

import gc
import logging
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from billclock import clock
from billclock.scheduler import beats, chosen, hands, hooks
from billclock.scheduler.clockwatch import Clockwatch, boot_id
from billclock.scheduler.control import Control
from billclock.scheduler.errands import Errands
from billclock.scheduler.errors import Ignored, TableError
from billclock.scheduler.executors.base import Executor
from billclock.scheduler.leadership import HomeLock, Leadership
from billclock.scheduler.loop import Loop
from billclock.scheduler.models import Entry
from billclock.scheduler.recovery import recover
from billclock.scheduler.roster import Job, Roster, jobs, switched_off
from billclock.scheduler.table import Table
from billclock.scheduler.tables import Tables
from billclock.scheduler.trouble import Trouble

log = logging.getLogger("billclock.scheduler")

AHEAD = 1.5  # seconds before a moment at which it is claimed, so that its start waits for no disk
REST = 30.0  # seconds between two looks when nothing is due
WRITE_AFTER = 0.2  # seconds that news may wait to be written together
ERRAND_EVERY = 60.0  # seconds between two errands when nothing calls for one


class HeldError(Exception):
    """Another daemon works in this folder."""

    def __init__(self) -> None:
        super().__init__(f"another scheduler runs in {settings.HOME}: stop it first")


class Daemon:
    """Claims, starts and records until it is told to stop."""

    def __init__(
        self,
        executor: Executor,
        *,
        errands: Errands | None = None,
        leadership: Leadership | None = None,
    ) -> None:
        """Take the lead and read the tables. Raise HeldError when another daemon has the lead."""
        self.leadership = leadership or HomeLock()
        if not self.leadership.acquire():
            raise HeldError
        self.host = socket.gethostname()
        self.executor = executor
        self.errands = errands
        self.clock = Clockwatch()
        now = clock.seconds()
        self.last = beats.last(self.host)
        self.roster = Roster(self.last.served if self.last else now)
        self.loop = Loop(self.roster, executor, host=self.host)
        self.loop.look_again = self._look_at_tables
        self.tables = Tables()
        self.selector = selectors.DefaultSelector()
        self.stopping = False
        self._digests: dict[str, str] = {}
        self._beat_at = 0.0
        self._news_since: float | None = None
        self._claiming = Trouble("moments can't be claimed, so nothing is started")
        self._writing = Trouble("what happened can't be written, it is kept and tried again")
        self._unread: dict[str, Trouble] = {}

    # start and stop

    def run(self) -> None:
        """Work until a signal or a request stops it; then end what runs and leave no loose end."""
        self._listen()
        control = Control(self.selector, self._hear)
        try:
            self.begin()
            while not self.stopping:
                self.turn()
                self._rest()
            self.end()
        finally:
            control.close()
            self.leadership.release()

    def stop(self) -> None:
        """Ask the loop to end after this turn."""
        self.stopping = True

    def _listen(self) -> None:
        """Let signals, ended processes and changed tables wake the loop."""
        reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        self._wake_on(reading, drain=True)
        for waker in (*self.executor.wakers(), *self.tables.wakers()):
            self._wake_on(waker)

    def _wake_on(self, descriptor: int, *, drain: bool = False) -> None:
        # others drain theirs when they are asked for their news
        def woken() -> None:
            if drain:
                os.read(descriptor, 4096)

        self.selector.register(descriptor, selectors.EVENT_READ, woken)

    def begin(self) -> None:
        """Take over what a former daemon left, and tell or serve what passed meanwhile."""
        # nothing that is read now is garbage soon: looking for some would take a third of the time
        gc.disable()
        self._look_at_tables()
        recover(self.loop.attempts, self.executor, self._left)
        self.loop.attempts.pauses.load()
        self.take_settings()
        if settings.RUNS:
            self._begin_to_run(clock.seconds())
        # what is loaded now stays: sparing the collector those objects keeps starts on time
        gc.collect()
        gc.freeze()
        gc.enable()
        run_by = "in force" if settings.RUNS else "shown, and run by another cron"
        log.info("%d entries %s", len(self.roster), run_by)

    def _begin_to_run(self, now: float) -> None:
        if self.last is not None:
            self._pass_over(now, self.last.served, "the scheduler was not running")
        if self.last is None or self.last.boot != boot_id():
            hands.start_at_boot(self.loop, booted=now - clock.since_boot())

    def end(self) -> None:
        """Give back what was not begun, end what runs within its grace, write it all down."""
        self._tell(self.loop.release)
        self.loop.attempts.dismiss("the scheduler was stopped before its turn came")
        for run in list(self.loop.attempts.running):
            self.loop.attempts.stop(run, "the scheduler was stopped")
        while self.loop.attempts.running:
            due = self.executor.due_in()
            self._sleep(REST if due is None else due)
            self.loop.attempts.attend()
        self._write()
        now = clock.seconds()
        self._tell(
            lambda: beats.beat(self.host, served=now, offset=self.clock.offset, stopped=True)
        )

    # one turn

    def turn(self) -> None:
        """Look at everything once and do what is due."""
        now = clock.seconds()
        self._look_at_clock(now)
        self._look_at_tables()
        if settings.RUNS:
            served = self.roster.agenda.served
            if now - served > settings.SERVE_LATE:
                self._guarded(lambda: self._pass_over(now, served, self._why_late()))
            self._guarded(lambda: self.loop.prepare(clock.seconds() + AHEAD))
            self.loop.start(clock.seconds())
        self.loop.attempts.attend()
        self._write_in_time()
        self._beat(now)
        if self.errands is not None:
            self.errands.run()

    def _look_at_clock(self, now: float) -> None:
        step = self.clock.step()
        if not step:
            return
        if step > 0:
            served = self.roster.agenda.served
            self._guarded(lambda: self.loop.bridge(served, now, "the clock was set forward"))
        else:
            self.roster.agenda.turn_to(now)
        self._tell(lambda: beats.clock_was_set(now - step, now))

    def reload(self) -> None:
        """Read all tables again."""
        self._digests.clear()
        for table in self.tables:
            self._put_in_force(table)

    def take_settings(self) -> None:
        """Take over what was chosen on the page."""
        self._tell(lambda: self.loop.attempts.allow(chosen.in_force().parallel))
        self._tell(self._take_hooks)

    def _take_hooks(self) -> None:
        self.loop.attempts.hooked = hooks.tables()

    def job(self, entry: int) -> Job | None:
        """Give an entry as a job, also one that is switched off; None where no table has it."""
        row = Entry.objects.filter(pk=entry, gone_at=None).first()
        if row is None:
            return None
        return self.roster.get(entry) or switched_off(self.tables.table(row.table).load(), entry)

    def _left(self, entry: int) -> Job | None:
        """Give the job of a run that was left; None where its table can't be read either."""
        try:
            return self.job(entry)
        except (TableError, ValueError):
            return None

    def _why_late(self) -> str:
        if self._claiming:
            return "the scheduler's database could not be written"
        return "the machine or the scheduler was asleep"

    def _look_at_tables(self) -> None:
        changed = {table.name: table for table in self.tables.changed()}
        again = [name for name, trouble in self._unread.items() if not trouble.due_in]
        for table in changed.values():
            self._put_in_force(table)
        for name in again:
            if name not in changed:
                self._put_in_force(self.tables.table(name))

    def _put_in_force(self, table: Table) -> None:
        try:
            if self._digests.get(table.name) != table.digest():
                snapshot = table.load()
                self._digests[table.name] = snapshot.digest
                self.roster.replace(table.name, jobs(snapshot))
        except Ignored as problem:
            log.warning("%s", problem)
            self.roster.replace(table.name, ())
            self._digests.pop(table.name, None)
        except Exception as problem:
            # what can't be read for now goes on as it was last read; a fault of ours that one
            # table brings out is no reason for the jobs of all others not to go on
            if not isinstance(problem, (TableError, DatabaseError)) and not self._unread.get(
                table.name
            ):
                log.exception("a fault of ours")
            self._digests.pop(table.name, None)
            trouble = Trouble(f"the table {table.name} goes on as it was")
            self._unread.setdefault(table.name, trouble).failed(problem)
            return
        former = self._unread.pop(table.name, None)
        if former is not None:
            former.over()

    def _pass_over(self, now: float, since: float, why: str) -> None:
        """Tell the moments since then that are too late to be served; the rest is served late."""
        until = now - settings.SERVE_LATE
        if until > since:
            missed = self.loop.bridge(since, until, why)
            if missed:
                beats.missed(since, until, missed, why)
        else:
            self.roster.agenda.turn_to(since)

    def _write_in_time(self) -> None:
        """Write what happened: at once when all is quiet, else together with what follows."""
        if not len(self.loop.records):
            self._news_since = None
            return
        now = time.monotonic()
        self._news_since = self._news_since or now
        waited = now - self._news_since >= WRITE_AFTER or not self.loop.attempts.running
        if waited and not self._writing.due_in:
            self._write()

    def _write(self) -> None:
        reports = self.loop.records.reports
        error = self.loop.records.flush()
        if error is not None:
            self._writing.failed(error)
            return
        self._writing.over()
        self._news_since = None
        if reports and self.errands is not None:
            self.errands.report_soon()

    def _guarded(self, claim: Callable[[], object]) -> None:
        """Claim; where the database fails nothing starts, and the moments are tried again."""
        if self._claiming.due_in:
            return
        served = self.roster.agenda.served
        try:
            claim()
        except DatabaseError as error:
            self.roster.agenda.turn_to(served)
            self._claiming.failed(error)
        else:
            self._claiming.over()

    def _beat(self, now: float) -> None:
        if abs(now - self._beat_at) < REST - 1:
            return
        self._beat_at = now
        self.take_settings()
        self._tell(
            lambda: beats.beat(
                self.host, served=self.roster.agenda.served, offset=self.clock.offset
            )
        )

    def _tell(self, write: Callable[[], None]) -> None:
        """Write what only tells; where the database fails, the work goes on without."""
        try:
            write()
        except DatabaseError as error:
            log.error("the database can't be written: %s", error)  # noqa: TRY400

    # rest

    def _rest(self) -> None:
        waits = [REST, self.tables.patience, self.executor.due_in()]
        waits += [trouble.due_in for trouble in self._unread.values()]
        if self.errands is not None:
            waits.append(self.errands.due_in())
        if settings.RUNS:
            waits += self._until_moments(clock.seconds())
        if self._news_since is not None:
            waits.append(max(WRITE_AFTER, self._writing.due_in))
        self._sleep(max(0.0, min(wait for wait in waits if wait is not None)))

    def _until_moments(self, now: float) -> list[float]:
        """Give the seconds until the next start and the next claim, those that there are."""
        start, claim = self.loop.next_start(), self.loop.next_claim(AHEAD)
        waits = [] if start is None else [start - now]
        return waits if claim is None else [*waits, max(claim - now, self._claiming.due_in)]

    def _sleep(self, seconds: float) -> None:
        for key, _ in self.selector.select(seconds):
            key.data()

    def _hear(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if self.stopping:
            return {"ok": False, "error": "the scheduler is being stopped"}
        return hands.answer(self, request)
