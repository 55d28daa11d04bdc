"""A cron expression: five parsed fields, or one of the @words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from . import occurrences
from .describe import describe
from .errors import CronError
from .fields import FIELDS, WORDS, days_of, longest
from .refusals import explain, settled

_COMMON_DAYS = days_of(28)
_READ = tuple(each.values for each in FIELDS)
_REMEMBERED = tuple(each.remembered for each in FIELDS)
# A hostile crontab's long fields are not worth keeping.
_LONGEST_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Expression:
    """When an entry runs, as Debian's crontab(5) means it.

    The fields' values are bit masks (bit n is value n; weekday bit 0 is Sunday). The star flags
    say that a field's text begins with `*`, which decides how the two day fields combine and what
    a clock change does. Two expressions are equal when values and flags are, whatever their text.
    `@reboot` has no values: it matches no moment.
    """

    text: str = field(compare=False)
    word: str | None = field(compare=False)
    minutes: int
    hours: int
    days: int
    months: int
    weekdays: int
    minute_star: bool
    hour_star: bool
    day_star: bool
    weekday_star: bool

    @classmethod
    def parse(cls, text: str) -> Expression:
        """Read an expression, or raise CronError with place, reason and a suggestion that parses.

        Blanks and tabs may stand around it; nothing else that is invisible may stand anywhere.
        """
        try:
            return cls._read(text)
        except CronError as error:
            raise settled(error, cls._read) from None

    @classmethod
    def _read(cls, text: str) -> Expression:
        plain = text if text.isprintable() else text.replace("\t", " ")
        parts = plain.split() if plain.isprintable() else []
        word = None
        if len(parts) == 1 and parts[0] in WORDS:
            word = parts[0]
            parts = WORDS[word].split()
            if not parts:
                return cls(text, word, 0, 0, 0, 0, 0, False, False, False, False)
        if len(parts) != len(FIELDS):
            raise explain(text)
        minute, hour, day, month, weekday = parts
        to_minutes, to_hours, to_days, to_months, to_weekdays = (
            _REMEMBERED if len(text) <= _LONGEST_REMEMBERED else _READ
        )
        expression = cls(
            text,
            word,
            to_minutes(minute),
            to_hours(hour),
            to_days(day),
            to_months(month),
            to_weekdays(weekday),
            minute[0] == "*",
            hour[0] == "*",
            day[0] == "*",
            weekday[0] == "*",
        )
        if not expression._ever_runs():
            raise explain(text)
        return expression

    def _ever_runs(self) -> bool:
        """Tell whether every field is one (else it has no values) and any date is right.

        Each date, even 29 February, comes on every weekday.
        """
        if not (self.minutes and self.hours and self.days and self.months and self.weekdays):
            return False
        if self.days & _COMMON_DAYS or not (self.day_star or self.weekday_star):
            return True
        return bool(self.days & days_of(longest(self.months)))

    @property
    def fields(self) -> tuple[str, ...]:
        """The texts of the five fields, a word's spelled out; none for `@reboot`."""
        return tuple((self.text if self.word is None else WORDS[self.word]).split())

    def matches(self, moment: datetime) -> bool:
        """Tell whether the wall-clock fields of a moment are the expression's; seconds are not."""
        return bool(
            self.minutes >> moment.minute & 1
            and self.hours >> moment.hour & 1
            and self.matches_day(moment)
        )

    def matches_day(self, day: date) -> bool:
        """Tell whether the expression runs on a date.

        Debian's rule: where a day field begins with `*` both must agree, else either is enough.
        """
        if not self.months >> day.month & 1:
            return False
        of_month = self.days >> day.day & 1
        of_week = self.weekdays >> day.isoweekday() % 7 & 1
        if self.day_star or self.weekday_star:
            return bool(of_month and of_week)
        return bool(of_month or of_week)

    def next(self, after: datetime) -> datetime | None:
        """Return the next moment strictly after `after`, in its zone (or in none, as it is).

        None for `@reboot`, and past the year 9999.
        """
        return occurrences.following(self, after)

    def upcoming(self, after: datetime) -> Iterator[datetime]:
        """Iterate over the moments strictly after `after`: next, the next of that, and so on."""
        return occurrences.upcoming(self, after)

    def previous(self, before: datetime) -> datetime | None:
        """Return the last moment strictly before `before`, in its zone (or in none, as it is)."""
        return occurrences.preceding(self, before)

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Iterate over the moments from `start` until before `end`, in the zone of `start`.

        Raises TypeError where only one of the two has a zone.
        """
        return occurrences.between(self, start, end)

    def describe(self, language: str = "en") -> str:
        """Return the expression in words; ValueError for a language that is not known."""
        return describe(self, language)

    def __str__(self) -> str:
        return self.text
