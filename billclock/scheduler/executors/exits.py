"""The exit codes of jobs whose daemon was killed, as the supervisor that reaped them wrote them.

`$BILLCLOCK_HOME/exits.log` has a line for each: `pid status cpu-seconds peak-KiB epoch-seconds`,
where status is a wait status. The file is absent where nobody supervises the daemon.
"""

from pathlib import Path
from typing import NamedTuple

from django.conf import settings

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


def find(pid: int, since: float) -> Exit | None:
    """Give the first ending of process `pid` not before `since` (seconds since the epoch)."""
    try:
        with place().open("rb") as file:
            file.seek(max(0, place().stat().st_size - _MOST))
            lines = file.read().splitlines()
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
