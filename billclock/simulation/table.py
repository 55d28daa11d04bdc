"""The table's moments, one after the other: what a crontab would start, and when."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from billclock.cron.crontab import Crontab
from billclock.cron.occurrences import upcoming
from billclock.jobs import registry
from billclock.jobs.job import Job


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """A job at its moment; of one minute's jobs the table's order decides."""

    at: datetime
    line: int
    job: Job = field(compare=False)
    options: dict[str, str] = field(compare=False)


def moments(table: bytes, after: datetime, until: datetime) -> Iterator[Due]:
    """Give what a table's switched-on lines start in a span of time, for jobs that can be done.

    `after` is aware, in the zone the table is read in; lines that run no job of ours are left out.
    """
    streams = [
        _of_line(entry.command.decode(errors="replace"), line, upcoming(entry.expression, after))
        for line, entry in enumerate(Crontab.parse(table).entries)
        if entry.active
    ]
    for due in heapq.merge(*streams):
        if due.at > until:
            return
        yield due


def _of_line(command: str, line: int, times: Iterator[datetime]) -> Iterator[Due]:
    job = registry.of_command(command)
    if job is None or not job.built:
        return
    options = _options(command, job)
    for at in times:
        yield Due(at, line, job, options)


def _options(command: str, job: Job) -> dict[str, str]:
    """Give the parameters that a line sets and the job knows, such as `plid=153/50`."""
    known = {option.name for option in job.options}
    words = (word.partition("=") for word in command.split() if "=" in word)
    return {name: value for name, _, value in words if name in known}
