"""How an outcome looks and reads: icon, word and colour, never one of them alone."""

from dataclasses import dataclass

from django.utils.translation import pgettext

from billclock.scheduler.models import Outcome


@dataclass(frozen=True)
class Mark:
    """An outcome's icon (a name of the sprite), its kind (a class of the kit) and its word."""

    icon: str
    kind: str
    word: str


def mark(outcome: str, *, started: bool = True) -> Mark:
    """Give the mark of an outcome; the empty one is of a run that goes on or waits to start."""
    if not outcome:
        if started:
            return Mark("play", "now", pgettext("outcome", "running"))
        return Mark("clock", "off", pgettext("outcome", "waiting"))
    icon, kind, word = {
        Outcome.SUCCEEDED: ("circle-check", "ok", pgettext("outcome", "succeeded")),
        Outcome.FAILED: ("circle-x", "bad", pgettext("outcome", "failed")),
        Outcome.TIMED_OUT: ("timer-off", "bad", pgettext("outcome", "timed out")),
        Outcome.STOPPED: ("circle-stop", "warn", pgettext("outcome", "stopped")),
        Outcome.SKIPPED: ("skip-forward", "off", pgettext("outcome", "skipped")),
        Outcome.MISSED: ("circle-dashed", "warn", pgettext("outcome", "missed")),
        Outcome.LOST: ("unplug", "bad", pgettext("outcome", "lost")),
    }[Outcome(outcome)]
    return Mark(icon, kind, word)
