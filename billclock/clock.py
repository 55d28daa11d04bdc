"""The only place that reads the wall clock; everything else is told what time it is."""

import os
import time as _time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_set: ContextVar[datetime | None] = ContextVar("billclock_clock", default=None)


def now() -> datetime:
    """Give the present moment, aware, in UTC; the moment of `at` inside such a block."""
    moment = _set.get()
    return moment if moment is not None else datetime.now(UTC)  # noqa: TID251


def today(zone: ZoneInfo | None = None) -> date:
    """Give the calendar date of `now` in `zone` (UTC when none is named)."""
    return now().astimezone(zone or UTC).date()


def seconds() -> float:
    """Give `now` as seconds since the epoch."""
    moment = _set.get()
    return moment.timestamp() if moment is not None else _time.time()  # noqa: TID251


def since_boot() -> float:
    """Give the seconds since the machine started, its sleep included, whatever the clock says."""
    return _time.clock_gettime(_time.CLOCK_BOOTTIME)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Make `moment` (aware) the present inside the block: for simulation and tests."""
    if moment.tzinfo is None:
        raise ValueError(f"clock.at needs an aware moment, {moment!r} has no zone")
    token = _set.set(moment.astimezone(UTC))
    try:
        yield
    finally:
        _set.reset(token)


def server_zone() -> ZoneInfo:
    """Give the zone in which this machine's crontabs are read (TZ, else /etc/localtime)."""
    named = os.environ.get("TZ", "").lstrip(":")
    place = Path("/etc/localtime")
    if not named and place.is_symlink():
        named = str(place.resolve()).partition("/zoneinfo/")[2]
    try:
        return ZoneInfo(named or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
