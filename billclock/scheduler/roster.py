"""The entries in force: what each runs, for whom, in which zone; kept in step with the tables."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo

from billclock import clock
from billclock.cron import zones
from billclock.cron.chains import Called
from billclock.cron.entry import Entry as Line
from billclock.scheduler import policies
from billclock.scheduler.agenda import Agenda
from billclock.scheduler.models import Entry
from billclock.scheduler.policies import Options
from billclock.scheduler.table import Snapshot

REBOOT = "@reboot"
DIRECTIVE = b"billclock:"


@dataclass(slots=True)
class Job:
    """One entry in force: its id in the database, its table, the line itself, its zone and era."""

    entry: int
    table: str
    line: Line
    zone: tzinfo
    era: int = 0

    @property
    def options(self) -> Options:
        """Give what its directives ask for, or its table for all of its entries."""
        return policies.read(self.line.directives, self.line.environment)[0]

    @property
    def owner(self) -> str:
        """Name the user it runs as: the sixth column of a system table, else the table's own."""
        return self.line.user or self.table


class Zones:
    """The zones of one table's entries: the directive beats CRON_TZ beats the server's.

    Entries below the same assignments share their CRON_TZ, so it is looked up once for all.
    """

    def __init__(self, *, directed: bool = True) -> None:
        """Begin with the server's zone; `directed` tells that there are directives to look for."""
        self._directed = directed
        self._server = clock.server_zone()
        self._assigned: dict[int, tzinfo] = {}

    def of(self, line: Line) -> tzinfo:
        """Give the zone in which the entry's fields are read."""
        named = policies.read(line.directives)[0].zone if self._directed else ""
        if named:
            return zones.named(named)
        if line.scope not in self._assigned:
            self._assigned[line.scope] = self._named(line.environment.get("CRON_TZ", ""))
        return self._assigned[line.scope]

    def _named(self, name: str) -> tzinfo:
        try:
            return zones.named(name) if name else self._server
        except ValueError:
            return self._server


def jobs(snapshot: Snapshot) -> Iterator[Job]:
    """Give the active entries of a table as jobs."""
    moved = Entry.objects.filter(table=snapshot.name, era__gt=0).values_list("id", "era")
    eras = dict(moved)
    of_table = Zones(directed=DIRECTIVE in (snapshot.data or b""))
    for key, line in zip(snapshot.keys, snapshot.crontab.entries, strict=True):
        if line.active:
            yield Job(key, snapshot.name, line, of_table.of(line), eras.get(key, 0))


def switched_off(snapshot: Snapshot, key: int) -> Job | None:
    """Give an entry of a table as a job though it may be switched off; None if it is not there."""
    line = snapshot.entry(key)
    return None if line is None else Job(key, snapshot.name, line, Zones().of(line))


class Roster:
    """All jobs by entry id, and the agenda of when they are due."""

    def __init__(self, served: float) -> None:
        """Begin empty, with moments later than `served` (seconds since the epoch)."""
        self.agenda = Agenda(served)
        self._jobs: dict[int, Job] = {}
        self._of_table: dict[str, set[int]] = {}
        self._called: dict[str, Called[int]] = {}

    def __len__(self) -> int:
        """Count the jobs in force."""
        return len(self._jobs)

    def get(self, entry: int) -> Job | None:
        """Give the job of an entry, or None when it is not in force."""
        return self._jobs.get(entry)

    def called(self, table: str, name: str) -> Job:
        """Give the job of a table that is called so. Raise ChainError for none or several."""
        if table not in self._called:
            own = self._of_table.get(table, ())
            self._called[table] = Called((key, self._jobs[key].line) for key in own)
        return self._jobs[self._called[table].find(name)]

    def at_boot(self) -> Iterator[Job]:
        """Give the jobs of @reboot."""
        return (job for job in self._jobs.values() if job.line.expression.word == REBOOT)

    def replace(self, table: str, jobs: Iterable[Job]) -> None:
        """Put the active entries of one table in force, and those it no longer has out of it."""
        new = {job.entry: job for job in jobs}
        gone = self._of_table.get(table, set()) - new.keys()
        moved = {key for key, job in new.items() if self._moved(key, job)}
        self.agenda.drop(gone | (moved & self._jobs.keys()))
        for entry in gone:
            del self._jobs[entry]
        self._jobs.update(new)
        for entry in moved:
            self.agenda.put(entry, new[entry].line.expression, new[entry].zone)
        self._of_table[table] = set(new)
        self._called.pop(table, None)

    def _moved(self, entry: int, job: Job) -> bool:
        """Tell whether the entry is new or fires by another expression or zone than before."""
        old = self._jobs.get(entry)
        if old is None:
            return True
        return old.line.expression != job.line.expression or old.zone != job.zone
