"""Runs in words, ready to be printed: one a line, or many successes of one job folded into one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billclock.scheduler.models import Outcome, Run, Trigger
from billclock.web.kit.marks import Mark
from billclock.web.outcomes import mark
from billclock.web.retold import retold
from billclock.web.rows import PREFIX, When, when
from billclock.web.run_query import moment
from billclock.web.times import Wall, duration
from billclock.web.visible import visible

ON_TIME = 1.0  # seconds of lateness not worth a word in a list
A_FOLD = 3  # successes of one job that are worth folding


@dataclass(frozen=True)
class Line:
    """One run in words."""

    run: Run
    title: str
    mark: Mark
    reason: str
    trigger: str
    started: When | None
    planned: When | None
    finished: When | None
    late: str
    took: str
    going: str
    code: str
    cpu: str
    memory: str
    size: str


@dataclass(frozen=True)
class Fold:
    """Successes of one job in words: how many, from the first to the last, the quickest, slowest.

    `line` is the newest of them, `since` the moment of the oldest.
    """

    line: Line
    count: int
    since: When | None
    quickest: str
    slowest: str
    fold: bool = field(default=True, init=False)


def line(run: Run, wall: Wall) -> Line:
    """Put a run into words."""
    late = took = going = ""
    if run.started and run.planned:
        seconds = (run.started - run.planned).total_seconds()
        late = duration(seconds) if seconds >= ON_TIME else ""
    if run.started and run.finished:
        took = duration(run.finished - run.started)
    elif run.started and not run.outcome:
        going = duration(wall.now - run.started)
    return Line(
        run=run,
        title=title(run),
        mark=mark(run.outcome, started=run.started is not None),
        reason=visible(retold(run.reason)),
        trigger=trigger_word(run.trigger),
        started=when(run.started, wall),
        planned=when(run.planned, wall),
        finished=when(run.finished, wall),
        late=late,
        took=took,
        going=going,
        code=_code(run),
        cpu="" if run.cpu is None else duration(run.cpu),
        memory="" if not run.memory else filesizeformat(run.memory * 1024),
        size="" if not run.output_size else filesizeformat(run.output_size),
    )


def title(run: Run) -> str:
    """Name a run's job: its description, else its command."""
    described = " · ".join(run.entry.description.split("\n")).removeprefix(PREFIX)
    return visible(described or " ".join(run.entry.command.split("\n")))


def folded(runs: Sequence[Run], wall: Wall, most: int) -> tuple[list[Line | Fold], Run | None]:
    """Put runs into words, with each job's row of plain successes as one line.

    What other jobs did in between does not part a row; any other ending of the job itself does.
    The answer ends before the line after `most`, with the last run that is in it.
    """
    begins: dict[int, list[Run]] = {}
    last = None
    for run in _rows(runs, begins, most):
        last = run
    lines: list[Line | Fold] = []
    for row in begins.values():
        if len(row) >= A_FOLD:
            lines.append(_fold(row, wall))
        else:
            lines += [line(run, wall) for run in row]
    return lines, last


def _rows(runs: Sequence[Run], begins: dict[int, list[Run]], most: int) -> Iterator[Run]:
    """Part runs into rows, found by their first, and give each that has its place."""
    rows: dict[int, list[Run]] = {}
    for run in runs:
        if len(begins) == most and (run.outcome != Outcome.SUCCEEDED or run.entry_id not in rows):
            return
        if run.outcome != Outcome.SUCCEEDED:
            rows.pop(run.entry_id, None)
            begins[run.pk] = [run]
        elif run.entry_id in rows:
            rows[run.entry_id].append(run)
        else:
            rows[run.entry_id] = begins[run.pk] = [run]
        yield run


def trigger_word(name: str) -> str:
    """Say why a run was started."""
    return {
        Trigger.SCHEDULE: pgettext("trigger", "schedule"),
        Trigger.CATCH_UP: pgettext("trigger", "catch-up"),
        Trigger.RETRY: pgettext("trigger", "retry"),
        Trigger.CHAIN: pgettext("trigger", "chain"),
        Trigger.MANUAL: pgettext("trigger", "by hand"),
        Trigger.API: pgettext("trigger", "API"),
        Trigger.TEST: pgettext("trigger", "test"),
    }[Trigger(name)]


def _fold(row: Sequence[Run], wall: Wall) -> Fold:
    took = sorted((run.finished - run.started) for run in row if run.started and run.finished)
    return Fold(
        line(row[0], wall),
        len(row),
        when(moment(row[-1]), wall),
        duration(took[0]) if took else "",
        duration(took[-1]) if took else "",
    )


def _code(run: Run) -> str:
    if run.signal:
        return _("signal %d") % run.signal
    return "" if run.exit_code is None else str(run.exit_code)
