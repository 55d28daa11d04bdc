"""Runs commands as processes of their own, by a spawner for each user."""

import os
import select
from collections.abc import Iterable

from billclock import clock
from billclock.scheduler.executors import launch, messages, orphans, proc
from billclock.scheduler.executors.adopted import Adopted
from billclock.scheduler.executors.base import Ending, Launch, Order, StartError
from billclock.scheduler.executors.messages import Record
from billclock.scheduler.executors.spawners import Spawners, other
from billclock.scheduler.executors.watch import Leaving, Watch

_LATEST = 1.0


class ProcessExecutor:
    """Starts each order's command in a session of its own; see base.Executor."""

    def __init__(self) -> None:
        """Start the spawner for our own user, so that the first job waits for nothing."""
        self.poll = select.epoll()
        self.poll.register(orphans.bell(), select.EPOLLIN)
        self.watch = Watch()
        self.adopted = Adopted(self.watch, self.poll)
        self._spawners = Spawners(self.poll)
        self._started: dict[int, Record] = {}

    def submit(self, order: Order) -> Launch:
        """Start the order. Raise StartError when there is no process to show for it."""
        user = other(order.user)
        fields = launch.request(order, own=user is None)
        at = clock.now()
        with launch.streams(order) as descriptors, self.watch.door(order) as door:
            record = self._spawners.start(user, fields, [*descriptors, *door])
        if record.kind == messages.REFUSED:
            self.watch.abandon(order)
            raise launch.why(record, order)
        self._started[record.pid] = record
        self.watch.add(order, record.pid, record.value)
        return Launch(order.run, record.pid, record.value, at)

    def start_unwatched(self, run: int, command: bytes, descriptors: list[int]) -> Record:
        """Start a command of our own, which is no run and nobody waits for. Raise StartError."""
        fields = {
            "run": run,
            "command": command,
            "direct": None,
            "shell": "/bin/sh",
            "home": "/",
            "folder": "",
            "environment": dict(os.environ),
            "limits": {},
        }
        record = self._spawners.start(None, fields, descriptors)
        if record.kind == messages.REFUSED:
            raise StartError(f"no process could be started: {os.strerror(record.value)}")
        return record

    def stop(self, run: int) -> bool:
        """Ask the run's whole process tree to end: TERM, its grace, KILL. False: not here."""
        return self.watch.stop(run)

    def adopt(self, order: Order, pid: int | None, pid_started: int | None) -> bool:
        """Take over a run of a daemon that died; False when its process is no more.

        A process that has ended meanwhile is taken over too where its exit was written down.
        """
        if pid is None:
            pid = proc.Snapshot().leader(order.run, order.environment.get(proc.HOME_MARK, ""))
            pid_started = None if pid is None else proc.started(pid)
        if pid is None or pid_started is None:
            return False
        if not self.adopted.follow(order.run, pid, pid_started):
            return False
        self.watch.add(order, pid, pid_started)
        return True

    def attend(self) -> list[Ending]:
        """Do what is due (reap, escalate, cut outputs) and give the runs that ended since."""
        records, died = self._spawners.endings()
        for record in records:
            self._left(record.pid, Leaving(record.value, record.cpu, record.memory))
        for pid, status, cpu, memory in orphans.reap():
            self._left(pid, Leaving(status, cpu, memory))
        if died:
            self._look_for_all()
        self.adopted.attend()
        self._spawners.send_away_unused()
        return self.watch.attend()

    def due_in(self) -> float | None:
        """Give the seconds after which `attend` wants to be called though nothing woke us."""
        waits = [self.watch.due_in(), self.adopted.due_in(), _LATEST if self._started else None]
        return min((wait for wait in waits if wait is not None), default=None)

    def wakers(self) -> Iterable[int]:
        """Give the one descriptor behind which those of all spawners and adopted runs stand."""
        return (self.poll.fileno(),)

    def close(self) -> None:
        """Hang up on the spawners; what they started goes on."""
        self._spawners.close()
        self.watch.close()

    def _left(self, pid: int, leaving: Leaving) -> None:
        record = self._started.pop(pid, None)
        if record is not None:
            self.watch.left(record.run, leaving)

    def _look_for_all(self) -> None:
        """A spawner died, and maybe took word of an ending with it: look for its runs ourselves."""
        for record in self._started.values():
            if not self.adopted.follow(record.run, record.pid, record.value):
                self.watch.left(record.run, Leaving(reason="the process that started it died"))
