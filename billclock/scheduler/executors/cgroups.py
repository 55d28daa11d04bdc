"""Control groups, version 2 (cgroups(7)): the hold on a process tree that nothing slips out of.

A run with a limit of time gets a group of its own where the daemon may make groups. A process
that clears its environment, leaves its session and gives itself another parent is in it still;
only what does all that in the instant before the group is entered is not.
"""

import os
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from django.conf import settings

_MOUNTS = Path("/proc/self/mountinfo")
_OWN = Path("/proc/self/cgroup")


class Groups:
    """The groups of the runs under watch; without the right to make any it holds nothing."""

    def __init__(self, base: Path | None = None) -> None:
        """Look where groups can be made, and take away those a killed daemon left empty.

        `base` is the group that holds them; the daemon's own has one unless given.
        """
        self._base = base or _base()
        self._limits_memory = self._base is not None and _can_limit_memory(self._base)
        for left in self._base.iterdir() if self._base else ():
            if left.is_dir():
                with suppress(OSError):
                    left.rmdir()

    def enclose(self, run: int, pid: int) -> None:
        """Put a process that has just begun into a group, and with it all that it will begin."""
        if self._base is None:
            return
        group = self._base / str(run)
        with suppress(OSError):  # it has ended already, or the group is one of its own making
            group.mkdir(exist_ok=True)
            (group / "cgroup.procs").write_text(f"{pid}\n", encoding="ascii")

    def door(self, run: int, memory: int) -> int | None:
        """Make a group that takes so many bytes at most; give a descriptor to enter it by.

        None where no group can hold memory. Whoever has the descriptor may enter, as whatever
        user: the kernel asks who opened it.
        """
        if self._base is None or not self._limits_memory:
            return None
        group = self._base / str(run)
        try:
            group.mkdir(exist_ok=True)
            (group / "memory.max").write_text(f"{memory}\n", encoding="ascii")
            (group / "memory.oom.group").write_text("1\n", encoding="ascii")
            return os.open(group / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            return None

    def ran_out(self, run: int) -> bool:
        """Tell whether the kernel ended a run's group for the memory it took."""
        if self._base is None:
            return False
        try:
            events = (self._base / str(run) / "memory.events").read_text(encoding="ascii")
        except OSError:
            return False
        return any(line.startswith("oom_kill ") and line[9:] != "0" for line in events.splitlines())

    def members(self, run: int) -> set[int]:
        """Give the living processes of a run's group; none where it has no group."""
        if self._base is None:
            return set()
        try:
            listed = (self._base / str(run) / "cgroup.procs").read_text(encoding="ascii")
        except OSError:
            return set()
        return set(map(int, listed.split()))

    def release(self, run: int) -> None:
        """Take a run's group away, once it is empty."""
        if self._base is not None:
            with suppress(OSError):
                (self._base / str(run)).rmdir()

    def close(self) -> None:
        """Take away the group of groups, where nothing is left in it."""
        if self._base is not None:
            with suppress(OSError):
                self._base.rmdir()


def _base() -> Path | None:
    """Make the group that holds those of our runs; None where that can't be."""
    mount, own = _mount(), _own()
    if mount is None or own is None:
        return None
    home = blake2b(os.fsencode(settings.HOME), digest_size=6).hexdigest()
    base = mount / own.lstrip("/") / f"billclock-{home}"
    try:
        base.mkdir(exist_ok=True)
    except OSError:
        return None
    return base if os.access(base / "cgroup.procs", os.W_OK) else None


def _can_limit_memory(base: Path) -> bool:
    """Tell whether the groups below have a memory controller, which must be handed down to them.

    The kernel hands none to the children of a group that has processes itself, its top apart.
    """
    for group in (base.parent, base):
        with suppress(OSError):
            (group / "cgroup.subtree_control").write_text("+memory\n", encoding="ascii")
    with suppress(OSError):
        handed = (base / "cgroup.subtree_control").read_text(encoding="ascii")
        return "memory" in handed.strip("+").split()
    return False


def _mount() -> Path | None:
    """Find where version 2 is mounted: it is the file system's type behind the dash."""
    with suppress(OSError):
        for line in _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            before, _, after = line.partition(" - ")
            if after.startswith("cgroup2 "):
                return Path(before.split()[4])
    return None


def _own() -> str | None:
    """Name our own group in version 2, whose line begins with 0::."""
    with suppress(OSError):
        for line in _OWN.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            if line.startswith("0::"):
                return line.removeprefix("0::")
    return None
