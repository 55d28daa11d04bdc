"""What a process and all it began take of the machine, by /proc, with no look at others."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE") // 1024
_MOST = 500  # processes of one run that are looked at
# fields of /proc/PID/stat behind the name: user and system time, own and of children waited for
_TIMES = slice(11, 15)
_RESIDENT = 21


def taken(pid: int) -> tuple[float, int] | None:
    """Give the seconds of CPU that a tree has used so far, and its KiB of memory now.

    Memory that processes share counts for each of them. None when the process is no more.
    """
    ticks = pages = found = 0
    for one in _tree(pid):
        with suppress(OSError, ValueError, IndexError):
            data = Path(f"/proc/{one}/stat").read_bytes()
            fields = data[data.rindex(b")") + 2 :].split()
            ticks += sum(map(int, fields[_TIMES]))
            pages += int(fields[_RESIDENT])
            found += 1
    return (ticks / _TICKS, pages * _PAGE) if found else None


def _tree(pid: int) -> Iterator[int]:
    """Give a process and its descendants, as far as they did not leave it."""
    waiting = [pid]
    for _ in range(_MOST):
        if not waiting:
            return
        one = waiting.pop()
        yield one
        with suppress(OSError, ValueError):
            children = Path(f"/proc/{one}/task/{one}/children").read_bytes()
            waiting += map(int, children.split())
