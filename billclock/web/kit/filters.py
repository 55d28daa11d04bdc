"""Filters of a list: what the address may ask for, and what of the rows is kept then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Field, QuerySet
from django.utils.functional import Promise

from billclock.web.numbers import whole
from billclock.web.times import Wall

Rows = QuerySet[Any]
Options = Mapping[str, Promise | str]
MOST_OPTIONS = 500


@dataclass(frozen=True)
class Filter:
    """One filter; `of` is the database field it looks at, without it the filter's own name."""

    name: str
    title: Promise | str
    of: str = field(default="", kw_only=True)

    kind: ClassVar[str]

    @property
    def names(self) -> tuple[str, ...]:
        """Name its parts of the address."""
        return (self.name,)

    def read(self, given: Mapping[str, str]) -> dict[str, str]:
        """Give its parts of an address; what can't be a value is left out."""
        raise NotImplementedError

    def keep(self, rows: Rows, values: Mapping[str, str], wall: Wall) -> Rows:
        """Keep the rows asked for; `values` are as `read` gave them, and not all empty."""
        raise NotImplementedError

    def options(self) -> Sequence[tuple[str, Promise | str]]:
        """Give what one may choose from."""
        return ()


@dataclass(frozen=True)
class Choice(Filter):
    """One of some values; `choices` may be a function, which is then asked once a page.

    `kept` says which rows a value stands for, where it is not a field's value.
    """

    choices: Options | Callable[[], Options] = field(kw_only=True)
    kept: Callable[[Rows, str], Rows] | None = field(default=None, kw_only=True)

    kind = "choice"

    def read(self, given: Mapping[str, str]) -> dict[str, str]:
        """Give the value; without a function of choices only one that is offered."""
        value = given.get(self.name, "")
        known = callable(self.choices) or value in self.choices
        return {self.name: value if known else ""}

    def keep(self, rows: Rows, values: Mapping[str, str], wall: Wall) -> Rows:
        """Keep the rows of a value; none where it can't be one of the field's."""
        del wall
        value = values[self.name]
        if value.isdecimal() and whole(value) is None:
            return rows.none()  # a foreign key's field does not say by itself that it is too large
        if self.kept is not None:
            return self.kept(rows, value)
        try:
            return rows.filter(**{self.of or self.name: value})
        except (ValueError, ValidationError, OverflowError):
            return rows.none()

    def options(self) -> Sequence[tuple[str, Promise | str]]:
        """Give values and words."""
        known = self.choices() if callable(self.choices) else self.choices
        return list(known.items())[:MOST_OPTIONS]


@dataclass(frozen=True)
class Flag(Filter):
    """A box to tick: `kept` says which rows it stands for."""

    kept: Callable[[Rows], Rows] = field(kw_only=True)

    kind = "flag"

    def read(self, given: Mapping[str, str]) -> dict[str, str]:
        """Tell whether it is ticked."""
        return {self.name: "1" if given.get(self.name) else ""}

    def keep(self, rows: Rows, values: Mapping[str, str], wall: Wall) -> Rows:
        """Keep what it stands for."""
        del values, wall
        return self.kept(rows)


@dataclass(frozen=True)
class Days(Filter):
    """From a day to a day, both of them in; of a field of dates or of moments (server's days)."""

    kind = "days"

    @property
    def names(self) -> tuple[str, ...]:
        """Name first and last day."""
        return f"{self.name}_since", f"{self.name}_until"

    def read(self, given: Mapping[str, str]) -> dict[str, str]:
        """Give the days as the address has them; what is none is left out."""
        return {
            name: given.get(name, "") if _day(given.get(name, "")) else "" for name in self.names
        }

    def keep(self, rows: Rows, values: Mapping[str, str], wall: Wall) -> Rows:
        """Keep the rows from the one day to the other."""
        field_ = self.of or self.name
        first, last = (_day(values[name]) for name in self.names)
        moments = _is_moment(rows.model._meta.get_field(field_))
        if first:
            rows = rows.filter(**{f"{field_}__gte": _midnight(first, wall) if moments else first})
        if last and moments:
            rows = rows.filter(**{f"{field_}__lt": _midnight(last + timedelta(days=1), wall)})
        elif last:
            rows = rows.filter(**{f"{field_}__lte": last})
        return rows


def _is_moment(found: Field[Any, Any]) -> bool:
    return found.get_internal_type() == "DateTimeField"


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found < date.max else None


def _midnight(on: date, wall: Wall) -> datetime:
    return datetime.combine(on, time(), wall.zone)
