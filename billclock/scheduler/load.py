"""How many entries start in each minute of a stretch of time, where it peaks, where it is quiet."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from billclock.cron.expression import Expression
from billclock.scheduler.changes import changes

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
MINUTES_OF_DAY = 24 * 60
NEAR = 60  # minutes around a wished one among which a quiet one is looked for

Schedules: TypeAlias = Mapping[tuple[Expression, tzinfo], int]
"""How many entries have each schedule: entries of one expression and zone count together."""


class Peak(NamedTuple):
    """The fullest minute: the first of those with so many starts."""

    at: datetime
    starts: int


@dataclass(frozen=True)
class Load:
    """The starts of each minute from `start` (UTC, a whole minute) on."""

    start: datetime
    counts: Sequence[int]

    @cached_property
    def total(self) -> int:
        """Count all starts."""
        return sum(self.counts)

    @cached_property
    def peak(self) -> Peak | None:
        """Give the fullest minute, None where nothing starts."""
        most = max(self.counts, default=0)
        return Peak(self.start + self.counts.index(most) * MINUTE, most) if most else None

    def fullest(self, parts: int) -> list[int]:
        """Part the time evenly, and give each part's fullest minute."""
        bounds = [part * len(self.counts) // parts for part in range(parts + 1)]
        return [
            max(self.counts[low : max(high, low + 1)], default=0) for low, high in pairwise(bounds)
        ]

    def of_days(self, zone: tzinfo) -> Counter[date]:
        """Count the starts of each day of a zone."""
        found: Counter[date] = Counter()
        at, offset = self.start, 0
        while offset < len(self.counts):
            day = at.astimezone(zone).date()
            midnight = datetime.combine(day + DAY, time(), zone).astimezone(UTC)
            size = max(-(-(midnight - at) // MINUTE), 1)
            found[day] += sum(self.counts[offset : offset + size])
            at, offset = at + size * MINUTE, offset + size
        return found

    def plus(self, other: "Load") -> "Load":
        """Give both together; they are of the same minutes."""
        return Load(self.start, [a + b for a, b in zip(self.counts, other.counts, strict=True)])


def load(schedules: Schedules, start: datetime, end: datetime) -> Load:
    """Count the starts of every minute from `start` until before `end` (both aware)."""
    # the first whole minute at or after the start
    begin = (start.astimezone(UTC) + MINUTE - datetime.resolution).replace(second=0, microsecond=0)
    counts = [0] * max(-(-(end.astimezone(UTC) - begin) // MINUTE), 0)
    zones: defaultdict[tzinfo, list[tuple[Expression, int]]] = defaultdict(list)
    for (expression, zone), count in schedules.items():
        if expression.minutes:
            zones[zone].append((expression, count))
    for zone, entries in zones.items():
        for minute, starts in _starts(entries, zone, begin, begin + len(counts) * MINUTE):
            counts[minute] += starts
    return Load(begin, counts)


def quiet(schedules: Schedules, wished: int, now: datetime) -> tuple[int, int]:
    """Give the minute of the day nearest to a wished one that has the fewest starts, and these.

    Counted are the most starts that it has on any day of the week from `now` on, in the zone of
    `now`; minutes of the day count from midnight.
    """
    begin = datetime.combine(now.date() + DAY, time(), now.tzinfo)
    found = load(schedules, begin, begin + 7 * DAY)
    most = [0] * MINUTES_OF_DAY
    for place, starts in enumerate(found.counts):
        at = place % MINUTES_OF_DAY
        most[at] = max(most[at], starts)
    near = ((wished + d) % MINUTES_OF_DAY for d in range(-NEAR, NEAR + 1))
    best = min(near, key=lambda minute: (most[minute], _apart(minute, wished), minute))
    return best, most[best]


def _apart(one: int, other: int) -> int:
    """Give the distance of two minutes of the day."""
    distance = abs(one - other)
    return min(distance, MINUTES_OF_DAY - distance)


def _starts(
    entries: Sequence[tuple[Expression, int]], zone: tzinfo, begin: datetime, end: datetime
) -> Iterator[tuple[int, int]]:
    """Give minutes from `begin` and starts in them; near a clock change moment by moment."""
    odd = {change.low.date() + d * DAY for change in changes(zone, begin - 2 * DAY, end + 2 * DAY)
           for d in (-1, 0, 1)}  # fmt: skip
    patterns = _patterns(entries)
    size = (end - begin) // MINUTE
    day = begin.astimezone(zone).date()
    while (midnight := datetime.combine(day, time(), zone)).astimezone(UTC) < end:
        if day in odd:
            yield from _one_by_one(entries, midnight, begin, end)
        else:
            first = (midnight.astimezone(UTC) - begin) // MINUTE
            for expression, minutes in patterns:
                if expression.matches_day(day):
                    for minute, starts in minutes:
                        if 0 <= first + minute < size:
                            yield first + minute, starts
        day += DAY


def _one_by_one(
    entries: Sequence[tuple[Expression, int]], midnight: datetime, begin: datetime, end: datetime
) -> Iterator[tuple[int, int]]:
    next_midnight = datetime.combine(midnight.date() + DAY, time(), midnight.tzinfo)
    since = max(midnight.astimezone(UTC), begin).astimezone(midnight.tzinfo)
    until = min(next_midnight.astimezone(UTC), end).astimezone(midnight.tzinfo)
    for expression, count in entries:
        for moment in expression.between(since, until):
            yield (moment.astimezone(UTC) - begin) // MINUTE, count


def _patterns(
    entries: Sequence[tuple[Expression, int]],
) -> list[tuple[Expression, list[tuple[int, int]]]]:
    """Add up the entries that run on the same days: minutes of the day and starts in them."""
    found: defaultdict[tuple[object, ...], Counter[int]] = defaultdict(Counter)
    days: dict[tuple[object, ...], Expression] = {}
    for expression, count in entries:
        # Debian's rule of days (matches_day) looks at these alone
        key = (
            *(expression.days, expression.months, expression.weekdays),
            *(expression.day_star, expression.weekday_star),
        )
        days.setdefault(key, expression)
        minutes = found[key]
        for minute in minutes_of_day(expression.minutes, expression.hours):
            minutes[minute] += count
    return [(days[key], list(minutes.items())) for key, minutes in found.items()]


@lru_cache(maxsize=1024)
def minutes_of_day(minutes: int, hours: int) -> tuple[int, ...]:
    """Give the minutes of the day that two fields' bit masks name."""
    each = [minute for minute in range(60) if minutes >> minute & 1]
    return tuple(hour * 60 + m for hour in range(24) if hours >> hour & 1 for m in each)
