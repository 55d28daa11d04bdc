"""collect_usageinfo: count the figures of each past day once; they never leave the machine."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path

from django.conf import settings

from billclock import clock
from billclock.billing import statistics
from billclock.billing.errors import BillingError
from billclock.billing.statistics import DailyFigure
from billclock.jobs import registry, sections
from billclock.jobs.job import Program
from billclock.jobs.registry import job
from billclock.jobs.report import Report, Tally
from billclock.scheduler import chosen
from billclock.scheduler.models import Run, Slot

NAME = "collect_usageinfo"

Figures = dict[str, int]


@job(
    name=NAME,
    rows=(15,),
    section=sections.STATISTICS,
    title="BILLmanager collect licence 6 usage stat",
    meaning="Collection of statistics on platform performance",
    program=Program.MGRCTL,
    arguments=f"-m billmgr {NAME} sok=ok",
    schedule="5 18 * * *",
)
def collect(*, on: date, dry_run: bool, confirm: bool, explain: str) -> Report:
    """Count the days before `on` that were not counted yet, and today's sizes.

    Runs are counted for whole days of the server's zone, back to the oldest run that is kept;
    sizes can be measured only today. `explain` is a day: its figures are shown.
    """
    del confirm  # counting changes nothing that could need approval
    tally = Tally(NAME)
    if explain:
        return _explained(tally, explain)
    for metric, count in METRICS.items():
        days = _days(on)
        for day in sorted(days - statistics.counted_days(metric, min(days, default=on), on)):
            with tally.isolated(f"{metric} of {day}"):
                _record(tally, metric, day, count(day), dry_run=dry_run)
    if on == clock.today(clock.server_zone()):
        with tally.isolated(f"sizes of {on}"):
            _record(tally, "bytes", on, sizes(), dry_run=dry_run)
    return tally.report()


def _days(on: date) -> set[date]:
    """Give the whole days before `on`, all of them over, of which runs may still be kept."""
    on = min(on, clock.today(clock.server_zone()))
    oldest = Slot.objects.order_by("planned").values_list("planned", flat=True).first()
    started = Run.objects.exclude(started=None).order_by("started").first()
    moments = [m for m in (oldest, started.started if started else None) if m]
    if not moments:
        return set()
    first = min(moments).astimezone(clock.server_zone()).date()
    first = max(first, on - timedelta(days=chosen.in_force().keep_days))
    return {first + timedelta(days=day) for day in range((on - first).days)}


def _record(
    tally: Tally, metric: str, day: date, figures: Mapping[str, int], *, dry_run: bool
) -> None:
    new = not statistics.counted_days(metric, day, day)
    if new and not dry_run:
        new = statistics.record(metric, day, figures)
    if not new:
        tally.unchanged += 1
        return
    tally.done += 1
    verb = "would be recorded" if dry_run else "recorded"
    tally.say(f"{day}: {metric} {verb}: {sum(figures.values())} in {len(figures)} figures")
    tally.figures.setdefault(str(day), {})[metric] = dict(figures)


def runs(day: date) -> Figures:
    """Count the runs that started on a day, by job and outcome (`running` while it has none)."""
    counts: Counter[str] = Counter()
    for run in _started(day):
        counts[f"{_name(run.entry.command)}: {run.outcome or 'running'}"] += 1
    return dict(counts)


def milliseconds(day: date) -> Figures:
    """Add up by job how long the runs that started on a day took."""
    spent: Counter[str] = Counter()
    for run in _started(day):
        if run.started and run.finished:
            took = (run.finished - run.started) // timedelta(milliseconds=1)
            spent[_name(run.entry.command)] += took
    return dict(spent)


def unstarted(day: date) -> Figures:
    """Count by job the planned moments of a day that were missed or skipped."""
    counts: Counter[str] = Counter()
    slots = Slot.objects.filter(planned__range=_bounds(day), outcome__in=("missed", "skipped"))
    for slot in slots.select_related("entry").iterator():
        counts[f"{_name(slot.entry.command)}: {slot.outcome}"] += slot.count
    return dict(counts)


METRICS: Mapping[str, Callable[[date], Figures]] = {
    "runs": runs,
    "milliseconds": milliseconds,
    "unstarted": unstarted,
}


def sizes() -> Figures:
    """Measure in bytes the databases, with their journals, and the folder of runs' output."""
    found = {
        Path(str(database["NAME"])).name: _database_size(Path(str(database["NAME"])))
        for database in settings.DATABASES.values()
        if database["ENGINE"] == "billclock.sqlite"
    }
    return found | {"runs": sum(_size(path) for path in settings.RUN_OUTPUTS.rglob("*"))}


def _database_size(path: Path) -> int:
    return sum(_size(path.with_name(path.name + end)) for end in ("", "-wal", "-shm"))


def _size(path: Path) -> int:
    """Give a file's size; 0 for a folder and for what went away meanwhile."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0


def _started(day: date) -> Iterator[Run]:
    return Run.objects.filter(started__range=_bounds(day)).select_related("entry").iterator()


def _bounds(day: date) -> tuple[datetime, datetime]:
    """Give a day's first and last moment in the server's zone."""
    zone = clock.server_zone()
    return datetime.combine(day, time.min, zone), datetime.combine(day, time.max, zone)


def _name(command: str) -> str:
    """Give the job's name, or for any other command its text."""
    known = registry.of_command(command)
    return known.name if known else command[:200]


def _explained(tally: Tally, subject: str) -> Report:
    """Show a day's figures."""
    with tally.isolated(subject):
        rows = DailyFigure.objects.filter(day=_day(subject)).order_by("metric", "key")
        for row in rows:
            tally.say(f"{row.day} {row.metric} {row.key or 'in all'}: {row.value}")
        tally.unchanged += 1
        if not rows:
            tally.say(f"nothing was counted for {subject}; the job counts the days before its own")
    return tally.report()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BillingError(f"{text!r} is not a day", "write it as 2026-11-20") from None
