"""Processes under one supervisor, which loads Django once and forks them in order.

They share what was loaded before. The supervisor has no thread and no open database when it forks.
What it does afterwards is wait: for an end that was not asked for (the process is started
again), for orphans of a killed scheduler (their exit codes are kept for the next one), for the
bell of scheduler/starting.py (a scheduler that waits to be started again, or hangs, is started at
once), and for Ctrl-C or TERM (web, scheduler and fork server are ended in this order).
"""

import ctypes
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from billclock.commands.errors import CommandError

ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SIGNALS = (signal.SIGCHLD, signal.SIGIO, *ENDS)
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
SCHEDULER = "scheduler"
PATIENCE = 10.0  # seconds the web server and the fork server get to end
SOON = 5.0  # seconds; a process that ends within them waits longer before it is started again
LONGEST = 30.0


@dataclass
class Part:
    """One of the supervised processes."""

    name: str
    main: Callable[[], None]
    pid: int = 0
    began: float = 0.0
    wait: float = 0.0


class Supervisor:
    """Starts the parts in order, keeps them running, and ends them in the opposite order."""

    def __init__(self, parts: list[Part], bell: int) -> None:
        """Take the parts and the bell to listen to; nothing is started yet."""
        self.parts = parts
        self.bell = bell
        self.again: list[tuple[float, Part]] = []

    def run(self) -> int:
        """Work until a signal says to stop; give the exit code."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        gc.freeze()
        for part in self.parts:
            self._start(part)
        while True:
            told = signal.sigtimedwait(SIGNALS, self._rest())
            if told is not None and told.si_signo in ENDS:
                break
            self._reap()
            self._hear()
            self._start_again()
        self._end()
        return 0

    def _start(self, part: Part) -> None:
        part.began = time.monotonic()
        part.pid = os.fork()
        if part.pid == 0:
            become(part.main)

    def _rest(self) -> float:
        due = min((when for when, _ in self.again), default=time.monotonic() + 3600)
        return max(0.0, due - time.monotonic())

    def _reap(self) -> None:
        while (ended := _ended()) is not None:
            pid, status = ended
            for part in self.parts:
                if part.pid == pid:
                    self._lost(part, status)

    def _lost(self, part: Part, status: int) -> None:
        part.pid = 0
        lived = time.monotonic() - part.began
        part.wait = min(LONGEST, max(1.0, part.wait * 2)) if lived < SOON else 0.5
        code = os.waitstatus_to_exitcode(status)
        print(f"billclock: the {part.name} ended ({code}), starting it again", file=sys.stderr)
        self.again.append((time.monotonic() + part.wait, part))

    def _hear(self) -> None:
        """Where the bell was rung, start the scheduler now; one that is there hangs, so end it."""
        from billclock.scheduler import starting

        if not starting.heard(self.bell):
            return
        for part in self.parts:
            if part.name == SCHEDULER and part.pid and time.monotonic() - part.began > PATIENCE:
                os.kill(part.pid, signal.SIGKILL)
        self.again = [(0.0 if part.name == SCHEDULER else at, part) for at, part in self.again]

    def _start_again(self) -> None:
        now = time.monotonic()
        for when, part in list(self.again):
            if when <= now:
                self.again.remove((when, part))
                self._start(part)

    def _end(self) -> None:
        """End the parts, the last begun first; a second signal ends what lingers at once."""
        for part in reversed(self.parts):
            if part.pid:
                os.kill(part.pid, signal.SIGTERM)
                self._await(part)

    def _await(self, part: Part) -> None:
        limit = None if part.name == SCHEDULER else time.monotonic() + PATIENCE
        while part.pid:
            left = 3600.0 if limit is None else limit - time.monotonic()
            told = signal.sigtimedwait(SIGNALS, max(0.0, left))
            if told is None or told.si_signo in ENDS:
                os.kill(part.pid, signal.SIGKILL)
            while (ended := _ended()) is not None:
                if ended[0] == part.pid:
                    part.pid = 0


def _ended() -> tuple[int, int] | None:
    """Reap one child and note how it ended; None when no child has."""
    from billclock.scheduler.executors import exits

    try:
        pid, status, usage = os.wait4(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    if pid == 0:
        return None
    exits.note(pid, status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
    return pid, status


def become(main: Callable[[], None]) -> NoReturn:
    """Turn a fresh child into one of the parts; it ends when the one that forked it does."""
    code = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        main()
        code = 0
    except SystemExit as wish:
        code = wish.code if isinstance(wish.code, int) else 1
    except CommandError as refusal:
        print(f"billclock: {refusal}", file=sys.stderr)
        code = refusal.code
    except BaseException as error:  # noqa: BLE001 - the last word of a process that ends here
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
