"""The problems that a user may know of, and the entries they are about: fixed queries for all."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from billclock.accounts.models import User
from billclock.cron import shell
from billclock.cron.crontab import Crontab
from billclock.scheduler import models, recent, versions
from billclock.scheduler.problems import Aside, Group, Problem, Sheet, find, is_aside, open_ones
from billclock.web import crontabs
from billclock.web.problems_books import Trouble, troubles
from billclock.web.times import Wall
from billclock.web.visible import visible


@dataclass(frozen=True)
class Found:
    """All problems of the tables a user sees, those put aside included.

    `entries` are all entries by their ids, `digests` name the tables' texts as they were read;
    `troubles` are those of the books, for who may know of them.
    """

    problems: Sequence[Problem]
    aside: Mapping[str, Aside]
    entries: Mapping[int, models.Entry]
    digests: Mapping[str, str]
    wall: Wall
    troubles: Sequence[Trouble] = ()

    @property
    def open_troubles(self) -> list[Trouble]:
        """Give what is open of the books, the most pressing first."""
        return [
            one
            for one in self.troubles
            if not is_aside(one.at, self.aside.get(one.key), self.wall.now)
        ]

    @property
    def count(self) -> int:
        """Count what is open."""
        return len(self.groups) + len(self.open_troubles)

    @property
    def groups(self) -> list[Group]:
        """Give what is open, grouped by cause, the most pressing first."""
        return open_ones(self.problems, self.aside, self.wall.now)

    def title(self, entry: int | None) -> str:
        """Name an entry as the jobs page does: by its description, else by its command."""
        row = self.entries.get(entry or 0)
        return named(row) if row else ""


def named(row: models.Entry) -> str:
    """Name an entry by its description's first line, else by its program and what follows it."""
    if row.description:
        return visible(row.description.partition("\n")[0])
    command = shell.with_mails(row.command.encode(), True).decode("utf-8", "replace")
    program, blank, rest = command.strip().partition(" ")
    return visible(program.rpartition("/")[2] + blank + rest)


def found(user: User, wall: Wall) -> Found:
    """Find the problems of every table that is open to a user."""
    names = crontabs.names(user)
    columns = ("table", "line", "description", "command", "expression", "active", "ordinal")
    rows = models.Entry.objects.filter(table__in=names, gone_at=None).order_by("table", "line")
    entries = {row.pk: row for row in rows.only(*columns)}
    sheets = _sheets(names, entries)
    return Found(
        problems=find(recent.facts(names, wall.now), sheets, wall.now),
        aside={row.key: Aside(row.at, row.until) for row in models.Snooze.objects.all()},
        entries=entries,
        digests={sheet.name: versions.digest(bytes(sheet.crontab)) for sheet in sheets},
        wall=wall,
        troubles=troubles(user),
    )


def _sheets(names: Sequence[str], entries: Mapping[int, models.Entry]) -> list[Sheet]:
    """Read each table, and match its lines with the entries known of it."""
    known: defaultdict[str, dict[int, models.Entry]] = defaultdict(dict)
    for row in entries.values():
        known[row.table][row.line] = row
    rows = models.Table.objects.filter(name__in=names).values_list("name", "read_at")
    since = dict(rows)
    crontabs_read = [(name, crontabs.read(name).crontab) for name in names]
    return [
        Sheet(name, read, _keys(read, known[name]), since.get(name)) for name, read in crontabs_read
    ]


def _keys(crontab: Crontab, known: Mapping[int, models.Entry]) -> dict[int, int]:
    keys = {}
    for entry in crontab.entries:
        row = known.get(entry.line)
        if row and row.command == entry.command.decode("utf-8", "backslashreplace"):
            keys[entry.line] = row.pk
    return keys
