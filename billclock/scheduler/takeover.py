"""Whether another cron runs the same tables, how to stop it, and how to hand the tables back."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

_PROC = Path("/proc")
_SPOOLS = ("/var/spool/cron/crontabs", "/var/spool/cron/tabs", "/var/spool/cron", "/usr/spool/cron")
_CRONS = ("cron", "crond")
_SYSTEMD = Path("/run/systemd/system")


@dataclass(frozen=True)
class OtherCron:
    """A running cron that reads the spool too: who, and the commands to stop and restart it."""

    name: str
    pid: int
    spool: Path
    stop: str
    hand_back: str

    def __str__(self) -> str:
        return (
            f"{self.name} (process {self.pid}) runs the tables of {self.spool} too, so every job "
            f"would run twice; stop it: {self.stop}; to hand the tables back, stop Billclock and: "
            f"{self.hand_back}"
        )


def other_cron(spool: Path) -> OtherCron | None:
    """Find a cron that reads the same spool, or None; Billclock's daemon then must not start.

    A cron in another container has a spool of its own, even where its path is the same.
    """
    for pid, name, arguments in _running():
        if any(_same(pid, place, spool) for place in _read_by(arguments)):
            return OtherCron(name, pid, spool, *_commands(name, pid, arguments))
    return None


def _running() -> Iterator[tuple[int, str, list[str]]]:
    """Give process id, name and arguments of every cron; busybox's is named by its arguments."""
    for folder in _PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            name = (folder / "comm").read_text().strip()
            if name not in (*_CRONS, "busybox"):
                continue
            arguments = os.fsdecode((folder / "cmdline").read_bytes()).split("\0")[:-1]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        if name != "busybox" or "crond" in arguments[:2]:
            yield int(folder.name), "crond" if name == "busybox" else name, arguments


def _read_by(arguments: list[str]) -> Iterator[str]:
    """Give the folders that a cron may read: busybox's is told by -c."""
    yield from _SPOOLS
    for option, value in pairwise(arguments):  # none, where a cron is just ending
        if option == "-c" and value.startswith("/"):
            yield value


def _same(pid: int, place: str, spool: Path) -> bool:
    """Tell whether the folder that a process knows as `place` is our spool."""
    try:
        return (_PROC / str(pid) / f"root{place}").samefile(spool)
    except PermissionError:
        # Another user's process can't be looked into: go by the name.
        return os.path.realpath(place) == os.path.realpath(spool)
    except OSError:
        return False


def _commands(name: str, pid: int, arguments: list[str]) -> tuple[str, str]:
    if _SYSTEMD.is_dir():
        return f"systemctl disable --now {name}", f"systemctl enable --now {name}"
    if Path("/etc/init.d", name).exists():
        return f"service {name} stop", f"service {name} start"
    return f"kill {pid}", " ".join(arguments)
