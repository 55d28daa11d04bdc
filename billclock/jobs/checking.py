"""A crontab checked in this world: this clock and zone, these programs, the billing set."""

import os
from collections.abc import Sequence
from functools import lru_cache

from billclock import clock
from billclock.cron.crontab import Crontab
from billclock.cron.lint import Finding, lint
from billclock.jobs.job import HOME, Job, Program
from billclock.jobs.registry import all_jobs
from billclock.scheduler.environment import refusal

SPAN = 30.0  # seconds for which a look at the machine's programs holds


def findings(crontab: Crontab, table: str | None = None) -> Sequence[Finding]:
    """Give everything worth saying about a crontab now; a text asked for again is quick.

    `table` is whose it is, None for a text of nobody's.
    """
    return _findings(crontab, table, clock.seconds() // SPAN)


@lru_cache(maxsize=8)
def _findings(crontab: Crontab, table: str | None, _moment: float) -> tuple[Finding, ...]:
    # by the article's paths our own commands are found even where no such file is
    ours = {f"{HOME}/{program}" for program in Program}
    return tuple(
        lint(
            crontab,
            at=clock.now(),
            zone=clock.server_zone(),
            program=lambda path: path in ours or os.access(path, os.X_OK),
            jobs=[_words(job) for job in all_jobs() if job.schedule],
            user=None if table is None else lambda name: refusal(table, name),
        )
    )


def _words(job: Job) -> str:
    """Give the words by which a job is found in a command, whatever the path of its program."""
    words = job.key[1:]
    return job.name if job.name in words else " ".join(words)
