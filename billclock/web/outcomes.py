"""How an outcome looks and reads: icon, word and colour, never one of them alone."""

from django.utils.translation import pgettext_lazy

from billclock.scheduler.models import Outcome
from billclock.web.kit.marks import Mark

RUNNING = Mark("play", "now", pgettext_lazy("outcome", "running"))
WAITING = Mark("clock", "off", pgettext_lazy("outcome", "waiting"))
MARKS: dict[str, Mark] = {
    Outcome.SUCCEEDED: Mark("circle-check", "ok", pgettext_lazy("outcome", "succeeded")),
    Outcome.FAILED: Mark("circle-x", "bad", pgettext_lazy("outcome", "failed")),
    Outcome.TIMED_OUT: Mark("timer-off", "bad", pgettext_lazy("outcome", "timed out")),
    Outcome.STOPPED: Mark("circle-stop", "warn", pgettext_lazy("outcome", "stopped")),
    Outcome.SKIPPED: Mark("skip-forward", "off", pgettext_lazy("outcome", "skipped")),
    Outcome.MISSED: Mark("circle-dashed", "warn", pgettext_lazy("outcome", "missed")),
    Outcome.LOST: Mark("unplug", "bad", pgettext_lazy("outcome", "lost")),
}


def mark(outcome: str, *, started: bool = True) -> Mark:
    """Give the mark of an outcome; the empty one is of a run that goes on or waits to start."""
    if outcome:
        return MARKS[outcome]
    return RUNNING if started else WAITING
