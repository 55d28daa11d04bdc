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

    def __init__(self) -> None:
        """Look where groups can be made, and take away those a killed daemon left empty."""
        self._base = _base()
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
