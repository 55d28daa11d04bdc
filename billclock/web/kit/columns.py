"""Columns of a section: where a value comes from, how it reads on a page and in a CSV file.

`of` is the path of an attribute (`client.name`) or a function of the row; without it the column's
name is the path. `sort` is the database field a list may be ordered by; it should have an index.
`less` columns give way where there is little room.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from billclock.billing import money
from billclock.web.kit.marks import Mark
from billclock.web.templatetags.screen import icon
from billclock.web.times import Wall
from billclock.web.visible import visible

Of = str | Callable[[Any], Any]
NOTHING = format_html('<span class="dim">{}</span>', "–")


def value_at(row: Any, of: Of) -> Any:
    """Give what a path of attributes or a function finds in a row; None ends a path early."""
    if callable(of):
        return of(row)
    for name in of.split("."):
        if row is None:
            return None
        row = getattr(row, name)
    return row


@dataclass(frozen=True)
class Column:
    """One column; this kind shows a value as text, with `below` on a second line."""

    name: str
    title: Promise | str
    of: Of = field(default="", kw_only=True)
    below: Of = field(default="", kw_only=True)
    sort: str = field(default="", kw_only=True)
    less: bool = field(default=False, kw_only=True)

    numeric: ClassVar[bool] = False

    def value(self, row: Any) -> Any:
        """Give a row's value."""
        return value_at(row, self.of or self.name)

    def html(self, row: Any, wall: Wall) -> SafeString:
        """Give a row's cell."""
        value = self.value(row)
        shown = NOTHING if value in (None, "") else self.shown(value, row, wall)
        second = value_at(row, self.below) if self.below else ""
        if second in (None, ""):
            return shown
        return format_html('{}<span class="l2">{}</span>', shown, visible(str(second)))

    def shown(self, value: Any, _row: Any, _wall: Wall) -> SafeString:
        """Give a value that is there in words."""
        return format_html("{}", visible(str(value)))

    @property
    def headings(self) -> tuple[str, ...]:
        """Name the column's cells in a CSV file."""
        return (self.name,)

    def cells(self, row: Any) -> tuple[object, ...]:
        """Give a row's cells in a CSV file."""
        return (self.value(row),)


class Text(Column):
    """A text."""


class Code(Column):
    """A text for machines, such as an expression or a key."""

    def shown(self, value: Any, _row: Any, _wall: Wall) -> SafeString:
        """Give it in mono."""
        return format_html("<code>{}</code>", visible(str(value)))


class Number(Column):
    """A number, as the reader's language parts its digits."""

    numeric = True

    def shown(self, value: Any, _row: Any, _wall: Wall) -> SafeString:
        """Give all its digits."""
        return format_html("{}", number_format(value, force_grouping=True))


class Day(Column):
    """A date."""

    def shown(self, value: date, _row: Any, _wall: Wall) -> SafeString:
        """Give day, month and year."""
        return format_html('<span class="at">{}</span>', date_format(value, "j M Y"))


@dataclass(frozen=True)
class Moment(Column):
    """A moment by the server's zone; how far it is, below it with `ago`, else for who points."""

    ago: bool = field(default=False, kw_only=True)

    def shown(self, value: datetime, _row: Any, wall: Wall) -> SafeString:
        """Give its day and time."""
        day, far, exactly = wall.when(value), wall.distance(value), wall.exactly(value)
        title = exactly if self.ago else f"{exactly} · {far}"
        said = format_html('<span class="at" title="{}">{}</span>', title, day)
        return format_html('{}<span class="l2">{}</span>', said, far) if self.ago else said


class Switch(Column):
    """Yes or no, as on or off."""

    def html(self, row: Any, wall: Wall) -> SafeString:
        """Give a check mark or a dash."""
        return self.shown(self.value(row), row, wall)

    def shown(self, value: Any, _row: Any, _wall: Wall) -> SafeString:
        """Give a check mark or a dash; a screen reader hears the column's name or nothing."""
        if not value:
            return NOTHING
        return format_html(
            '<span class="st ok">{}<span class="sr">{}</span></span>', icon("check"), self.title
        )


@dataclass(frozen=True)
class State(Column):
    """A state with its mark; a value without one is shown as it is."""

    marks: Mapping[Any, Mark] = field(default_factory=dict, kw_only=True)

    def shown(self, value: Any, _row: Any, _wall: Wall) -> SafeString:
        """Give icon and word in the state's colour."""
        mark = self.marks.get(value)
        if mark is None:
            return format_html("{}", visible(str(value)))
        return format_html('<span class="st {}">{}{}</span>', mark.kind, icon(mark.icon), mark.word)


@dataclass(frozen=True)
class Money(Column):
    """An amount in minor units; `currency` is a path to its currency's code, or a function.

    A CSV file has two columns of it: the plain amount, and the code.
    """

    currency: Of = field(default="currency_id", kw_only=True)
    signed: bool = field(default=False, kw_only=True)

    numeric = True

    def shown(self, value: int, row: Any, _wall: Wall) -> SafeString:
        """Give it as people write it; below zero in red where the sign matters."""
        said = money.Money(value, value_at(row, self.currency)).shown(get_language() or "en")
        if self.signed and value < 0:
            return format_html('<span class="minus">{}</span>', said)
        return format_html("{}", said)

    @property
    def headings(self) -> tuple[str, ...]:
        """Name amount and currency."""
        return self.name, f"{self.name}_currency"

    def cells(self, row: Any) -> tuple[object, ...]:
        """Give the amount as a plain number of the major unit, and the currency's code."""
        value, code = self.value(row), value_at(row, self.currency)
        if value is None:
            return "", code
        return Decimal(value).scaleb(-money.exponent(code)), code


@dataclass(frozen=True)
class Link(Column):
    """Another section's row: `of` finds it, `named` says it, `to` is the section's name.

    Its queryset should select the related row, or each line costs a query. Where there is no such
    section, the name stands alone.
    """

    to: str = field(kw_only=True)
    named: Of = field(default=str, kw_only=True)

    def shown(self, value: Any, _row: Any, _wall: Wall) -> SafeString:
        """Give its name, which leads to it."""
        name = visible(str(value_at(value, self.named)))
        try:
            address = reverse(f"{self.to}_one", args=[value.pk])
        except NoReverseMatch:
            return format_html("{}", name)
        return format_html('<a href="{}">{}</a>', address, name)

    def cells(self, row: Any) -> tuple[object, ...]:
        """Give its name."""
        value = self.value(row)
        return ("" if value is None else str(value_at(value, self.named)),)
