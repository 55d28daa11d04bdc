"""What the page of one run shows: its facts, its state, and the part of it that is asked for."""

from collections.abc import Callable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billclock.accounts.models import User
from billclock.scheduler import output, samples
from billclock.scheduler.durations import typical
from billclock.scheduler.models import Run
from billclock.web.access import may_run
from billclock.web.history import lately
from billclock.web.run_lines import line
from billclock.web.run_output import Line, Reading
from billclock.web.run_times import Times
from billclock.web.spark import spark
from billclock.web.times import Wall, duration
from billclock.web.visible import visible

SHOWN_LINES = 500  # of the head and of the tail each; the whole is one click away
QUIET = 10.0  # seconds without output that are worth a word


def facts(run: Run, user: User, show: str, *, navigated: bool) -> dict[str, Any]:
    """Give what the page shows of a run; `show` names a part, the output where it is none.

    A page that refreshes itself (not `navigated`) gets its output another way.
    """
    wall = Wall.here()
    parts = _parts()
    show = show if show in parts else "output"
    usual = typical([run.entry_id]).get(run.entry_id)
    context: dict[str, Any] = {
        "line": line(run, wall),
        "spark": spark(lately([run.entry_id]).get(run.entry_id, [])),
        "table": run.entry.table,
        "command": visible(run.entry.command),
        "may_run": may_run(user),
        "going_on": run.started is not None and not run.outcome,
        "usual": usual,
        "usual_words": (duration(usual.mean), duration(usual.p95)) if usual else None,
        "show": show,
        "tabs": _tabs(run),
        **parts[show](run, wall, navigated),
    }
    return context


def _parts() -> Mapping[str, Callable[[Run, Wall, bool], dict[str, Any]]]:
    return {"output": _output}


def _tabs(run: Run) -> list[tuple[str, str, str]]:
    words = {"output": _("Output")}
    here = reverse("run", args=[run.pk])
    return [(name, here if name == "output" else f"?show={name}", words[name]) for name in _parts()]


def _output(run: Run, wall: Wall, navigated: bool) -> dict[str, Any]:
    """Give the lines there are, and the state of what is shown."""
    reading = Reading(run.pk)
    lines = list(reading.lines()) if navigated else []
    times = Times(run, wall, samples.read(output.path(run.pk)))
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
        "quiet": _quiet(run, wall, lines),
        "purged": bool(run.output_size) and navigated and not lines,
    }


def _quiet(run: Run, wall: Wall, lines: list[Line]) -> str:
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
    words = _("quiet for %s") if lines else pgettext("run", "nothing printed for %s")
    return words % duration(silent)
