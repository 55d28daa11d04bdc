"""The exit codes of jobs whose daemon was killed, as the supervisor that reaped them wrote them.

`$BILLCLOCK_HOME/exits.log` has a line for each: `pid status cpu-seconds peak-KiB epoch-seconds`,
where status is a wait status. The file is absent where nobody supervises the daemon.
"""

import os
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from billclock import clock

NAME = "exits.log"
_MOST = 4 * 1024 * 1024


class Exit(NamedTuple):
    """How one process ended."""

    pid: int
    status: int
    cpu: float
    memory: int
    at: float


def place() -> Path:
    """Give the file's path."""
    return Path(settings.HOME) / NAME


def note(pid: int, status: int, cpu: float, memory: int) -> None:
    """Write down how a process ended: its wait status, CPU seconds and peak KiB."""
    line = f"{pid} {status} {cpu:.6f} {memory} {clock.seconds():.3f}\n"
    if place().exists() and place().stat().st_size > _MOST:
        place().replace(place().with_suffix(".old"))
    file = os.open(place(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def find(pid: int, since: float) -> Exit | None:
    """Give the first ending of process `pid` not before `since` (seconds since the epoch)."""
    try:
        lines = place().read_bytes().splitlines()
    except FileNotFoundError:
        return None
    for line in lines:
        found = _parse(line)
        if found and found.pid == pid and found.at >= since:
            return found
    return None


def _parse(line: bytes) -> Exit | None:
    try:
        pid, status, cpu, memory, at = line.split()
        return Exit(int(pid), int(status), float(cpu), int(memory), float(at))
    except ValueError:  # a line cut short by a power cut
        return None
