"""Signs of life and what was noticed: the daemon's beat, and incidents a person should know."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta

from billclock import clock
from billclock.scheduler.claims import moment
from billclock.scheduler.clockwatch import boot_id
from billclock.scheduler.models import Beat, Incident

LATE_AFTER = 90  # seconds without a beat after which the engine counts as not running


@dataclass(frozen=True, slots=True)
class Last:
    """What the last daemon of a host left: the moment served last and the start of the machine."""

    served: float
    boot: str


def last(host: str) -> Last | None:
    """Give what is known of the daemon that ran on `host` before, or None for the first."""
    row = Beat.objects.filter(host=host).first()
    return None if row is None else Last(row.served.timestamp(), row.boot)


def beat(host: str, *, served: float, offset: float, stopped: bool = False) -> None:
    """Give a sign of life; `served` is the moment up to which every moment has its slot."""
    values = {
        "pid": os.getpid(),
        "at": clock.now(),
        "served": moment(served),
        "boot": boot_id(),
        "offset": offset,
        "stopped": stopped,
    }
    Beat.objects.update_or_create(host=host, defaults=values)


def clock_was_set(before: float, after: float) -> None:
    """Note that the clock was set, and which way."""
    way = "forward" if after > before else "back"
    by = timedelta(seconds=round(abs(after - before)))
    text = f"The clock was set {way} by {by}, from {_words(before)} to {_words(after)}."
    if way == "back":
        text += " Moments that had their run wait until the clock passes them again."
    Incident.objects.create(kind="clock", at=clock.now(), subject=way, text=text)


def missed(since: float, until: float, count: int, why: str) -> None:
    """Note how many moments went without a run between two moments, and why."""
    text = f"{count} planned moments were missed from {_words(since)} to {_words(until)}: {why}."
    Incident.objects.create(kind="missed", at=clock.now(), text=text)


def _words(seconds: float) -> str:
    local = datetime.fromtimestamp(seconds, clock.server_zone())
    return local.isoformat(" ", "seconds")
