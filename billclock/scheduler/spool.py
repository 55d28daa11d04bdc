"""Folders of crontabs: a user's each in the spool, the system's in /etc."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from billclock.scheduler.errors import Failed, Ignored
from billclock.scheduler.place import DEBIAN, OWN, RED_HAT, Flavour, Place

# A user's name, and nothing an editor or crontab(1) leaves beside the table it saves; short enough
# for the names of its lock and of the file it is written to.
_NAME = re.compile(r"(?!tmp\.)[A-Za-z0-9_][A-Za-z0-9_.@-]{0,199}\$?")
# Debian's rule for /etc/cron.d, shared with run-parts (cron(8)): no dot, so no package leftovers.
_SYSTEM_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Spool:
    """A folder of files named after users."""

    folder: Path
    flavour: Flavour

    @classmethod
    def at(cls, folder: Path) -> "Spool":
        """Tell from a folder which flavour it is; our own is made when it is not there."""
        folder = Path(os.path.realpath(folder))
        kind = "/".join(folder.parts[-3:])
        if kind.endswith("spool/cron") or kind in ("spool/cron/tabs", "spool/cron/crontabs"):
            # Debian's crontab(1) is setgid and its folder sticky; Alpine's and SUSE's are not.
            sticky = folder.is_dir() and folder.stat().st_mode & stat.S_ISVTX
            return cls(folder, DEBIAN if sticky else RED_HAT)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Failed.from_system(error, folder, "make") from error
        return cls(folder, OWN)

    def place(self, name: str) -> Place:
        """Give the place of a user's table; ValueError for what can't be a user's name."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a user's name")
        return Place(name, self.folder / name, self.flavour)

    def places(self) -> Iterator[Place]:
        """Give the place of every file that is named like a table, ignored ones included."""
        for name in _listed(self.folder):
            if _NAME.fullmatch(name):
                yield Place(name, self.folder / name, self.flavour)


@dataclass(frozen=True)
class SystemTables:
    """The tables of a folder such as /etc: `crontab`, and the files of `cron.d`."""

    folder: Path

    def places(self) -> Iterator[Place]:
        """Give the place of every system table; each is named by its path."""
        paths = [self.folder / "crontab"] if (self.folder / "crontab").exists() else []
        parts = self.folder / "cron.d"
        paths += [parts / name for name in _listed(parts) if _SYSTEM_NAME.fullmatch(name)]
        for path in paths:
            yield self.place(path)

    def place(self, path: Path) -> Place:
        """Give the place of one system table; ValueError for what can't be one."""
        named = path.parent == self.folder / "cron.d" and _SYSTEM_NAME.fullmatch(path.name)
        if not named and path != self.folder / "crontab":
            raise ValueError(f"{path} is not a system table")
        return Place(str(path), path, DEBIAN, system=True)

    def misnamed(self) -> list[Ignored]:
        """Tell the files of cron.d that Debian's file-name rule leaves out."""
        parts = self.folder / "cron.d"
        return [
            _misnamed(parts / name)
            for name in _listed(parts)
            if not _SYSTEM_NAME.fullmatch(name) and not name.startswith(".")
        ]


def _misnamed(path: Path) -> Ignored:
    better = path.with_name(re.sub("[^A-Za-z0-9_-]", "_", path.name))
    return Ignored(path, "its name has more than letters, digits, - and _", f"mv {path} {better}")


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names are all that is wanted
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Failed.from_system(error, folder, "list") from error
