"""What is wrong with one item of a field's list, and how it was probably meant."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import NamedTuple

from .fields import DAY, HOUR, MINUTE, WEEKDAY, Field, number


class Fault(NamedTuple):
    """A fault: its place in the item (from 0), the reason, the item as it was probably meant.

    The mended item may have a further fault; it is empty where nothing can be guessed.
    """

    offset: int
    reason: str
    mend: str


class _Dialect(NamedTuple):
    spelling: re.Pattern[str]
    reason: str
    mend: str


def _dialect(spelling: str, reason: str, mend: str) -> _Dialect:
    return _Dialect(re.compile(spelling, re.IGNORECASE), reason, mend)


# Other programs' spellings, and the nearest a crontab has; LOW is the field's first value.
_DIALECTS = (
    _dialect(r"\?", "? is Quartz; a crontab writes *", "*"),
    _dialect(r"[HR]/([0-9]+)", "H and R are Jenkins; choose the values yourself", r"*/\1"),
    _dialect(
        r"[HR]\(([0-9]+)-([0-9]+)\)(/[0-9]+)", "H and R are Jenkins; choose the values", r"\1-\2\3"
    ),
    _dialect(r"[HR]\(([0-9]+)-[0-9]+\)", "H and R are Jenkins; choose a value", r"\1"),
    _dialect(r"[HR]", "H and R are Jenkins; choose a value", "LOW"),
    _dialect(
        r"([0-9]+)~[0-9]*(?:/[0-9]+)?", "~ (a random value) is not crontab; choose one", r"\1"
    ),
    _dialect(r"~[0-9]*(?:/[0-9]+)?", "~ (a random value) is not crontab; choose one", "LOW"),
    _dialect(
        r"([0-9]|[a-z]{3})#\S*",
        "# (the nth weekday) is not crontab; test the day of the month in the command",
        r"\1",
    ),
    _dialect(
        r"([0-9]+)W", "W (the nearest working day) is not crontab; test it in the command", r"\1"
    ),
)
_LAST = re.compile(r"L(?:W|-[0-9]+)?|([0-9]|[a-z]{3})L", re.IGNORECASE)
_LAST_REASON = "L (the last) is not crontab; test the day of the month in the command"


_PARTS = re.compile(
    r"(?P<first>\*|[0-9]+|[A-Za-z]+)?"
    r"(?:(?P<dash>-)(?P<last>[0-9]+|[A-Za-z]+)?)?"
    r"(?:(?P<slash>/)(?P<step>[0-9]+)?)?"
)
_LONGEST_SHOWN = 20
_SATURDAY = 6


def item_fault(field: Field, item: str) -> Fault:
    """Return the first fault of an item that is none of the field's."""
    if not item:
        return Fault(0, "an empty item in a list", "")
    parts = _PARTS.match(item)
    if parts is None:
        raise AssertionError("every part of the pattern may be absent")
    return (
        _dialect_fault(field, item)
        or _first_fault(field, item, parts)
        or _last_fault(field, item, parts)
        or _step_fault(item, parts)
        or _tail_fault(item, parts)
        or _single_fault(field, parts)
        or _reversed_fault(field, parts)
    )


def _dialect_fault(field: Field, item: str) -> Fault | None:
    last = _LAST.fullmatch(item)
    if last and field is DAY:
        return Fault(0, _LAST_REASON, "28-31")
    if last and field is WEEKDAY:
        return Fault(0, _LAST_REASON, last[1] or "sat")
    for dialect in _DIALECTS:
        match = dialect.spelling.fullmatch(item)
        if match:
            mend = match.expand(dialect.mend).replace("LOW", str(field.low))
            return Fault(0, dialect.reason, mend)
    return None


def _first_fault(field: Field, item: str, parts: re.Match[str]) -> Fault | None:
    first = parts["first"]
    if first is None:
        if item[0] in "+-":
            return Fault(0, "a number has no sign", item.lstrip("+-"))
        return Fault(0, f"{item[0]!r} is not a number, a name or *", "")
    if first == "*":
        return _after_star(item, parts) if parts["dash"] else None
    return _value_fault(field, item, parts, "first")


def _after_star(item: str, parts: re.Match[str]) -> Fault:
    return Fault(parts.start("dash"), "* is no end of a range", item[: parts.start("dash")])


def _last_fault(field: Field, item: str, parts: re.Match[str]) -> Fault | None:
    if parts["dash"] is None:
        return None
    if parts["last"] is not None:
        return _value_fault(field, item, parts, "last")
    end = parts.end("dash")
    if item[end : end + 1] in ("-", "+"):
        return Fault(end, "a number has no sign", item[:end] + item[end:].lstrip("+-"))
    return Fault(end, "the end of the range is missing", parts["first"])


def _value_fault(field: Field, item: str, parts: re.Match[str], which: str) -> Fault | None:
    text = parts[which]
    if field.value(text) is not None:
        return None
    at = parts.start(which)
    if text[0].isdigit():
        shown = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
        reason = f"{shown} is out of range {field.low}-{field.high}"
        return Fault(at, reason, _into_range(field, parts))
    short = text[:3].lower()
    if short in field.names:
        mend = item[:at] + short + item[parts.end(which) :]
        return Fault(at, f"{text!r} is too long; names have three letters", mend)
    if not field.names:
        return Fault(at, f"{text!r} is not a number from {field.low} to {field.high}", "")
    close = get_close_matches(short, field.names, 1)
    known = ", ".join(field.names)
    mend = item[:at] + close[0] + item[parts.end(which) :] if close else ""
    return Fault(at, f"{text!r} is not one of {known}", mend)


def _into_range(field: Field, parts: re.Match[str]) -> str:
    """Return an item moved into the field's range; months from 0 count from zero, 24:00 is 0:00."""
    ends = [number(text) if text[0].isdigit() else field.value(text) for text in _ends(parts)]
    shift = 1 if ends[0] == 0 < field.low else 0
    if field in (MINUTE, HOUR) and ends == [field.high + 1]:
        return "0"
    moved = [min(max((end or 0) + shift, field.low), field.high) for end in ends]
    if moved[0] == moved[-1]:
        return str(moved[0])
    step = f"/{parts['step']}" if parts["step"] else ""
    return f"{moved[0]}-{moved[-1]}{step}"


def _ends(parts: re.Match[str]) -> list[str]:
    return [parts[which] for which in ("first", "last") if parts[which]]


def _step_fault(item: str, parts: re.Match[str]) -> Fault | None:
    if parts["slash"] is None:
        return None
    without = item[: parts.start("slash")]
    if parts["step"] is None:
        end = parts.end("slash")
        if item[end : end + 1].isalpha():
            return Fault(end, "no step after /; a command seems to start here", without)
        return Fault(end, "the step after / is missing", without)
    if number(parts["step"]) == 0:
        return Fault(parts.start("step"), "a step of 0 never moves on", without)
    return None


def _tail_fault(item: str, parts: re.Match[str]) -> Fault | None:
    end = parts.end()
    if end == len(item):
        return None
    head, tail = item[:end], item[end:]
    mend = f"*/{tail}" if head == "*" and tail.isdecimal() else head
    return Fault(end, f"{tail[0]!r} may not follow {head!r}", mend)


def _single_fault(field: Field, parts: re.Match[str]) -> Fault | None:
    """Return the fault of N/S, which others read as "from N on, every S"."""
    first = parts["first"]
    if parts["slash"] is None or parts["last"] or first == "*":
        return None
    mend = f"{first}-{field.high}/{parts['step']}"
    return Fault(parts.start("slash"), f"a step needs * or a range before it, not {first}", mend)


def _reversed_fault(field: Field, parts: re.Match[str]) -> Fault:
    """Return the fault of a range that ends before it starts, mended into two ranges."""
    first, last = parts["first"], parts["last"]
    step = f"/{parts['step']}" if parts["step"] else ""
    mended = ",".join(
        (_range(first, _top(field, first), step), _range(_bottom(field, last), last, step))
    )
    return Fault(0, f"the range {first}-{last} ends before it starts", mended)


def _range(first: str, last: str, step: str) -> str:
    return first if first.lower() == last.lower() else f"{first}-{last}{step}"


def _top(field: Field, like: str) -> str:
    """Return the highest value of a field, as a name where `like` is one; a week ends on day 6."""
    if like.isdigit():
        return "6" if field is WEEKDAY and number(like) <= _SATURDAY else str(field.high)
    return field.names[-1]


def _bottom(field: Field, like: str) -> str:
    return str(field.low) if like.isdigit() else field.names[0]
