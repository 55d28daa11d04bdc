"""Pauses: times in which nothing, nothing with a tag, or one entry is not started."""

from datetime import datetime

from django.db.models import Q

from billclock import clock
from billclock.scheduler.models import Pause
from billclock.scheduler.roster import Job

ALL = ""


def scope_of(*, tag: str = "", entry: int | None = None) -> str:
    """Name what a pause holds: all, a tag's entries, or one entry."""
    if entry is not None:
        return f"entry:{entry}"
    return f"tag:{tag}" if tag else ALL


def pause(scope: str, *, actor: str, until: datetime | None = None) -> Pause:
    """Begin a pause, in place of one of the same scope that goes on."""
    resume(scope)
    return Pause.objects.create(scope=scope, since=clock.now(), until=until, actor=actor)


def resume(scope: str) -> int:
    """End the pauses of a scope now; give how many there were."""
    now = clock.now()
    going_on = Pause.objects.filter(Q(until__isnull=True) | Q(until__gt=now), scope=scope)
    return going_on.update(until=now)


class Pauses:
    """The pauses in force, kept in memory because every start asks."""

    def __init__(self) -> None:
        """Begin with none; `load` reads them."""
        self._until: dict[str, datetime | None] = {}

    def load(self) -> None:
        """Read the pauses that are not over."""
        found = Pause.objects.filter(Q(until__isnull=True) | Q(until__gt=clock.now()))
        self._until = {row.scope: row.until for row in found}

    def over(self, job: Job, at: datetime) -> str | None:
        """Give why `job` may not start at this moment, or None when it may."""
        if not self._until:
            return None
        scopes = [ALL, scope_of(entry=job.entry), *map(_tag, job.options.tags)]
        for scope in scopes:
            if scope in self._until:
                until = self._until[scope]
                if until is None or until > at:
                    return f"paused ({scope or 'all jobs'})"
        return None


def _tag(name: str) -> str:
    return scope_of(tag=name)
