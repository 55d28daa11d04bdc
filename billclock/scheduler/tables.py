"""All crontabs that Billclock looks after: the spool's and, on a take-over, the system's."""

import math
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from billclock import clock
from billclock.scheduler import models
from billclock.scheduler.errors import TableError
from billclock.scheduler.place import Place
from billclock.scheduler.spool import Spool, SystemTables
from billclock.scheduler.table import Table, forget
from billclock.scheduler.watching import Watch

# File systems tell times by the second or finer, some kernels by hundredths: two writes this
# near to each other may look like one.
_GRAIN = 2.0
# Seconds between two looks that nothing called for. A watch tells of changes made on this
# machine; those made to a network file system by another it does not.
_LOOK_WATCHED = 30.0
_LOOK_UNWATCHED = 1.0


@dataclass(frozen=True, slots=True)
class Look:
    """What a file looks like from outside; `young`: it may change and look the same."""

    inode: int
    size: int
    mode: int
    owner: int
    links: int
    modified: int
    changed: int
    young: bool


class Tables:
    """The tables of a spool; where it is the system's, those of /etc too, read-only."""

    def __init__(
        self, spool: Path | None = None, home: Path | None = None, system: Path | None = None
    ) -> None:
        """Take a spool, a folder for locks, and one like /etc; the settings' where not given."""
        self.spool = Spool.at(spool or settings.SPOOL)
        self.system: SystemTables | None = None
        if self.spool.flavour.checked:
            self.system = SystemTables(system or settings.SYSTEM_TABLES)
        self._home = home or settings.HOME
        self._looks: dict[str, Look] | None = None
        self._looked = -math.inf
        self._watch: Watch | None = None

    def __iter__(self) -> Iterator[Table]:
        """Give every table that has a file, the ignored ones included."""
        return (Table(place, self._home) for place in self._places())

    def table(self, name: str) -> Table:
        """Give a table by its user, or a system table by its path; ValueError for neither."""
        if self.system and "/" in name:
            return Table(self.system.place(Path(name)), self._home)
        return Table(self.spool.place(name), self._home)

    def ignored(self) -> list[TableError]:
        """Say which files are not run, and why."""
        found = [problem for place in self._places() if (problem := place.problem())]
        return [*found, *(self.system.misnamed() if self.system else [])]

    def wakers(self) -> list[int]:
        """Give the descriptors that become readable when a table may have changed.

        They are read by `changed`. There are none where the system can't watch folders.
        """
        if self._watch is None:
            folders = {self.spool.folder: frozenset[str]()}
            if self.system:
                folders[self.system.folder] = frozenset(("crontab", "cron.d"))
                folders[self.system.folder / "cron.d"] = frozenset()
            try:
                self._watch = Watch(folders)
            except OSError:
                return []
            self._looked = -math.inf  # what changed before the watch began is not told by it
        return [self._watch.fileno()]

    @property
    def patience(self) -> float:
        """Give the seconds after which `changed` wants to be asked, if no descriptor told."""
        return _LOOK_WATCHED if self._watch else _LOOK_UNWATCHED

    def changed(self) -> list[Table]:
        """Give the tables whose file may have changed, come or gone since the last call.

        The first time these are all, with those that went while nobody looked. It may be called
        at any time: it costs a stat(2) a table only when there is something to find.
        """
        told = self._watch.drain() if self._watch else False
        now = clock.since_boot()
        if not told and self._looks is not None and now - self._looked < self.patience:
            return []
        self._looked = now
        if self._watch:
            self._watch.renew()
        looks = {place.name: look for place in self._places() if (look := _look(place.path))}
        former: Mapping[str, Look | None] = self._former() if self._looks is None else self._looks
        self._looks = looks
        fresh = [name for name, look in looks.items() if look.young or former.get(name) != look]
        return [self.table(name) for name in (*fresh, *(former.keys() - looks.keys()))]

    def _places(self) -> Iterator[Place]:
        yield from self.spool.places()
        if self.system:
            yield from self.system.places()

    def _former(self) -> Mapping[str, Look | None]:
        """Name the tables of the database; of a system no longer taken over, let them go."""
        former: dict[str, Look | None] = {}
        for row in models.Table.objects.exclude(digest=""):
            if row.system and not self.system:
                forget(row)
            else:
                former[row.name] = None
        return former


def _look(path: Path) -> Look | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    if stat.S_ISLNK(found.st_mode):
        found = _target(path) or found
    latest = max(found.st_mtime, found.st_ctime)
    return Look(
        found.st_ino,
        found.st_size,
        found.st_mode,
        found.st_uid,
        found.st_nlink,
        found.st_mtime_ns,
        found.st_ctime_ns,
        young=abs(clock.seconds() - latest) < _GRAIN,
    )


def _target(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None
