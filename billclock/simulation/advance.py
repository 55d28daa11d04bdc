"""Virtual time: the table's jobs at their moments on a clock that is set, with the world around."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billclock import clock
from billclock.billing.provider import Provider
from billclock.jobs import registry
from billclock.jobs.report import Report
from billclock.simulation import outside
from billclock.simulation.table import Due, moments

HOUR = timedelta(hours=1)
PAYS_AT = 10
"""The hour of a server's day at which clients go and pay."""


@dataclass(slots=True)
class Lived:
    """What happened: runs by job, failures by job with the last one's words."""

    runs: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    def note(self, report: Report) -> None:
        """Count a job's report."""
        self.runs[report.job] += 1
        self.done[report.job] += report.done
        for name, why in report.failed.items():
            self.failures[report.job] = f"{name}: {why}"


def live(
    table: bytes,
    since: datetime,
    until: datetime,
    *,
    provider: Provider | None = None,
    reached: Callable[[datetime], None] = lambda _: None,
) -> Lived:
    """Run a table from one moment to another (aware, in the table's zone) and give what happened.

    With a `provider` its clients pay, and letters and gateways' notices arrive by the hour. What
    is `reached` is told before each step: cut off, one goes on from there, and what was done of
    that step is done again and changes nothing.
    """
    lived = Lived()
    for at, due in _steps(table, since, until):
        reached(at - timedelta(seconds=1))
        with clock.at(at):
            if due is None:
                _pass(at, provider)
            else:
                lived.note(registry.perform(due.job.name, options=due.options))
    return lived


def _steps(table: bytes, since: datetime, until: datetime) -> Iterator[tuple[datetime, Due | None]]:
    """Give the jobs' moments and the hours of the world (None) in their order."""
    jobs = ((due.at, 1, due) for due in moments(table, since, until))
    hours = ((at, 0, None) for at in _hours(since, until))
    for at, _, due in heapq.merge(jobs, hours, key=lambda step: step[:2]):
        yield at, due


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    """Give the half hours past each hour: between the jobs, which keep to other minutes."""
    at = since.replace(minute=31, second=0, microsecond=0)
    while at <= until:
        if at > since:
            yield at
        at += HOUR


def _pass(at: datetime, provider: Provider | None) -> None:
    if provider is None:
        return
    outside.hour()
    if at.hour == PAYS_AT:
        outside.day(provider)
