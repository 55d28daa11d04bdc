"""What the page of one run shows: its facts, its state, and the part of it that is asked for."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _

from billclock import clock
from billclock.accounts.models import AuditRow, User
from billclock.scheduler import output, samples
from billclock.scheduler.durations import OF_LAST, Typical, typical
from billclock.scheduler.models import Outcome, Run
from billclock.scheduler.problems import Kind, Problem
from billclock.scheduler.samples import Sample
from billclock.web import run_chain, run_endings
from billclock.web.access import may_edit, may_run
from billclock.web.billing_runs import BILLING_RUNS
from billclock.web.kit.rights import sees
from billclock.web.run_charts import bars, curves
from billclock.web.run_effects import Effects, Record, effects, records
from billclock.web.run_events import events
from billclock.web.run_job import Then, since_success
from billclock.web.run_lines import line
from billclock.web.run_output import Reading
from billclock.web.run_times import Times
from billclock.web.times import Wall, duration
from billclock.web.visible import visible

SHOWN_LINES = 500  # of the head and of the tail each; the whole is one click away
QUIET = 10.0  # seconds without output that are worth a word


def facts(run: Run, user: User, show: str, *, navigated: bool) -> dict[str, Any]:
    """Give what the page shows of a run; `show` names a part, the output where it is none.

    A page that refreshes itself (not `navigated`) gets its output another way.
    """
    wall, then, did = Wall.here(), Then(run), effects(run.pk)
    last = list(Run.objects.filter(entry=run.entry_id).order_by("-id")[:OF_LAST])
    taken = samples.read(output.path(run.pk))
    usual = typical([run.entry_id]).get(run.entry_id)
    told = records(run) if sees(user, BILLING_RUNS) else []
    parts = _parts(did=bool(did or told))
    show = show if show in parts else "output"
    page = Page(run, wall, then, taken, did, told, navigated)
    return {
        "line": line(run, wall),
        "table": run.entry.table,
        "command": visible(run.entry.command),
        "may_run": may_run(user),
        "may_edit": may_edit(user),
        "going_on": run.started is not None and not run.outcome,
        "attempts": then.options.retries + 1 if _is_repeated(run) else 1,
        "grace": duration(then.options.grace),
        "killed": _killed(run, then.options.grace, wall),
        **_mutable(run, user),
        "allowed": filesizeformat(then.options.memory) if then.options.memory else "",
        "meaning": run_endings.meaning(run),
        "usual": duration(usual.mean) if usual else "",
        "ends": _ends(run, usual, wall),
        "chain_cause": run_chain.cause(run),
        "chain_next": run_chain.following(run),
        "curves": curves(taken),
        "bars": bars(last, run, wall),
        "show": show,
        "tabs": _tabs(run, parts),
        **parts[show](page),
    }


def _is_repeated(run: Run) -> bool:
    """Tell whether a failure of the run is followed by a further attempt: none is by hand."""
    return run.slot_id is not None or run.cause is not None


def _ends(run: Run, usual: Typical | None, wall: Wall) -> str:
    """Say when a run that goes on should end by what its job took so far; empty if unknown."""
    if run.started is None or run.outcome or usual is None:
        return ""
    end = run.started + timedelta(seconds=usual.mean)
    if end > wall.now:
        return _("about %s") % f"{end.astimezone(wall.zone):%H:%M:%S}"
    late = (wall.now - run.started).total_seconds() > usual.p95
    return _("later than usual") if late else _("about now")


def _killed(run: Run, grace: float, wall: Wall) -> str:
    """Say when a run that somebody asked to stop is killed, if it doesn't end by itself."""
    if run.started is None or run.outcome:
        return ""
    asked = AuditRow.objects.filter(act="run.stop", subject=str(run.pk)).order_by("id").first()
    if asked is None:
        return ""
    left = grace - (wall.now - asked.at).total_seconds()
    if left > 0:
        return _("Asked to end (TERM); what is left is killed in %d s.") % ceil(left)
    return _("Asked to end (TERM), and killed (KILL): waiting for its end.")


def _mutable(run: Run, user: User) -> dict[str, object]:
    """Give what a run's job may be silenced by: its mail, and the problem that its failure is."""
    bad = run.outcome in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST) and may_run(user)
    problem = Problem(Kind.FAILING, clock.now(), run.entry.table, run.entry_id).key if bad else ""
    there = run.entry.gone_at is None and (may_edit(user) or bad)
    return {"may_mute": there, "problem": problem}


@dataclass(frozen=True)
class Page:
    """What the parts of a page are made of."""

    run: Run
    wall: Wall
    then: Then
    samples: Sequence[Sample]
    effects: Effects | None
    records: Sequence[Record]
    navigated: bool


Part = Callable[[Page], dict[str, Any]]


def _parts(*, did: bool) -> Mapping[str, Part]:
    """Give the parts of the page; effects are one where there are some."""
    told: dict[str, Part] = {"effects": _effects} if did else {}
    return {
        "output": _output,
        **told,
        "environment": lambda page: {"variables": page.then.environment},
        "command": lambda page: {"executed": page.then.executed},
        "events": lambda page: {"events": events(page.run, page.wall)},
        "changes": _changes,
    }


def _tabs(run: Run, parts: Iterable[str]) -> list[tuple[str, str, str]]:
    words = {
        "output": _("Output"),
        "effects": _("Effects"),
        "environment": _("Environment"),
        "command": _("Command"),
        "events": _("Events"),
        "changes": _("Changes"),
    }
    here = reverse("run", args=[run.pk])
    return [(name, here if name == "output" else f"?show={name}", words[name]) for name in parts]


def _effects(page: Page) -> dict[str, Any]:
    return {"effects": page.effects, "records": page.records}


def _changes(page: Page) -> dict[str, Any]:
    since = since_success(page.run, page.then)
    good = line(since.run, page.wall) if since else None
    return {"since": since, "good": good, "changes": since.changes if since else None}


def _output(page: Page) -> dict[str, Any]:
    """Give the lines there are, and the state of what is shown."""
    run = page.run
    reading = Reading(run.pk)
    lines = list(reading.lines()) if page.navigated else []
    times = Times(run, page.wall, page.samples)
    left_out = max(len(lines) - 2 * SHOWN_LINES, 0)
    tail = lines[-SHOWN_LINES:] if left_out else []
    head = lines[:SHOWN_LINES] if left_out else lines
    return {
        "count": len(lines),
        "head": [(one, *times.of(one)) for one in head],
        "hidden": left_out,
        "tail": [(one, *times.of(one)) for one in tail],
        "place": str(reading.place),
        "timed": bool(times.samples),
        "missing": sum(one.left_out for one in lines),
        "quiet": _quiet(run, page.wall),
        "purged": bool(run.output_size) and page.navigated and not lines,
    }


def _quiet(run: Run, wall: Wall) -> str:
    """Say for how long a run that goes on has printed nothing; empty if it is not long."""
    if run.started is None or run.outcome:
        return ""
    try:
        last = output.path(run.pk).stat().st_mtime
    except OSError:
        last = run.started.timestamp()
    silent = wall.now.timestamp() - max(last, run.started.timestamp())
    if silent < QUIET:
        return ""
    return _("quiet for %s") % duration(silent)
