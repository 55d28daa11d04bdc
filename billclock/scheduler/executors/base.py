"""The contract between the loop, which decides, and an executor, which runs commands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Limits:
    """How dearly a process may run: its nice value, its turn at the disk, its bytes of memory.

    `input_output` is a class and a level of ioprio_set(2); None is what is not asked.
    """

    nice: int | None = None
    input_output: tuple[int, int] | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One command to run now: everything a process needs, decided before the moment comes.

    `command` is what the shell gets (percent signs resolved), `discards_output` says that a
    final `>/dev/null 2>&1` was cut off because the output is kept here; `user` is a system
    user's name, or None for the daemon's own; `timeout` and `grace` are seconds. It starts in
    `folder`, or not at all; without one in `home`, or else in /.
    """

    run: int
    command: bytes
    stdin: bytes
    environment: Mapping[str, str]
    user: str | None
    home: str
    output: Path
    timeout: float | None = None
    grace: float = 10.0
    shell: str = "/bin/sh"
    folder: str = ""
    limits: Limits | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """A process that began: `pid_started` is its start in kernel ticks since boot."""

    run: int
    pid: int
    pid_started: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Ending:
    """A run that is over. `code` and `signal` are both None where nobody could learn them."""

    run: int
    at: datetime
    code: int | None = None
    signal: int | None = None
    cpu: float | None = None
    memory: int | None = None
    output_size: int = 0
    timed_out: bool = False
    stopped: bool = False
    lost: bool = False
    reason: str = field(default="")


class StartError(Exception):
    """A command could not be started; the text says what to do about it."""


class Executor(Protocol):
    """Runs orders in processes of their own; never blocks for longer than a start takes."""

    def submit(self, order: Order) -> Launch:
        """Start the order. Raise StartError when there is no process to show for it."""

    def stop(self, run: int) -> bool:
        """Ask the run's whole process tree to end: TERM, its grace, KILL. False: not here."""

    def adopt(self, order: Order, pid: int | None, pid_started: int | None) -> bool:
        """Take over a run of a daemon that died; False when its process is no more."""

    def attend(self) -> list[Ending]:
        """Do what is due (reap, escalate, cut outputs) and give the runs that ended since."""

    def due_in(self) -> float | None:
        """Give the seconds after which `attend` wants to be called though nothing woke us."""

    def wakers(self) -> Iterable[int]:
        """Give the file descriptors that become readable when `attend` has something to do."""
