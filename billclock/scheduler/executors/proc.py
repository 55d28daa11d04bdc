"""What the kernel tells of processes in /proc: start times, and who belongs to a run's tree.

Used by the tiny starters too, so it imports next to nothing.
"""

import os
import signal
from collections.abc import Iterable, Iterator

MARK = "BILLCLOCK_RUN"
HOME_MARK = "BILLCLOCK_HOME"


def started(pid: int) -> int | None:
    """Give a process's start in kernel ticks since boot, None when there is no such process."""
    fields = _stat(pid)
    return None if fields is None else int(fields[19])


def is_alive(pid: int, pid_started: int | None) -> bool:
    """Tell whether a process is there, is the one that began then, and is no zombie."""
    fields = _stat(pid)
    return fields is not None and fields[0] != b"Z" and int(fields[19]) == pid_started


def _stat(pid: int) -> list[bytes] | None:
    """Read the fields of /proc/PID/stat that follow the name, which may hold anything."""
    data = _contents(f"/proc/{pid}/stat")
    return data[data.rindex(b")") + 2 :].split() if data else None


def _contents(path: str) -> bytes:
    """Read a small file of /proc whole, empty when it is gone or not ours to read."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(file, 65536):
            parts.append(part)
        return b"".join(parts)
    except OSError:
        return b""
    finally:
        os.close(file)


class Snapshot:
    """All living processes at one instant, to ask which of them belong to which run."""

    def __init__(self) -> None:
        """Read /proc; a process's environment is read only when somebody asks."""
        self._parents: dict[int, int] = {}
        self._sessions: dict[int, int] = {}
        self._starts: dict[int, int] = {}
        self._marks: dict[int, tuple[bytes, bytes]] = {}
        for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib is dear to a starter
            if name.isdigit():
                self._add(int(name))
        self._spare = set(self._ancestors(os.getpid()))

    def _add(self, pid: int) -> None:
        fields = _stat(pid)
        if fields is None or fields[0] in b"ZX":
            return
        self._parents[pid] = int(fields[1])
        self._sessions[pid] = int(fields[3])
        self._starts[pid] = int(fields[19])

    def _ancestors(self, pid: int) -> Iterator[int]:
        while pid in self._parents:
            yield pid
            pid = self._parents[pid]

    def tree(
        self, run: int, home: str, leader: int | None = None, began: int | None = None
    ) -> set[int]:
        """Give a run's processes: the leader's session, those marked, and all that they began.

        `home` is the value of BILLCLOCK_HOME that goes with the mark, so that the runs of
        another Billclock on this machine are never taken for ours. `began` is the leader's start
        in ticks: once it and its session are gone, its number is given to a stranger.
        """
        if leader and self._starts.get(leader, began) != began:
            leader = None
        since = began or 0
        mark = str(run).encode(), os.fsencode(home)
        found = {
            pid
            for pid, session in self._sessions.items()
            if self._starts[pid] >= since and (session == leader or self._mark(pid) == mark)
        }
        found |= {leader} & self._parents.keys() if leader else set()
        return self._with_descendants(found) - self._spare

    def _with_descendants(self, found: set[int]) -> set[int]:
        children: dict[int, list[int]] = {}
        for pid, parent in self._parents.items():
            children.setdefault(parent, []).append(pid)
        todo = list(found)
        while todo:
            new = set(children.get(todo.pop(), ())) - found
            found |= new
            todo += new
        return found

    def _mark(self, pid: int) -> tuple[bytes, bytes]:
        if pid not in self._marks:
            pairs = (
                item.partition(b"=") for item in _contents(f"/proc/{pid}/environ").split(b"\0")
            )
            environment = {name: value for name, _, value in pairs}
            run = environment.get(MARK.encode(), b"")
            self._marks[pid] = run, environment.get(HOME_MARK.encode(), b"")
        return self._marks[pid]

    def leader(self, run: int, home: str) -> int | None:
        """Give the process that leads a run whose number was never written down."""
        tree = self.tree(run, home)
        leaders = [pid for pid in tree if self._sessions[pid] == pid]
        return min(leaders or tree, key=lambda pid: (self._starts[pid], pid), default=None)


def send(number: signal.Signals, pids: Iterable[int]) -> None:
    """Send a signal to processes, of which any may be gone by now."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue
