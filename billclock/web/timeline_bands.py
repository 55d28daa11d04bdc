"""Stretches of a timeline that stand out: pauses, hours that come twice or are left out."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from billclock.scheduler.models import Pause
from billclock.scheduler.pauses import scope_of
from billclock.web.timeline_lanes import Band, Lane
from billclock.web.timeline_plan import Job
from billclock.web.timeline_range import Range


def pauses(span: Range, drawn: Sequence[tuple[Lane, Sequence[Job]]]) -> list[Band]:
    """Give the pauses of all jobs, and put the others into the lanes they are of: one query.

    A lane of several jobs is paused where every one of them is.
    """
    found = Pause.objects.filter(Q(until=None) | Q(until__gt=span.begin), since__lt=span.close)
    over = []
    for pause in found.order_by("since"):
        band = _paused(pause, span)
        if not pause.scope:
            over.append(band)
            continue
        for lane, members in drawn:
            if members and all(pause.scope in _scopes(job) for job in members):
                lane.paused.append(band)
    return over


def changes(span: Range) -> Iterator[Band]:
    """Give the hours that come twice, and the places where one is left out."""
    for change in span.changes:
        length = change.high - change.low
        texts = {"low": f"{change.low:%H:%M}", "high": f"{change.high:%H:%M}"}
        if change.skipped:
            if span.begin <= change.at < span.close:
                label = _("%(low)s to %(high)s is left out") % texts
                yield Band(span.left(change.at), "0.15%", "torn", label)
        else:
            since, until = max(change.at - length, span.begin), min(change.at + length, span.close)
            if since < until:
                yield _band(
                    span, since, until, "twice", _("%(low)s to %(high)s comes twice") % texts
                )


def _paused(pause: Pause, span: Range) -> Band:
    label = _("paused")
    if pause.until is not None:
        label = _("paused until %s") % span.wall.within(pause.until)
    since, until = max(pause.since, span.begin), min(pause.until or span.close, span.close)
    over = pause.until is not None and pause.until <= span.now
    return _band(span, since, until, "paused over" if over else "paused", label)


def _scopes(job: Job) -> set[str]:
    """Give the scopes a pause of the job may have, beside that of all."""
    own = {scope_of(entry=job.key)} if job.key is not None else set()
    return own | {scope_of(tag=tag) for tag in job.planned.tags}


def _band(span: Range, since: datetime, until: datetime, kind: str, label: str) -> Band:
    return Band(span.left(since), span.width(until - since), kind, label)
