"""What a source of rates is: addresses for the wanted days, and sheets read from what they give."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Protocol

from billclock.billing.errors import SourceError

LONGEST_NUMBER = 40  # characters; the longest real rate has about twenty


@dataclass(frozen=True, slots=True)
class Wanted:
    """The days (both included) and the ISO codes for which rates are wanted, asked on `today`."""

    first: date
    last: date
    currencies: frozenset[str]
    today: date


@dataclass(frozen=True, slots=True)
class Sheet:
    """The prices published for one day: what one unit of each currency costs in `base`."""

    base: str
    on: date
    prices: Mapping[str, Fraction]

    def cross(self, currency: str, target: str) -> Fraction | None:
        """Give how many units of `target` one unit of `currency` buys; None if one is not here."""
        bought, paid = self._price(currency), self._price(target)
        return None if bought is None or paid is None else bought / paid

    def _price(self, code: str) -> Fraction | None:
        return Fraction(1) if code == self.base else self.prices.get(code)


class RateSource(Protocol):
    """A kind of source; `longest_gap` is the most days that pass between two of its sheets."""

    name: str
    base: str
    longest_gap: int

    def addresses(self, wanted: Wanted) -> Sequence[str]:
        """Give the addresses whose documents together hold the wanted days."""

    def recognises(self, data: bytes) -> bool:
        """Tell whether a document looks like one of this source."""

    def read(self, data: bytes, currencies: Collection[str]) -> Sequence[Sheet]:
        """Give the sheets of a document with the prices of these currencies alone.

        Raise SourceError naming the place and the fault; other currencies' faults are no concern.
        """


def number(text: str | None, where: str, *, comma: bool = False) -> Fraction:
    """Read a positive decimal number exactly; `comma` is the source's decimal sign, else a point.

    Raise SourceError, naming `where`, for anything else: zero, a sign, NaN, an exponent.
    """
    written = (text or "").strip()
    plain = written.replace(",", ".") if comma else written
    if plain.replace(".", "", 1).isdecimal() and plain.isascii() and len(plain) <= LONGEST_NUMBER:
        try:
            value = Fraction(Decimal(plain))
        except InvalidOperation:
            value = Fraction(0)
        if value > 0:
            return value
    raise SourceError(
        "", f"{where}: {written[:LONGEST_NUMBER]!r} is not a rate above zero", retry=False
    )
