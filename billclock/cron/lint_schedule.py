"""Checks of an entry's schedule: runs nobody meant, uneven steps, days, the next clock change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

from . import zones
from .directives import known_zone
from .expression import Expression
from .findings import NOTE, WARNING, Finding, Subject

_ALL_MINUTES = (1 << 60) - 1
_NAMES = ("minute", "hour", "day-of-month", "month", "day-of-week")
_SIZES = (60, 24, 31, 12, 7)
_FIRST = (0, 0, 1, 1, 0)
_STEP = re.compile(r"(?:(\*)|(\d+)-(\d+))/(\d+)")
_HOUR, _DAY, _WEEKDAY = 1, 2, 4
_LOOK_AHEAD = 370


class Change(NamedTuple):
    """A clock change: wall-clock times from start to end (half-open) skipped or repeated."""

    start: datetime
    end: datetime
    skipped: bool


class _Step(NamedTuple):
    """What is to say about an item's step, and the item as it may have been meant."""

    level: str
    code: str
    message: str
    mend: str


class SixtyRuns(NamedTuple):
    """A minute `*` with a fixed hour: what it does, and the schedule that runs once."""

    message: str
    fix: str


def every_minute(expression: Expression) -> SixtyRuns | None:
    """Tell of a schedule that runs in every minute of an hour that is given as a number."""
    fields = expression.text.split()
    if expression.minutes != _ALL_MINUTES or expression.word:
        return None
    if not re.fullmatch(r"[\d,]+", fields[_HOUR]):
        return None
    hour = int(fields[_HOUR].split(",")[0])
    message = (
        f"minute * runs every minute from {hour:02}:00 to {hour:02}:59, 60 times; "
        f"for {hour:02}:00 alone write 0"
    )
    return SixtyRuns(message, " ".join(["0", *fields[1:]]))


def check_schedule(subject: Subject) -> Iterator[Finding]:
    """Report what an entry's five fields probably do not mean; @words are never in doubt."""
    expression = subject.entry.expression
    if expression.word:
        return
    fields = expression.text.split()
    yield from _sixty_runs(subject, expression)
    for at in range(len(fields)):
        yield from _steps(subject, fields, at)
    yield from _days(subject, expression)


def check_clock_change(
    subject: Subject, at: datetime, zone: tzinfo | str | None
) -> Iterator[Finding]:
    """Report a fixed time that the next clock change, within a year of `at`, skips or repeats."""
    expression = subject.entry.expression
    if expression.minute_star or expression.hour_star or expression.word == "@reboot":
        return
    name = subject.directives.get("zone") or subject.environment.get("CRON_TZ") or zone
    change = _next_change(at, name) if name else None
    moment = _first_within(expression, change) if change else None
    if change is None or moment is None:
        return
    day = f"{change.start:%Y-%m-%d}"
    if change.skipped:
        message = f"{moment:%H:%M} is skipped on {day}: it runs once at {change.end:%H:%M} instead"
    else:
        message = f"{moment:%H:%M} comes twice on {day}: it runs the first time only"
    yield Finding(NOTE, "clock_change", subject.entry.line, subject.planned.start + 1, message)


def _column(subject: Subject, at: int) -> int:
    words = list(re.finditer(r"\S+", subject.entry.expression.text))
    return subject.planned.start + words[at].start() + 1


def _sixty_runs(subject: Subject, expression: Expression) -> Iterator[Finding]:
    found = every_minute(expression)
    if found:
        fix = subject.with_expression(found.fix)
        line, column = subject.entry.line, _column(subject, 0)
        yield Finding(WARNING, "every_minute_of_hour", line, column, found.message, fix)


def _steps(subject: Subject, fields: list[str], at: int) -> Iterator[Finding]:
    for item in fields[at].split(","):
        step = _step(item, at)
        if step is None:
            continue
        fix = None
        if step.mend and at not in (_DAY, _WEEKDAY):
            mended = [step.mend if other == item else other for other in fields[at].split(",")]
            others = [*fields[:at], ",".join(mended), *fields[at + 1 :]]
            fix = subject.with_expression(" ".join(others))
        line, column = subject.entry.line, _column(subject, at)
        yield Finding(step.level, step.code, line, column, step.message, fix)


def _step(item: str, at: int) -> _Step | None:
    """Judge one item with a step, in the field at a place, or give None."""
    found = _STEP.fullmatch(item)
    if found is None:
        return None
    low = _FIRST[at] if found[1] else int(found[2])
    span = _SIZES[at] if found[1] else int(found[3]) - low + 1
    step = int(found[4])
    if step >= span > 1:
        message = f"{item} means {low} and nothing else: the step is as long as the range"
        return _Step(WARNING, "step_past_range", message, str(low))
    if span == _SIZES[at] and (span % step or (at == _DAY and step > 1)):
        message = f"{item} in {_NAMES[at]} starts anew from {low}: the last gap is shorter"
        return _Step(NOTE, "uneven_step", message, f"*/{_nearest_divisor(step, span)}")
    return None


def _nearest_divisor(step: int, span: int) -> int:
    divisors = [number for number in range(1, span) if span % number == 0]
    return min(divisors, key=lambda number: abs(number - step))


def _days(subject: Subject, expression: Expression) -> Iterator[Finding]:
    fields = expression.text.split()
    if "*" in (fields[_DAY], fields[_WEEKDAY]):
        return
    if expression.day_star or expression.weekday_star:
        code = "day_and_weekday"
        message = "a day field begins with *: the day of the month and the weekday must both match"
    else:
        code = "day_or_weekday"
        message = "day of the month and weekday are both given: it runs when either matches"
    yield Finding(NOTE, code, subject.entry.line, _column(subject, _DAY), message)


@lru_cache(maxsize=256)
def _next_change(at: datetime, named: tzinfo | str) -> Change | None:
    """Find the first change of a zone's offset within a year; a naive `at` is in that zone."""
    if isinstance(named, str) and not known_zone(named):
        return None
    zone = zones.named(named) if isinstance(named, str) else named
    start = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    start = start.replace(second=0, microsecond=0)
    for day in range(_LOOK_AHEAD):
        low, high = start + timedelta(days=day), start + timedelta(days=day + 1)
        if _offset(low, zone) != _offset(high, zone):
            return _change(low, high, zone)
    return None


def _change(low: datetime, high: datetime, zone: tzinfo) -> Change:
    before, after = _offset(low, zone), _offset(high, zone)
    minute = timedelta(minutes=1)
    while high - low > minute:
        middle = low + (high - low) // minute // 2 * minute
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    moment = high.replace(tzinfo=None)
    start, end = sorted((moment + before, moment + after))
    return Change(start, end, skipped=after > before)


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _first_within(expression: Expression, change: Change) -> datetime | None:
    """Give the first wall-clock minute of a change at which an expression matches."""
    moment = change.start
    while moment < change.end:
        if expression.hours >> moment.hour & 1 == 0:
            moment = (moment + timedelta(hours=1)).replace(minute=0)
        elif expression.matches(moment):
            return moment
        else:
            moment += timedelta(minutes=1)
    return None
