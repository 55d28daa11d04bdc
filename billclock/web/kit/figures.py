"""Shares in percent and prices of a unit: typed by people, kept in millionths; a row chosen."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from babel import Locale
from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from billclock.billing.money import plain
from billclock.web.kit.columns import Column, Of, value_at
from billclock.web.times import Wall
from billclock.web.visible import visible

LONGEST = 15
if TYPE_CHECKING:
    _OneOfRows = forms.ModelChoiceField[Any]
else:
    _OneOfRows = forms.ModelChoiceField
_NUMBER = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]+))?")


class Millionths(forms.CharField):
    """A number with some decimals that is kept as a whole one: `of` of it are one."""

    decimals: ClassVar[int] = 6

    def __init__(self, **how: Any) -> None:
        super().__init__(max_length=40, **how)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}

    def clean(self, value: Any) -> int | None:
        """Read it; no digit is ever rounded away."""
        text = super().clean(value).replace("%", "").replace("\u00a0", "").replace(" ", "")
        if not text:
            return None
        found = _NUMBER.fullmatch(text)
        if found is None or ("," in text and not _comma_is_decimal()):
            raise ValidationError(_("Write a number such as 7.5."))
        whole, part = found[1], found[2] or ""
        if len(part.rstrip("0")) > self.decimals:
            raise ValidationError(_("It has at most %d decimals.") % self.decimals)
        return int(whole + part[: self.decimals].ljust(self.decimals, "0"))

    def prepare_value(self, value: Any) -> Any:
        """Give a kept number as one would type it; what was typed stays as it is."""
        if not isinstance(value, int):
            return value
        whole, _point, part = plain(value, self.decimals).partition(".")
        return f"{whole}.{part.rstrip('0')}".rstrip(".")


class Percent(Millionths):
    """A share, typed in percent."""

    decimals = 4


class UnitPrice(Millionths):
    """A price of an hour or a unit, in the major unit with up to six decimals."""


class Chosen(_OneOfRows):
    """One of some rows, each said by an attribute path or a function."""

    def __init__(self, rows: Any, *, named: Of = "name", **how: Any) -> None:
        super().__init__(rows, **{"empty_label": "–", **how})
        self.named = named

    def label_from_instance(self, obj: Any) -> str:
        """Say a row in a word."""
        return visible(str(value_at(obj, self.named)))


class Numbers(forms.CharField):
    """Some whole numbers with spaces or commas between them."""

    def clean(self, value: Any) -> list[int]:
        """Read them."""
        words = super().clean(value).replace(",", " ").split()
        if not all(word.isascii() and word.isdecimal() for word in words) or any(
            len(word) > LONGEST for word in words
        ):
            raise ValidationError(_("Write whole numbers with spaces between them."))
        return [int(word) for word in words]

    def prepare_value(self, value: Any) -> Any:
        """Give numbers as one would type them."""
        return " ".join(map(str, value)) if isinstance(value, list | tuple) else value


class Words(forms.CharField):
    """Some words with spaces, commas or lines between them."""

    def clean(self, value: Any) -> list[str]:
        """Read them."""
        text: str = super().clean(value)
        return text.replace(",", " ").split()

    def prepare_value(self, value: Any) -> Any:
        """Give words as one would type them."""
        return " ".join(value) if isinstance(value, list | tuple) else value


class Share(Column):
    """A share in millionths, shown in percent."""

    numeric = True

    def shown(self, value: int, _row: Any, _wall: Wall) -> SafeString:
        """Give all its decimals and no more."""
        return format_html("{}", share(value))

    def cells(self, row: Any) -> tuple[object, ...]:
        """Give it in percent."""
        value = self.value(row)
        return ("" if value is None else Percent().prepare_value(value),)


@dataclass(frozen=True)
class UnitMoney(Column):
    """A price of a unit in millionths of the major unit, with the code of its currency."""

    currency: Of = "currency_id"

    numeric = True

    def shown(self, value: int, row: Any, _wall: Wall) -> SafeString:
        """Give all its decimals."""
        figure = localized(UnitPrice().prepare_value(value))
        return format_html("{} {}", figure, value_at(row, self.currency))

    def cells(self, row: Any) -> tuple[object, ...]:
        """Give the plain number."""
        return (UnitPrice().prepare_value(self.value(row)),)


def share(ppm: int) -> str:
    """Say a share in percent."""
    return f"{localized(Percent().prepare_value(ppm))}\u00a0%"


def localized(figure: str) -> str:
    """Give a plain number as the reader's language writes it."""
    whole, _point, part = figure.partition(".")
    said = number_format(int(whole), force_grouping=True)
    return f"{said}{_decimal_sign()}{part}" if part else said


def named_choices(
    rows: Callable[[], Iterable[Any]], named: Of = "name"
) -> Callable[[], dict[str, str]]:
    """Give a filter's choices of rows, which are asked for once a page."""
    return lambda: {str(row.pk): visible(str(value_at(row, named))) for row in rows()}


def _comma_is_decimal() -> bool:
    return _decimal_sign() == ","


def _decimal_sign() -> str:
    return str(Locale.parse(get_language() or "en", sep="-").number_symbols["latn"]["decimal"])
