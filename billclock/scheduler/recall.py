"""The job behind a run that is over, found again in its table."""

from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry as Line
from billclock.scheduler.addressing import one_line
from billclock.scheduler.errors import TableError
from billclock.scheduler.models import Entry, Run
from billclock.scheduler.roster import Job, Zones
from billclock.scheduler.tables import Tables


class Recall:
    """Finds jobs, reading each table once."""

    def __init__(self) -> None:
        """Begin with no table read."""
        self._tables = Tables()
        self._crontabs: dict[str, Crontab] = {}

    def job(self, run: Run) -> Job:
        """Give the run's job as it stands now.

        An entry that is gone is taken as if it stood below all assignments of its table.
        """
        entry = run.entry
        crontab = self._crontab(entry.table)
        line = _line(crontab, entry)
        if line is None:
            last = _as_last(crontab, entry)
            return Job(entry.id, run.user or entry.table, last, Zones().of(last))
        return Job(entry.id, entry.table, line, Zones().of(line))

    def _crontab(self, table: str) -> Crontab:
        if table not in self._crontabs:
            try:
                self._crontabs[table] = self._tables.table(table).read().crontab
            except (TableError, ValueError):
                self._crontabs[table] = Crontab.parse(b"")
        return self._crontabs[table]


def _line(crontab: Crontab, entry: Entry) -> Line | None:
    """Find the line where it was when the table was last loaded, else by its command."""
    there = crontab.entry(entry.line)
    if there is not None and _command(there) == entry.command:
        return there
    return next((line for line in crontab.entries if _command(line) == entry.command), None)


def _command(line: Line) -> str:
    return line.command.decode("utf-8", "backslashreplace")


def _as_last(crontab: Crontab, entry: Entry) -> Line:
    assignments = [crontab.lines[assigned.line - 1].raw for assigned in crontab.assignments]
    line = f"* * * * * {one_line(entry.command)}".encode()
    return Crontab.parse(b"\n".join([*assignments, line, b""])).entries[-1]
