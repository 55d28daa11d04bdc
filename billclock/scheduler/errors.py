"""The exceptions of crontabs on disk: what happened, to which file, the command that mends it.

TableError
├── NoTable       there is no such table
├── NoEntry       the table has no such entry, or no longer
├── NoVersion     the table never had, or no longer has, this version
├── ReadOnly      a system table, which only its own file's owner changes
├── Ignored       a file that cron would not run
├── Refused       lines that do not parse (.errors)
├── Conflict      the table was changed since it was shown (.base, .mine, .theirs, .merged)
├── Busy          another process is saving the table
└── Failed        the system refused (.errno)
"""

# ruff: noqa: N818 - an exception is named for what happened, as one says it

import errno
import os
import pwd
from collections.abc import Callable, Sequence
from pathlib import Path

from django.db import DatabaseError

from billclock.cron.errors import CronError


class TableError(Exception):
    """A crontab was not read or not saved; what was on disk before is still there, whole."""

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(f"{what}: {mend}" if mend else what)
        self.what = what
        self.mend = mend


class NoTable(TableError):
    """There is no such table; the words are crontab(1)'s."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no crontab for {name}")


class NoEntry(TableError):
    """The table has no entry of this key, or no longer."""

    def __init__(self, name: str, key: int) -> None:
        super().__init__(f"the table {name} has no entry {key}")


class NoVersion(TableError):
    """The table never had, or no longer has, this version."""

    def __init__(self, name: str, number: int) -> None:
        super().__init__(f"the table {name} has no version {number}")


class ReadOnly(TableError):
    """A system table, which Billclock runs but does not change."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is a system table, which is only read", f"sudoedit {path}")


class Ignored(TableError):
    """A file among the tables that is not run; `what` says why, as cron's own log would."""

    def __init__(self, path: Path, why: str, mend: str) -> None:
        super().__init__(f"{path} is ignored, {why}", mend)
        self.path = path
        self.why = why


class Refused(TableError):
    """The new text has lines that do not parse; all of them are in `errors`."""

    def __init__(self, name: str, errors: Sequence[CronError]) -> None:
        listed = "\n".join(str(error) for error in errors)
        super().__init__(f"the table {name} was not changed, {len(errors)} bad:\n{listed}")
        self.errors = tuple(errors)


class Conflict(TableError):
    """The table is no longer what was shown: three texts to choose from, none is lost.

    `base` is what was shown, `mine` the edit made of it, `theirs` what the table holds now; each
    is None where there is no such table or text. `merged` holds both edits where they touch
    different lines, else it is None.
    """

    def __init__(
        self,
        name: str,
        base: bytes | None,
        mine: bytes | None,
        theirs: bytes | None,
        merged: bytes | None,
    ) -> None:
        super().__init__(f"the table {name} was changed since it was shown", "look at both texts")
        self.base = base
        self.mine = mine
        self.theirs = theirs
        self.merged = merged


class Busy(TableError):
    """Another process has held the table's lock for longer than an edit takes."""

    def __init__(self, name: str, holder: str, seconds: float) -> None:
        super().__init__(
            f"the table {name} is being saved by process {holder} for more than {seconds:g} s",
            f"see what it does: ps -fp {holder}",
        )


class Failed(TableError):
    """The system refused to read or write; `errno` is its reason."""

    def __init__(self, what: str, mend: str, number: int | None = None) -> None:
        super().__init__(what, mend)
        self.errno = number

    @classmethod
    def from_system(cls, error: OSError, path: Path, doing: str) -> "Failed":
        """Say what `error` kept from being done (`doing`: read, save) to the file at `path`."""
        reason = os.strerror(error.errno) if error.errno else str(error)
        return cls(f"cannot {doing} {path}, {reason}", _mend(error.errno, path), error.errno)

    @classmethod
    def from_database(cls, error: DatabaseError, path: Path, home: Path) -> "Failed":
        """Say that the history under `home` could not be written, so `path` was not changed."""
        return cls(f"{path} was left as it was, its history says: {error}", f"df -h {home}")


def _mend(number: int | None, path: Path) -> str:
    """Give the command that most likely mends a refusal; read after a colon."""
    folder = path.parent
    mends: dict[int, Callable[[], str]] = {
        errno.ENOSPC: lambda: f"make room, df -h {folder}",
        errno.EDQUOT: lambda: f"make room within the quota, quota -s; df -h {folder}",
        errno.EFBIG: lambda: "allow larger files, ulimit -f unlimited",
        errno.EROFS: lambda: f"mount -o remount,rw {_mount_point(folder)}",
        errno.EACCES: lambda: _access(path),
        errno.EPERM: lambda: f"sudo chattr -i {folder} {path}; sudo chown {_user()} {path}",
        errno.ENOENT: lambda: f"mkdir -p -m 700 {folder}",
        errno.ENOTDIR: lambda: _instead(folder),
        errno.EISDIR: lambda: f"mv {path} {path}.away",
        errno.EMFILE: lambda: "allow more open files, ulimit -n 4096",
        errno.EIO: lambda: "look at the disk's errors, dmesg | tail",
    }  # each looks only where its own refusal lets one look
    named = mends.get(number or 0)
    return named() if named else f"ls -ld {folder} {path}"


def _access(path: Path) -> str:
    """Name the outermost place that keeps this process out, and what lets it in."""
    if os.geteuid() != 0 and path.is_relative_to("/var/spool"):
        return "only root may, sudo ./run"
    above = [(place, os.X_OK, "o+x") for place in reversed(path.parent.parents)]
    own = [(path.parent, os.R_OK | os.W_OK | os.X_OK, ""), (path, os.R_OK | os.W_OK, "")]
    for place, wanted, others in above + own:
        if place.exists() and not os.access(place, wanted):
            return _let_in(place, others)
    return f"sudo chown {_user()} {path.parent} {path}"


def _let_in(place: Path, others: str) -> str:
    """Give the command; a folder that is not the tables' own keeps its owner."""
    if place.stat().st_uid == os.geteuid():
        return f"chmod u+{'rwx' if place.is_dir() else 'rw'} {place}"
    return f"sudo chmod {others} {place}" if others else f"sudo chown {_user()} {place}"


def _instead(folder: Path) -> str:
    """Move away what stands where a folder is to be, and make the folder."""
    stands = next((place for place in (folder, *folder.parents) if place.is_file()), folder)
    return f"mv {stands} {stands}.away; mkdir -p -m 700 {folder}"


def _mount_point(folder: Path) -> Path:
    return next((place for place in (folder, *folder.parents) if place.is_mount()), Path("/"))


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
