"""The only place that reads the wall clock; everything else is told what time it is."""

import time as _time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

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
    """Give the seconds since the machine started, sleep included; setting the clock moves it not."""
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
