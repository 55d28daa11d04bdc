"""Runs whose processes are not our children: watched by pidfd, their codes found in exits.log."""

import os
import select
from dataclasses import dataclass

from billclock import clock
from billclock.scheduler.executors import exits, proc
from billclock.scheduler.executors.watch import Leaving, Watch

_TICKS = os.sysconf("SC_CLK_TCK")
_WRITTEN_WITHIN = 1.0
_REAPED_WITHIN = 0.1
_LOOK_EVERY = 0.05
UNKNOWN = "it ended while nobody could learn its exit code"


@dataclass(slots=True)
class _Process:
    run: int
    pid: int
    pid_started: int
    descriptor: int
    gone_since: float | None = None


class Adopted:
    """Waits for processes that others will reap."""

    def __init__(self, watch: Watch, poll: select.epoll) -> None:
        """`poll` gets the descriptors that tell of endings."""
        self._watch = watch
        self._poll = poll
        self._processes: dict[int, _Process] = {}

    def follow(self, run: int, pid: int, pid_started: int) -> bool:
        """Wait for a process to end; False when it is no more and its exit nowhere written."""
        process = _Process(run, pid, pid_started, -1)
        if proc.is_alive(pid, pid_started):
            self._open(process)
        elif _exit(process) is None:
            return False
        else:
            process.gone_since = clock.since_boot()
        self._processes[run] = process
        return True

    def attend(self) -> None:
        """Note which processes ended; an exit is written a moment after it happens."""
        for process in list(self._processes.values()):
            if process.gone_since is None:
                self._look(process)
            if process.gone_since is not None and self._settle(process):
                del self._processes[process.run]

    def due_in(self) -> float | None:
        """Give the seconds until exits.log should be read again; None when nobody has gone."""
        waiting = any(process.gone_since is not None for process in self._processes.values())
        return _LOOK_EVERY if waiting else None

    def _open(self, process: _Process) -> None:
        try:
            process.descriptor = os.pidfd_open(process.pid)
            self._poll.register(process.descriptor, select.EPOLLIN)
        except ProcessLookupError:  # gone just now
            process.gone_since = clock.since_boot()

    def _look(self, process: _Process) -> None:
        if not proc.is_alive(process.pid, process.pid_started):
            process.gone_since = clock.since_boot()
            self._poll.unregister(process.descriptor)
            os.close(process.descriptor)

    def _settle(self, process: _Process) -> bool:
        """Tell the watch how the process ended, once that is known or never will be."""
        if not self._watch.knows(process.run):
            return True
        found = _exit(process)
        if found is not None:
            self._watch.left(process.run, Leaving(found.status, found.cpu, found.memory))
            return True
        patience = _WRITTEN_WITHIN if exits.place().exists() else _REAPED_WITHIN
        if clock.since_boot() - (process.gone_since or 0.0) < patience:
            return False
        self._watch.left(process.run, Leaving(reason=UNKNOWN))
        return True


def _exit(process: _Process) -> exits.Exit | None:
    booted = clock.seconds() - clock.since_boot()
    return exits.find(process.pid, booted + process.pid_started / _TICKS - 1)
