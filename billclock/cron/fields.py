"""The five fields and the @words: ranges, names, one field's text as its values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

# A field's text is remembered with its values: a table of 100,000 lines has few distinct fields.
_REMEMBERED = 4096
_ITEM = re.compile(
    r"(?:(?P<star>\*)|(?P<first>[0-9]+|[A-Za-z]{3})(?:-(?P<last>[0-9]+|[A-Za-z]{3}))?)"
    r"(?:/(?P<step>[0-9]+))?"
)
_SUNDAY = 7
_MONTHS_OF_31 = 1 << 1 | 1 << 3 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 12
_MONTHS_OF_30 = 1 << 4 | 1 << 6 | 1 << 9 | 1 << 11
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, its range (both ends included), its values' names from the lowest on."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    remembered: Callable[[str], int] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "remembered", lru_cache(_REMEMBERED)(self.values))

    def values(self, text: str) -> int:
        """Return the values a field's text stands for as a bit mask, 0 when it is not a field.

        Bit n is value n; weekday 7 is Sunday, bit 0. Debian's crontab(5): numbers, names of
        three letters in any case, `*`, lists, ranges, and steps after `*` or a range.
        """
        mask = 0
        for item in text.split(","):
            values = self.item(item)
            if not values:
                return 0
            mask |= values
        return mask

    def item(self, text: str) -> int:
        """Return the values of one item of a list as a bit mask, 0 when it is not an item."""
        match = _ITEM.fullmatch(text)
        if match is None:
            return 0
        star, first, last, step = match.groups()
        if step and not (star or last):
            return 0
        low = self.low if star else self.value(first)
        high = self.high if star else self.value(last or first)
        if low is None or high is None:
            return 0
        return self._span(low, high, number(step) if step else 1)

    def value(self, text: str) -> int | None:
        """Return the value of a number or a name, None when it is neither or out of range."""
        if text[0].isdigit():
            value = number(text)
            return value if self.low <= value <= self.high else None
        name = text.lower()
        return self.low + self.names.index(name) if name in self.names else None

    def _span(self, low: int, high: int, step: int) -> int:
        if not step:
            return 0
        mask = sum(1 << value for value in range(low, high + 1, step))
        if self.high == _SUNDAY:
            mask = (mask | mask >> _SUNDAY) & 0x7F
        return mask


def longest(months: int) -> int:
    """Return how many days the longest of some months (a bit mask) can have: 29, 30 or 31."""
    if months & _MONTHS_OF_31:
        return 31
    return 30 if months & _MONTHS_OF_30 else 29


def days_of(length: int) -> int:
    """Return all days of a month of `length` days as a bit mask."""
    return (2 << length) - 2


def number(digits: str) -> int:
    """Return the value of decimal digits, cut off where it is out of every field's range anyway.

    int() refuses very long texts (over 4,300 digits), which a hostile crontab may hold.
    """
    return int(digits.lstrip("0")[:9] or "0")


MINUTE = Field("minute", 0, 59)
HOUR = Field("hour", 0, 23)
DAY = Field("day-of-month", 1, 31)
MONTH = Field("month", 1, 12, _MONTHS)
WEEKDAY = Field("day-of-week", 0, _SUNDAY, _WEEKDAYS)
FIELDS = (MINUTE, HOUR, DAY, MONTH, WEEKDAY)

# What stands for five fields (crontab(5)); `@reboot` stands for the start of the machine.
WORDS = {
    "@reboot": "",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
