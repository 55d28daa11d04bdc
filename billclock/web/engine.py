"""What the daemon is doing, told from its last sign of life, and what to do about it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from billclock.scheduler.models import Beat, Pause
from billclock.web.times import Wall, span

LATE_AFTER = 45.0  # seconds: an idle daemon gives a sign of life every 30
DOWN_AFTER = 300.0


class State(StrEnum):
    """The daemon's states; `elsewhere` is another cron that runs the jobs."""

    RUNNING = "running"
    PAUSED = "paused"
    LATE = "late"
    DOWN = "not running"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Engine:
    """The daemon as last seen: `age` in seconds since its last tick, None if it never ticked."""

    state: State
    age: float | None = None
    paused_until: datetime | None = None

    @property
    def word(self) -> str:
        """Name the state."""
        return {
            State.RUNNING: _("Running"),
            State.PAUSED: _("Paused"),
            State.LATE: _("Late by %s") % span(self.age or 0),
            State.DOWN: _("Not running"),
            State.ELSEWHERE: _("Another cron runs these"),
        }[self.state]

    def detail(self, wall: Wall) -> str:
        """Say when it last ticked, or until when it is paused."""
        if self.state is State.PAUSED:
            if self.paused_until is None:
                return _("until somebody resumes it")
            return _("until %s") % wall.within(self.paused_until)
        if self.state is State.ELSEWHERE:
            return "BILLCLOCK_RUNS=no"
        if self.age is None:
            return _("it has never run here")
        return _("last tick %s ago") % span(self.age)

    @property
    def mend(self) -> str:
        """Say what to do where something is wrong, else nothing."""
        return {
            State.LATE: _("The machine is overloaded or the scheduler hangs: see its log."),
            State.DOWN: _("No job starts. Start it with ./run, or billclock scheduler alone."),
        }.get(self.state, "")


def engine(now: datetime) -> Engine:
    """Look at the last beat of any host and at the pauses: two queries."""
    if not settings.RUNS:
        return Engine(State.ELSEWHERE)
    beat = Beat.objects.order_by("-at").first()
    everything = Pause.objects.filter(scope="", since__lte=now)
    pause = everything.filter(Q(until=None) | Q(until__gt=now)).first()
    if beat is None:
        return Engine(State.DOWN)
    age = max((now - beat.at).total_seconds(), 0.0)
    if beat.stopped or age > DOWN_AFTER:
        return Engine(State.DOWN, age)
    if age > LATE_AFTER:
        return Engine(State.LATE, age)
    if pause is not None:
        return Engine(State.PAUSED, age, pause.until)
    return Engine(State.RUNNING, age)
