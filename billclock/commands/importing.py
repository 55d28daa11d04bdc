"""`billclock import`: a foreign crontab or document told line by line, and taken into a table."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from billclock.commands.errors import DONE, FAILED
from billclock.commands.pointing import clipped, counted, shown
from billclock.commands.reading import STDIN, read
from billclock.commands.start import database, who
from billclock.cron.crontab import Crontab
from billclock.cron.entry import Entry
from billclock.cron.importing import REPAIRED, Report, ReportLine, take
from billclock.cron.joining import joined

if TYPE_CHECKING:
    from billclock.scheduler.table import Table


def run(args: Namespace) -> int:
    """Print what became of each line, and install what was taken; 1 where nothing was."""
    report = take(read(args.file), fix=args.fix)
    for line in report.lines:
        print("\n".join(_told(line)))
    print(_figures(report))
    if not Crontab.parse(report.data).entries:
        print(f"Nothing was installed{_hint(report)}.")
        return FAILED
    database()
    from billclock.commands.whose import table_of

    source = "standard input" if args.file == STDIN else args.file
    installing = Installing(table_of(args.user), Crontab.parse(report.data))
    installing.run(f"import of {source}"[:255])
    for entry in installing.known:
        command = clipped(entry.command.decode("utf-8", "replace"))
        print(f"already there: {entry.expression} {command}")
    name = installing.table.name
    print(f"{counted(installing.added, 'entry')} put into the table {name}{_hint(report)}.")
    return DONE


class Installing:
    """Adds entries to a table; `added` counts those it did not have, `known` are those it had."""

    def __init__(self, table: Table, fresh: Crontab) -> None:
        """Take a table, and the crontab to add to it."""
        self.table = table
        self.fresh = fresh
        self.added = 0
        self.known: Sequence[Entry] = []

    def run(self, note: str) -> None:
        """Save the table with what is new behind what it has, or make it."""
        self.table.edit(self._joined, author=who(), note=note)

    def _joined(self, held: Crontab) -> Crontab:
        found = joined(held, self.fresh)
        self.added, self.known = found.added, found.known
        return found.crontab


def _told(line: ReportLine) -> list[str]:
    reason = f": {shown(line.reason)}" if line.reason else ""
    told = [f"line {line.line}: {line.verdict}{reason}", f"    {clipped(line.text.strip())}"]
    if line.fix is not None:
        told.append(f"  → {clipped(line.fix)}")
    if line.description:
        told.append(f"  ## {clipped(line.description)}")
    return told


def _figures(report: Report) -> str:
    figures = ", ".join(f"{name} {number}" for name, number in report.counts.items() if number)
    kind = "document" if report.is_document else "crontab"
    return f"{kind}: {figures or 'no crontab lines found'}"


def _hint(report: Report) -> str:
    """Say that --fix would take more, where it would."""
    waiting = sum(line.verdict == REPAIRED and line.entry is None for line in report.lines)
    return f"; {counted(waiting, 'repaired line')} only with --fix" if waiting else ""
