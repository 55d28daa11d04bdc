"""Basic mode: the intervals a form offers, to expressions and back where nothing is lost."""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from billclock.cron.expression import Expression
from billclock.cron.fields import longest, number
from billclock.cron.words.phrase import in_series

# A step means "every N" only where it divides its cycle: */7 starts anew at each full hour.
STEPS_OF_MINUTES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)
STEPS_OF_HOURS = (1, 2, 3, 4, 6, 8, 12)


class IntervalError(ValueError):
    """A value of an interval is missing or wrong: which field, what it held, what it may hold."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        what = "is missing" if value == "" else f"{reprlib.repr(value)} is not possible"
        super().__init__(f"{field}: {what}; give {allowed}")
        self.field = field
        self.value = value
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class EveryMinutes:
    """Every N minutes, counted from the full hour."""

    every: int

    def __post_init__(self) -> None:
        _check("every", self.every, STEPS_OF_MINUTES)


@dataclass(frozen=True, slots=True)
class EveryHours:
    """Every N hours (1: hourly), counted from midnight, at a minute."""

    every: int
    minute: int

    def __post_init__(self) -> None:
        _check("every", self.every, STEPS_OF_HOURS)
        _check("minute", self.minute, range(60))


@dataclass(frozen=True, slots=True)
class Daily:
    """Every day at a time."""

    hour: int
    minute: int

    def __post_init__(self) -> None:
        _check_time(self.hour, self.minute)


@dataclass(frozen=True, slots=True)
class Weekly:
    """Every week on some weekdays (0 is Sunday, 6 Saturday) at a time."""

    weekdays: frozenset[int]
    hour: int
    minute: int

    def __post_init__(self) -> None:
        if not self.weekdays:
            raise IntervalError("weekdays", "", "one or more of 0-6, with commas")
        for day in self.weekdays:
            _check("weekdays", day, range(7))
        _check_time(self.hour, self.minute)


@dataclass(frozen=True, slots=True)
class Monthly:
    """Every month on a day at a time; months that have no such day are passed over."""

    day: int
    hour: int
    minute: int

    def __post_init__(self) -> None:
        _check("day", self.day, range(1, 32))
        _check_time(self.hour, self.minute)


@dataclass(frozen=True, slots=True)
class Yearly:
    """Every year on a date at a time; 29 February comes in leap years only."""

    month: int
    day: int
    hour: int
    minute: int

    def __post_init__(self) -> None:
        _check("month", self.month, range(1, 13))
        _check("day", self.day, range(1, longest(1 << self.month) + 1))
        _check_time(self.hour, self.minute)


@dataclass(frozen=True, slots=True)
class StartUp:
    """Once at each start of the machine."""


Interval = EveryMinutes | EveryHours | Daily | Weekly | Monthly | Yearly | StartUp

_KINDS: dict[str, type[Interval]] = {
    "minutes": EveryMinutes,
    "hours": EveryHours,
    "day": Daily,
    "week": Weekly,
    "month": Monthly,
    "year": Yearly,
    "reboot": StartUp,
}


def to_expression(interval: Interval) -> str:
    """Return the text of the expression that says an interval."""
    match interval:
        case EveryMinutes(every):
            return f"{_step(every)} * * * *"
        case EveryHours(every, minute):
            return f"{minute} {_step(every)} * * *"
        case Daily(hour, minute):
            return f"{minute} {hour} * * *"
        case Weekly(weekdays, hour, minute):
            return f"{minute} {hour} * * {_listed(weekdays)}"
        case Monthly(day, hour, minute):
            return f"{minute} {hour} {day} * *"
        case Yearly(month, day, hour, minute):
            return f"{minute} {hour} {day} {month} *"
        case StartUp():
            return "@reboot"


def from_expression(expression: Expression) -> Interval | None:
    """Return the interval an expression says, or None when it needs Expert mode.

    Nothing is lost: what `to_expression` makes of the interval equals the expression, star flags
    (so the behaviour at clock changes) included.
    """
    for interval in _candidates(expression):
        if Expression.parse(to_expression(interval)) == expression:
            return interval
    return None


def from_form(form: Mapping[str, str]) -> Interval:
    """Return the interval that a form's fields say; fields its kind does not have are not read.

    `run_every` is the kind and decides the others: minutes (every), hours (every, minute),
    day (hour, minute), week (weekdays, hour, minute), month (day, hour, minute), year (month, day,
    hour, minute), reboot (none). All are decimal numbers; `weekdays` are numbers 0-6 with commas.
    Raises IntervalError naming the field and what it may hold.
    """
    run_every = form.get("run_every", "").strip()
    if run_every not in _KINDS:
        raise IntervalError("run_every", run_every, f"one of {', '.join(_KINDS)}")
    kind = _KINDS[run_every]
    values: dict[str, Any] = {field.name: _read(field.name, form) for field in fields(kind)}
    return kind(**values)


def to_form(interval: Interval) -> dict[str, str]:
    """Return the form's fields, `run_every` among them, of which `from_form` makes the interval."""
    run_every = next(name for name, kind in _KINDS.items() if isinstance(interval, kind))
    values = {field.name: getattr(interval, field.name) for field in fields(interval)}
    return {"run_every": run_every} | {
        name: ",".join(map(str, sorted(value))) if name == "weekdays" else str(value)
        for name, value in values.items()
    }


def _candidates(expression: Expression) -> Iterator[Interval]:
    """Propose what each kind could make of an expression's first values; most of it is wrong."""
    if expression.word == "@reboot":
        yield StartUp()
        return
    minute, hour, day, month = (
        _lowest(values)
        for values in (expression.minutes, expression.hours, expression.days, expression.months)
    )
    of_hour = 60 // expression.minutes.bit_count()
    of_day = 24 // expression.hours.bit_count()
    if of_hour in STEPS_OF_MINUTES:
        yield EveryMinutes(of_hour)
    if of_day in STEPS_OF_HOURS:
        yield EveryHours(of_day, minute)
    yield Daily(hour, minute)
    yield Weekly(frozenset(d for d in range(7) if expression.weekdays >> d & 1), hour, minute)
    yield Monthly(day, hour, minute)
    if day <= longest(1 << month):
        yield Yearly(month, day, hour, minute)


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _step(every: int) -> str:
    return "*" if every == 1 else f"*/{every}"


def _listed(weekdays: Collection[int]) -> str:
    series = in_series(sorted(weekdays), shortest_step=8)
    return ",".join(str(one.first) if one.single else f"{one.first}-{one.last}" for one in series)


def _read(field: str, form: Mapping[str, str]) -> int | str | frozenset[int | str]:
    text = form.get(field, "").strip()
    if field != "weekdays":
        return _number(text)
    return frozenset(_number(day.strip()) for day in text.split(",") if day.strip())


def _number(text: str) -> int | str:
    """Read a number; anything else stays text, for the interval refuses it with its range."""
    return number(text) if text.isascii() and text.isdigit() else text


def _check_time(hour: int, minute: int) -> None:
    _check("hour", hour, range(24))
    _check("minute", minute, range(60))


def _check(field: str, value: int, allowed: range | tuple[int, ...]) -> None:
    """Refuse a value that is not among the allowed ones, which are told as a range or a list."""
    if value not in allowed:
        raise IntervalError(field, value, _told(allowed))


def _told(allowed: range | tuple[int, ...]) -> str:
    if isinstance(allowed, range):
        return f"{allowed.start}-{allowed.stop - 1}"
    return f"one of {', '.join(map(str, allowed))}"
