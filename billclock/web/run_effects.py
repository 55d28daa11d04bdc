"""What a billing job did: the figures of its report, and its records by provider and date."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q

from billclock.jobs import registry
from billclock.scheduler import output
from billclock.scheduler.models import Run
from billclock.web.billing_runs import STATES, rows, state
from billclock.web.billing_runs_figures import Figure, figures
from billclock.web.kit.leading import row_of
from billclock.web.kit.marks import Mark
from billclock.web.visible import visible

MOST = 100  # figures and failures that a page shows
_LONGEST = timedelta(days=2)  # that a run is followed while it goes on
_ROUNDED = timedelta(seconds=1)
_LAST = 64 * 1024  # bytes at the end of an output in which its report is looked for


@dataclass(frozen=True)
class Effects:
    """Counts of what was acted on, what failed and why, and figures by name."""

    done: int
    unchanged: int
    failed: Sequence[tuple[str, str]]
    figures: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Record:
    """A billing run that a run of its job began or went on with, its figures with their lists."""

    name: str
    url: str
    mark: Mark
    figures: Sequence[Figure]


def records(run: Run) -> list[Record]:
    """Give the billing runs that were begun, finished or stopped while a run of their job was."""
    job = registry.of_command(run.entry.command)
    if job is None or run.started is None:
        return []
    span = (run.started, (run.finished or run.started + _LONGEST) + _ROUNDED)
    touched = Q(started_at__range=span) | Q(finished_at__range=span)
    found = rows().filter(touched, job=job.name).order_by("on", "pk")
    return [
        Record(one.named, row_of("billing-runs", one.pk), STATES[state(one)], figures(one))
        for one in found[:MOST]
    ]


def effects(run: int) -> Effects | None:
    """Read the report, one object in JSON on the last line of the output; None without one."""
    data = output.read(run, max(output.size(run) - _LAST, 0), limit=_LAST).data
    last = data.rstrip().rpartition(b"\n")[2]
    try:
        told = json.loads(last) if last.startswith(b"{") else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not isinstance(told.get("figures"), dict):
        return None
    return Effects(
        _count(told.get("done")),
        _count(told.get("unchanged")),
        _pairs(told.get("failed")),
        _pairs(told["figures"]),
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _pairs(values: Any) -> list[tuple[str, str]]:
    if not isinstance(values, Mapping):
        return []
    return [(visible(str(name)), visible(_told(value))) for name, value in values.items()][:MOST]


def _told(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
