"""The entries in force: what each runs, for whom, in which zone; kept in step with the tables."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from billclock import clock
from billclock.cron import Entry
from billclock.scheduler import policies
from billclock.scheduler.agenda import Agenda
from billclock.scheduler.policies import Options

REBOOT = "@reboot"


@dataclass(slots=True)
class Job:
    """One entry in force: its id in the database, its table, the line itself, its era."""

    entry: int
    table: str
    line: Entry
    era: int = 0

    @property
    def options(self) -> Options:
        """Give what its directives ask for."""
        return policies.read(self.line.directives)[0]

    @property
    def owner(self) -> str:
        """Name the user it runs as: the sixth column of a system table, else the table's own."""
        return self.line.user or self.table

    @property
    def zone(self) -> tzinfo:
        """Give the zone of its times: the directive beats CRON_TZ beats the server's."""
        named = self.options.zone or self.line.environment.get("CRON_TZ", "")
        try:
            return ZoneInfo(named) if named else clock.server_zone()
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return clock.server_zone()


class Roster:
    """All jobs by entry id, and the agenda of when they are due."""

    def __init__(self, served: float) -> None:
        """Begin empty, with moments later than `served` (seconds since the epoch)."""
        self.agenda = Agenda(served)
        self._jobs: dict[int, Job] = {}
        self._of_table: dict[str, set[int]] = {}

    def __len__(self) -> int:
        """Count the jobs in force."""
        return len(self._jobs)

    def get(self, entry: int) -> Job | None:
        """Give the job of an entry, or None when it is not in force."""
        return self._jobs.get(entry)

    def at_boot(self) -> Iterator[Job]:
        """Give the jobs of @reboot."""
        return (job for job in self._jobs.values() if job.line.expression.word == REBOOT)

    def replace(self, table: str, jobs: Iterable[Job]) -> None:
        """Put the active entries of one table in force, and those it no longer has out of it."""
        new = {job.entry: job for job in jobs}
        gone = self._of_table.get(table, set()) - new.keys()
        moved = {key for key, job in new.items() if self._moved(key, job)}
        self.agenda.drop(gone | moved)
        for entry in gone:
            del self._jobs[entry]
        self._jobs.update(new)
        for entry in moved:
            self.agenda.put(entry, new[entry].line.expression, new[entry].zone)
        self._of_table[table] = set(new)

    def _moved(self, entry: int, job: Job) -> bool:
        """Tell whether the entry is new or fires by another expression or zone than before."""
        old = self._jobs.get(entry)
        if old is None:
            return True
        if old.line.expression != job.line.expression:
            return True
        same = (
            old.line.environment is job.line.environment
            and old.line.directives == job.line.directives
        )
        return not same and old.zone != job.zone
