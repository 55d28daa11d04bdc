"""All jobs of the article from one place: found by name, run, and printed as the default table."""

import difflib
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from django.conf import settings

from billclock import clock, jobs, plugins
from billclock.jobs.holding import HeldError, held
from billclock.jobs.job import Job, OptionError, Program, key_words
from billclock.jobs.planned import PLANNED
from billclock.jobs.report import Report, Tally

Function = Callable[..., Report]

CATCH_UP = "# billclock: catch-up=once"
NO_OPTIONS: Mapping[str, str] = MappingProxyType({})
YEARS = range(1970, 9000)
"""The years of dates that jobs run for: months and days before and after them exist too."""

NOT_BUILT = "this version of Billclock cannot do it yet; nothing was changed"

_built: dict[str, Job] = {}


class UnknownJobError(LookupError):
    """No job has this name."""

    def __init__(self, name: str) -> None:
        near = difflib.get_close_matches(name, [job.name for job in all_jobs()], n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        super().__init__(f"there is no job {name!r}{hint}")


def job(name: str, **facts: Any) -> Callable[[Function], Function]:
    """Register a function as the job `name`; `facts` are the other fields of Job.

    The function takes keywords: `on` (the date it runs for), `dry_run`, `confirm`, `explain`,
    and options of its own as text or on/off; it gives a Report.
    """

    def register(function: Function) -> Function:
        _built[name] = Job(name=name, function=function, **facts)
        return function

    return register


@cache
def all_jobs() -> Sequence[Job]:
    """Give every job in the article's order, those that cannot be done yet among them."""
    for _ in plugins.modules(jobs):
        pass  # importing a job's module registers it
    return sorted([*_built.values(), *PLANNED], key=lambda known: known.rows)


def find(name: str) -> Job:
    """Give the job of a name, or raise UnknownJobError."""
    for known in all_jobs():
        if known.name == name:
            return known
    raise UnknownJobError(name)


@lru_cache(maxsize=4096)
def of_command(command: str) -> Job | None:
    """Give the job that a crontab's command runs, whatever its path and parameters; else None."""
    words = key_words(command)
    if not words or words[0].rpartition("/")[2] not in {program.short for program in Program}:
        return None
    words[0] = words[0].rpartition("/")[2]
    return next((known for known in all_jobs() if words[: len(known.key)] == known.key), None)


def perform(
    name: str,
    *,
    on: date | None = None,
    dry_run: bool = False,
    confirm: bool = False,
    explain: str = "",
    options: Mapping[str, str] = NO_OPTIONS,
) -> Report:
    """Run a job for a date (the server's today) and give its report.

    `dry_run` and `explain` (an object of the job) change nothing and need no lock; `confirm` lets
    a limit pass. Raises UnknownJobError and OptionError before anything is done; whatever goes
    wrong later is in the report.
    """
    known = find(name)
    if known.function is None:
        return Report(name, failed={name: NOT_BUILT})
    arguments = known.bind(options)
    arguments |= {"on": _day(on), "dry_run": dry_run}
    arguments |= {"confirm": confirm, "explain": explain}
    if dry_run or explain:
        return _called(known.function, name, arguments)
    try:
        with held(settings.HOME / "locks", name, known.scope(options)):
            return _called(known.function, name, arguments)
    except HeldError as error:
        return Report(name, busy=str(error))


def _day(on: date | None) -> date:
    """Give the date to run for; raise OptionError for one around which there is no calendar."""
    if on is not None and on.year not in YEARS:
        raise OptionError(
            f"date: no job runs for {on}; give a day of the years {YEARS[0]} to {YEARS[-1]}"
        )
    return on or clock.today(clock.server_zone())


def run(
    name: str,
    *,
    on: date | None = None,
    dry_run: bool = False,
    confirm: bool = False,
    explain: str = "",
    as_json: bool = False,
    options: Mapping[str, str] = NO_OPTIONS,
) -> Report:
    """Perform a job, and print its summary or with `as_json` the report as a JSON object."""
    report = perform(
        name, on=on, dry_run=dry_run, confirm=confirm, explain=explain, options=options
    )
    sys.stdout.write(f"{report.json() if as_json else report.text()}\n")
    return report


def default_table() -> bytes:
    """Give the crontab of the article's scheduled jobs; those not built yet are switched off."""
    blocks = [_lines(known) for known in all_jobs() if known.schedule]
    return "\n\n".join(blocks).encode("ascii") + b"\n"


def _lines(known: Job) -> str:
    directive = f"{CATCH_UP}\n" if known.catch_up else ""
    off = "" if known.built else "#"
    return f"## {known.title}\n{directive}{off}{known.schedule} {known.command}"


def _called(function: Function, name: str, arguments: Mapping[str, Any]) -> Report:
    tally = Tally(name)
    report: Report | None = None
    with tally.isolated(name):
        report = function(**arguments)
    return report or tally.report()
