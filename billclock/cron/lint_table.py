"""Checks across entries: the same command twice in a minute, crowded minutes, billing jobs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from .expression import Expression
from .findings import NOTE, WARNING, Finding, Subject

_MOST_STARTS = 20
_QUIET = 2
_MOST_MINUTES_TOLD = 10
# Pairs of one command's entries are compared one by one up to this many, beyond it by equality.
_MOST_COMPARED = 50
_DAY = 24 * 60
_MONTH_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Order(NamedTuple):
    """What is worth knowing where one job of the billing set starts before another."""

    first: str
    second: str
    level: str
    message: str


_ORDERS = (
    Order(
        "autosuspend",
        "billdaily",
        NOTE,
        "this is safe: suspension waits for the verdict that billing gives",
    ),
    Order(
        "billdaily",
        "recurring",
        WARNING,
        "services that a stored method would have paid for are billed as unpaid first",
    ),
    Order(
        "payment_generate_postpaid",
        "billdaily",
        WARNING,
        "the month's last charges are then missing from the invoices",
    ),
)


def check_duplicates(subjects: Sequence[Subject]) -> Iterator[Finding]:
    """Report an entry whose command another entry above starts in the same minute."""
    seen: defaultdict[bytes, list[Subject]] = defaultdict(list)
    equal: dict[tuple[bytes, Expression], Subject] = {}
    for subject in subjects:
        command, expression = subject.entry.command.strip(), subject.entry.expression
        above = equal.setdefault((command, expression), subject)
        if above is subject:
            others = seen[command][:_MOST_COMPARED]
            hits = (other for other in others if _meet(other.entry.expression, expression))
            above = next(hits, subject)
            seen[command].append(subject)
        if above is not subject:
            line = subject.entry.line
            message = f"line {above.entry.line} starts the same command in the same minute"
            column, fix = subject.planned.start + 1, subject.switched_off()
            yield Finding(WARNING, "same_minute_twice", line, column, message, fix)


def check_load(subjects: Sequence[Subject]) -> Iterator[Finding]:
    """Report the fullest minutes of the day in which too many entries start, worst first."""
    expressions = Counter(
        subject.entry.expression for subject in subjects if subject.entry.expression.minutes
    )
    starts = [0] * _DAY
    for expression, count in expressions.items():
        for minute in _minutes_of_day(expression):
            starts[minute] += count
    fullest = sorted(range(_DAY), key=lambda minute: (-starts[minute], minute))
    for minute in fullest[:_MOST_MINUTES_TOLD]:
        if starts[minute] <= _MOST_STARTS:
            return
        here = {each: n for each, n in expressions.items() if _starts_at(each, minute)}
        most = _most_on_one_day(here)
        if most > _MOST_STARTS:
            quiet = _nearest_quiet(starts, minute)
            message = (
                f"{most} entries start at {_clock(minute)}; the nearest quiet minute is "
                f"{_clock(quiet)} with {starts[quiet]}"
            )
            first = next(each for each in subjects if _starts_at(each.entry.expression, minute))
            column = first.planned.start + 1
            yield Finding(NOTE, "crowded_minute", first.entry.line, column, message)


def check_jobs(
    commands: Sequence[tuple[int, bytes]], subjects: Sequence[Subject], jobs: Iterable[str]
) -> Iterator[Finding]:
    """Report billing jobs that are missing, listed twice or in an order worth knowing.

    `commands` are line and command of every entry, switched-off ones too: those are not missing.
    A job is found by its words in a command line. A table without any billing job lacks none.
    """
    saying = defaultdict(list)  # a word, to the lines and commands that have it
    for line, command in commands:
        words = command.split()
        for word in dict.fromkeys(words):
            saying[word].append((line, words))
    held = {
        job: [line for line, words in saying[parts[0]] if _holds(words, parts)]
        for job, parts in ((job, job.encode().split()) for job in jobs)
    }
    active = {subject.entry.line: subject for subject in subjects}
    if not any(held.values()):
        return
    last = commands[-1][0]
    for job, lines in held.items():
        running = [line for line in lines if line in active]
        if not lines:
            message = f"the billing job {job} is not in this table"
            yield Finding(NOTE, "billing_job_missing", last, 1, message)
        for line in running[1:]:
            message = f"the billing job {job} is already started by line {running[0]}"
            fix = active[line].switched_off()
            column = active[line].planned.start + 1
            yield Finding(WARNING, "billing_job_twice", line, column, message, fix)
    starts = {
        job: active[line] for job, lines in held.items() for line in lines[:1] if line in active
    }
    yield from _orders(starts)


def _orders(starts: dict[str, Subject]) -> Iterator[Finding]:
    for order in _ORDERS:
        first, second = starts.get(order.first), starts.get(order.second)
        if first is None or second is None:
            continue
        early = min(_minutes_of_day(first.entry.expression), default=_DAY)
        late = min(_minutes_of_day(second.entry.expression), default=0)
        if early < late:
            message = (
                f"{order.first} starts at {_clock(early)}, before {order.second} at "
                f"{_clock(late)}: {order.message}"
            )
            line, column = first.entry.line, first.planned.start + 1
            yield Finding(order.level, "billing_job_order", line, column, message)


def _holds(words: list[bytes], parts: list[bytes]) -> bool:
    size = len(parts)
    return any(words[at : at + size] == parts for at in range(len(words) - size + 1))


def _minutes_of_day(expression: Expression) -> list[int]:
    minutes = [minute for minute in range(60) if expression.minutes >> minute & 1]
    hours = [hour for hour in range(24) if expression.hours >> hour & 1]
    return [hour * 60 + minute for hour in hours for minute in minutes]


def _starts_at(expression: Expression, minute: int) -> bool:
    hour, minute = divmod(minute, 60)
    return bool(expression.hours >> hour & expression.minutes >> minute & 1)


def _meet(one: Expression, other: Expression) -> bool:
    """Tell whether two expressions ever fire in the same minute."""
    if not (one.minutes & other.minutes and one.hours & other.hours):
        return False
    return any(days & _days(other)[at] for at, days in enumerate(_days(one)))


def _most_on_one_day(expressions: Mapping[Expression, int]) -> int:
    """Give how many entries, counted by their expressions, can start on one and the same day."""
    most = 0
    for at in range(len(_MONTH_LENGTHS) * 7):
        counts = [0] * 32
        for expression, count in expressions.items():
            days = _days(expression)[at]
            for day in range(1, 32):
                if days >> day & 1:
                    counts[day] += count
        most = max(most, *counts)
    return most


@lru_cache(maxsize=4096)
def _days(expression: Expression) -> tuple[int, ...]:
    """Give, for each month and weekday, the mask of days on which an expression fires."""
    masks = []
    for month, length in enumerate(_MONTH_LENGTHS, 1):
        whole = (2 << length) - 2 if expression.months >> month & 1 else 0
        for weekday in range(7):
            fits = bool(expression.weekdays >> weekday & 1)
            if expression.day_star or expression.weekday_star:
                days = expression.days if fits else 0
            else:
                days = -1 if fits else expression.days
            masks.append(days & whole)
    return tuple(masks)


def _nearest_quiet(starts: Sequence[int], minute: int) -> int:
    """Give the nearest minute of the day with few starts, later before earlier; else the least."""
    for distance in range(1, _DAY):
        for other in (minute + distance, minute - distance):
            if 0 <= other < _DAY and starts[other] <= _QUIET:
                return other
    return min(range(_DAY), key=lambda other: starts[other])


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
