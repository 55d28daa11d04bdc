"""Where a zone's clocks change between two moments, and which entries feel it; pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from billclock.cron import wall
from billclock.cron.expression import Expression
from billclock.cron.zones import stretch_at


class Change(NamedTuple):
    """A clock change: when (UTC), and the wall time it skips or repeats, `low` until `high`."""

    at: datetime
    low: datetime
    high: datetime
    skipped: bool


def changes(zone: tzinfo, start: datetime, end: datetime) -> Iterator[Change]:
    """Iterate over a zone's clock changes after `start` and before `end`, both aware."""
    # zones.py labels readings of a UTC clock with the zone
    since = start.astimezone(UTC).replace(tzinfo=zone)
    until = end.astimezone(UTC).replace(tzinfo=zone)
    stretch = stretch_at(since)
    while stretch.end < until:
        stretch = stretch_at(stretch.end)
        if stretch.jump:
            low, high = sorted((stretch.opens - stretch.jump, stretch.opens))
            skipped = stretch.jump > timedelta()
            bounds = (low.replace(tzinfo=None), high.replace(tzinfo=None))
            yield Change(stretch.start.replace(tzinfo=UTC), *bounds, skipped)


def met(expression: Expression, change: Change) -> datetime | None:
    """Give the first wall time of a fixed schedule that a change skips or repeats, None without.

    A schedule whose minute or hour begins with `*` follows real time, and is never met.
    """
    if expression.minute_star or expression.hour_star or not expression.minutes:
        return None
    return wall.first(expression, change.low, change.high)
