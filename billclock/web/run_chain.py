"""What a run was called for by, and what its own ending called for."""

from collections.abc import Sequence
from dataclasses import dataclass

from billclock.scheduler.models import Run
from billclock.web.kit.marks import Mark
from billclock.web.outcomes import mark
from billclock.web.visible import visible


@dataclass(frozen=True)
class Link:
    """Another run of a chain: its number, its job's title and how it ended; no title: not kept."""

    run: int
    title: str = ""
    mark: Mark | None = None


def cause(run: Run) -> Link | None:
    """Give the run whose ending began this one."""
    if run.cause is None:
        return None
    other = Run.objects.filter(pk=run.cause).select_related("entry").first()
    return Link(run.cause) if other is None else _link(other)


def following(run: Run) -> Sequence[Link]:
    """Give the runs that the ending of this one began, its further attempts too."""
    # the condition names the index
    rows = Run.objects.filter(cause=run.pk, cause__isnull=False).select_related("entry")
    return [_link(other) for other in rows.order_by("attempt")[:50]]


def _link(run: Run) -> Link:
    title = visible(run.entry.description.split("\n")[0] or run.entry.command)
    return Link(run.pk, title, mark(run.outcome, started=run.started is not None))
