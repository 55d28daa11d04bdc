"""The entries of a crontab as a timeline needs them, read once for a text and kept."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache

from billclock.cron.crontab import Crontab
from billclock.cron.expression import Expression
from billclock.scheduler import models, policies
from billclock.scheduler.load import Schedules
from billclock.scheduler.roster import Zones
from billclock.web.problems_found import named
from billclock.web.rows import PREFIX


@dataclass(frozen=True)
class Planned:
    """An entry: when it runs in which zone, whether it is on, its tags, where it stands."""

    line: int
    expression: Expression
    zone: tzinfo
    active: bool
    tags: Sequence[str]
    command: str


@dataclass(frozen=True)
class Job:
    """An entry with its database id (None: not read by the scheduler yet) and its name."""

    planned: Planned
    key: int | None
    title: str


def jobs(table: str, crontab: Crontab, zone: tzinfo) -> list[Job]:
    """Give a table's entries in their order, with their names: one query."""
    known = {row.line: row for row in models.Entry.objects.filter(table=table, gone_at=None)}
    found = []
    for planned in entries(crontab, zone):
        row = known.get(planned.line)
        if row is None or row.command != planned.command:
            row = models.Entry(command=planned.command)
        found.append(Job(planned, row.pk, named(row).removeprefix(PREFIX)))
    return found


def schedules(crontabs: Iterable[Crontab], zone: tzinfo) -> Schedules:
    """Count the switched-on entries of some tables by schedule; `zone` is the server's."""
    found: Counter[tuple[Expression, tzinfo]] = Counter()
    for crontab in crontabs:
        found.update(_schedules(crontab, zone))
    return found


@lru_cache(maxsize=16)
def entries(crontab: Crontab, zone: tzinfo) -> Sequence[Planned]:
    """Give every entry of a text; `zone` is the server's, in which most are read."""
    del zone  # it only tells that a text is to be read again
    zones = Zones()
    return [
        Planned(
            line=entry.line,
            expression=entry.expression,
            zone=zones.of(entry),
            active=entry.active,
            tags=policies.read(entry.directives)[0].tags,
            command=entry.command.decode("utf-8", "backslashreplace"),
        )
        for entry in crontab.entries
    ]


@lru_cache(maxsize=16)
def _schedules(crontab: Crontab, zone: tzinfo) -> Mapping[tuple[Expression, tzinfo], int]:
    planned = entries(crontab, zone)
    return Counter((each.expression, each.zone) for each in planned if each.active)
