"""The crontabs a page can show: which there are, what one holds, which row an entry is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from django.conf import settings

from billclock.accounts.models import User
from billclock.cron import veiling
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry
from billclock.scheduler import desk, models
from billclock.scheduler.control import NotRunningError
from billclock.scheduler.errors import TableError
from billclock.scheduler.table import Snapshot
from billclock.scheduler.tables import Tables

MAIN = "root"


@dataclass(frozen=True)
class Reading:
    """A crontab as it lies on disk now: `there` is False without a file, `problem` says why not.

    `snapshot` is what an edit of it gives back as seen; only `load` knows it.
    """

    name: str
    path: str
    crontab: Crontab
    there: bool = True
    problem: TableError | None = None
    snapshot: Snapshot | None = None

    @property
    def lines(self) -> int:
        """Count its lines."""
        return len(self.crontab.lines)


def names(user: User) -> list[str]:
    """Name the crontabs open to a user, the main one first."""
    try:
        found = desk.names()
    except (TableError, NotRunningError):
        found = []
    return [name for name in dict.fromkeys((MAIN, *found)) if user.sees(name)]


def jobs_of_first(user: User) -> int:
    """Count the jobs, as last read, of the first crontab that is open to a user."""
    first = next(iter(names(user)), "")
    return models.Entry.objects.filter(table=first, gone_at=None).count()


def read(name: str) -> Reading:
    """Read one crontab; what keeps it from being read is in the answer, never raised."""
    if not desk.is_ours():
        return load(name)
    path = f"{settings.SPOOL}/{name}"
    try:
        place = Tables().table(name).place
        path = str(place.path)
        found = place.read()
    except TableError as problem:
        return Reading(name, path, _parse(b""), problem=problem)
    if found is None:
        return Reading(name, path, _parse(b""), there=False)
    return Reading(name, path, _parse(found[0], system=place.system))


def load(name: str) -> Reading:
    """Read one crontab to edit it: as `read`, with its snapshot, and with what others wrote kept.

    It asks the daemon where the web may not read crontabs itself.
    """
    path = name if "/" in name else f"{settings.SPOOL}/{name}"
    try:
        found = desk.load(name)
    except TableError as problem:
        return Reading(name, path, _parse(b""), problem=problem)
    except NotRunningError as silence:
        return Reading(name, path, _parse(b""), problem=TableError(str(silence)))
    return Reading(name, path, found.crontab, found.data is not None, snapshot=found)


def veiled(reading: Reading) -> Reading:
    """Give a reading with stars for the secrets in it; lines, entries and digest stay."""
    shown = _parse(veiling.text(bytes(reading.crontab)), system=reading.crontab.system)
    held = reading.snapshot
    if held is not None:
        data = None if held.data is None else bytes(shown)
        held = replace(held, data=data, crontab=shown)
    return replace(reading, crontab=shown, snapshot=held)


@lru_cache(maxsize=4)
def _parse(data: bytes, *, system: bool = False) -> Crontab:
    # the same text is shown again and again, by every user and every refresh
    return Crontab.parse(data, system=system)


def keys(table: str, entries: Sequence[Entry]) -> dict[int, int]:
    """Give the database ids of entries by their lines: one query.

    An entry that the scheduler has not read yet, as in the second after an edit, has none.
    """
    lines = [entry.line for entry in entries]
    rows = models.Entry.objects.filter(table=table, gone_at=None, line__in=lines)
    columns = rows.values_list("line", "id", "command")
    return dict(_in_step({line: (key, command) for line, key, command in columns}, entries))


def _in_step(
    known: dict[int, tuple[int, str]], entries: Sequence[Entry]
) -> Iterator[tuple[int, int]]:
    for entry in entries:
        key, command = known.get(entry.line, (0, ""))
        if key and command == entry.command.decode("utf-8", "backslashreplace"):
            yield entry.line, key
