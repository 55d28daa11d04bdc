"""The only place that reads the wall clock; everything else is told what time it is."""

import os
import time as _time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_set: ContextVar[tuple[datetime, float] | None] = ContextVar("billclock_clock", default=None)


def now() -> datetime:
    """Give the present moment, aware, in UTC; the moment of `at` inside such a block."""
    given = _set.get()
    return given[0] if given is not None else datetime.now(UTC)  # noqa: TID251


def today(zone: ZoneInfo | None = None) -> date:
    """Give the calendar date of `now` in `zone` (UTC when none is named)."""
    return now().astimezone(zone or UTC).date()


def seconds() -> float:
    """Give `now` as seconds since the epoch."""
    given = _set.get()
    return given[0].timestamp() if given is not None else _time.time()  # noqa: TID251


def since_boot() -> float:
    """Give the seconds since the machine started, its sleep included, whatever the clock says."""
    given = _set.get()
    return given[1] if given is not None else _time.clock_gettime(_time.CLOCK_BOOTTIME)


@contextmanager
def at(moment: datetime, *, since_boot: float | None = None) -> Iterator[None]:
    """Make `moment` (aware) the present inside the block: for simulation and tests.

    The machine's own count goes along with it, unless `since_boot` says that the clock was set.
    """
    if moment.tzinfo is None:
        raise ValueError(f"clock.at needs an aware moment, {moment!r} has no zone")
    count = moment.timestamp() if since_boot is None else since_boot
    token = _set.set((moment.astimezone(UTC), count))
    try:
        yield
    finally:
        _set.reset(token)


def server_zone() -> ZoneInfo:
    """Give the zone in which this machine's crontabs are read: TZ, else what /etc says."""
    for named in (os.environ.get("TZ", "").lstrip(":"), _linked(), _written()):
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):
            if named:
                return ZoneInfo(named)
    return ZoneInfo("UTC")


def _linked() -> str:
    """Read the zone's name off /etc/localtime, a link into the system's zones."""
    return str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]


def _written() -> str:
    """Read the zone's name from Debian's /etc/timezone."""
    with suppress(OSError):
        return Path("/etc/timezone").read_text(encoding="ascii").strip()
    return ""
