"""Whole amounts of a currency: reading, showing, rounding, shares, tax, and their twins in SQL.

Amounts are ints: `minor` counts a currency's minor units, `micro` millionths of its major unit,
`ppm` millionths of a whole (20 % = 200_000). All rounding is half away from zero.

The twins (`..._sql`) take SQL expressions of whole numbers and give one that means the same on
SQLite and PostgreSQL. They hold no % sign, so they stand in a statement with parameters too. They
are exact only where `product_fits_sql` holds: SQLite would go on in floating point without a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import iso4217
from babel import Locale
from babel.numbers import NumberPattern, get_currency_symbol, parse_pattern

from billclock.billing.errors import AmountTextError, MoneyError, UnknownCurrencyError

MOST = 2**63 - 1
"""The largest amount, either way from zero: what a 64-bit column holds."""

MILLION = 1_000_000

_MICRO_DIGITS = 6
# 2·a·b < 2^63: the spec of shares; it also leaves room for the half that rounding adds.
_MOST_PRODUCT = 2**62 - 1
# More text than any amount needs; int() refuses thousands of digits with a puzzling error.
_LONGEST_TEXT = 60
_SPACE = re.compile(r"[\s\u2019']")
_GROUPED = re.compile(r"[0-9]{1,3}(?:([\s\u2019',])[0-9]{3})(?:\1[0-9]{3})*")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of a currency (ISO 4217's code), in minor units.

    Raises MoneyError beyond 64 bits, UnknownCurrencyError, and TypeError for what is no int.
    Amounts of different currencies are never equal, and cannot be added or compared (MoneyError).
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.minor, int):
            raise TypeError(f"{self.minor!r} is no whole number of minor units")
        exponent(self.currency)
        bounded(self.minor)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._like(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._like(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._like(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._like(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._like(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._like(other)

    def __str__(self) -> str:
        return f"{plain(self.minor, exponent(self.currency))} {self.currency}"

    def shown(self, locale: str = "en") -> str:
        """Give the amount as people write it, with its currency: -€1,234.50 or -1 234,50 €."""
        pattern = _pattern(self.currency, locale)
        number = Decimal(self.minor).scaleb(-exponent(self.currency))
        shown: str = pattern.apply(number, locale, currency=self.currency, currency_digits=False)
        return shown

    def _like(self, other: Money) -> int:
        if not isinstance(other, Money):
            raise TypeError(f"{other!r} is no Money")
        if other.currency != self.currency:
            raise MoneyError(f"{self} and {other} are of different currencies", "convert one first")
        return other.minor


@cache
def exponent(currency: str) -> int:
    """Give the decimals of a currency by ISO 4217; raise UnknownCurrencyError."""
    try:
        known = iso4217.Currency(currency)
    except ValueError:
        raise UnknownCurrencyError(currency) from None
    if known.exponent is None:
        raise UnknownCurrencyError(currency)
    return int(known.exponent)


def bounded(minor: int) -> int:
    """Give the same amount; raise MoneyError where it does not fit 64 bits."""
    if abs(minor) > MOST:
        raise MoneyError(f"{minor} minor units are beyond what the books hold ({MOST})")
    return minor


def plain(minor: int, decimals: int) -> str:
    """Give an amount as plain digits with a point, for logs and documents: -1234.50."""
    whole, part = divmod(abs(minor), 10**decimals)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{part:0{decimals}d}" if decimals else f"{sign}{whole}"


def told(minor: int, currency: str) -> str:
    """Say an amount that a gateway tells of, whose currency may be none that is known here."""
    try:
        return str(Money(minor, currency))
    except (MoneyError, UnknownCurrencyError):
        return f"{minor} {currency} (minor units)"


def parse(text: str, currency: str, locale: str = "en") -> Money:
    """Read an amount as a person types it; raise AmountTextError, MoneyError.

    A point is a decimal sign in every locale. Groups of three may be parted by spaces, apostrophes
    or commas, where a comma is not the decimal sign. The currency's own code or sign may stand
    before or after the digits. No digit is ever rounded away.
    """
    symbols = Locale.parse(locale).number_symbols["latn"]
    decimals = exponent(currency)
    number = text.strip().replace("\u2212", "-")
    if not number or len(number) > _LONGEST_TEXT:
        raise AmountTextError(text, "is too long" if number else "is empty", decimals)
    negative = number.startswith("-")
    number = _without_currency(number.removeprefix("-" if negative else "+"), currency, locale)
    comma = "." not in number and symbols["decimal"] == ","
    whole, sign, part = number.rpartition("," if comma else ".")
    if not sign:
        whole, part = number, ""
    digits = _whole_digits(whole, commas=not comma)
    if digits is None or (sign and not re.fullmatch("[0-9]+", part)) or not (digits or part):
        raise AmountTextError(text, "is no amount", decimals)
    if len(part) > decimals:
        why = f"has {len(part)} decimals, {currency} has {decimals}"
        raise AmountTextError(text, why, decimals)
    minor = int(digits + part.ljust(decimals, "0") or "0")
    return Money(-minor if negative else minor, currency)


def round_half_away(numerator: int, denominator: int) -> int:
    """Divide and round to a whole number, halves away from zero; `denominator` > 0."""
    if denominator <= 0:
        raise MoneyError(f"cannot divide by {denominator}", "give a number above zero")
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -rounded if numerator < 0 else rounded


def from_micro(micro: int, decimals: int, quantity: int = 1) -> int:
    """Turn a unit price in millionths of the major unit, times a quantity, into minor units."""
    if not 0 <= decimals <= _MICRO_DIGITS:
        raise MoneyError(f"{decimals} decimals are not between 0 and {_MICRO_DIGITS}")
    return bounded(round_half_away(micro * quantity, 10 ** (_MICRO_DIGITS - decimals)))


def share(price: int, parts: int, part: int) -> int:
    """Give the price of one of `parts` equal parts, counted from 1; all add up to `price`."""
    return span(price, parts, part - 1, part)


def span(price: int, parts: int, start: int, end: int) -> int:
    """Give the price of the parts after the first `start` up to number `end`: the sum of shares.

    Depends on nothing else, so spans that tile 0 to `parts` always add up to `price`.
    """
    if not 0 <= start <= end <= parts or not parts:
        raise MoneyError(f"there are no parts {start} to {end} of {parts}")
    return round_half_away(price * end, parts) - round_half_away(price * start, parts)


def tax_in_gross(amount: int, ppm: int) -> int:
    """Give the tax that an amount contains."""
    return round_half_away(amount * ppm, MILLION + ppm)


def tax_on_net(amount: int, ppm: int) -> int:
    """Give the tax that comes on top of an amount."""
    return round_half_away(amount * ppm, MILLION)


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """Part a total by weights (0 or more) into whole amounts that add up to it.

    By largest remainder; of equal remainders the earlier weight gets the unit. Raises MoneyError
    where a weight is negative, or all are 0 and the total is not.
    """
    whole = sum(weights)
    if min(weights, default=0) < 0 or (total and not whole):
        raise MoneyError(f"{total} cannot be spread by the weights {list(weights)}")
    parted = [divmod(abs(total) * weight, whole or 1) for weight in weights]
    missing = abs(total) - sum(quotient for quotient, _ in parted)
    order = sorted(range(len(parted)), key=lambda place: -parted[place][1])
    lucky = set(order[:missing])
    sign = -1 if total < 0 else 1
    return [sign * (quotient + (place in lucky)) for place, (quotient, _) in enumerate(parted)]


def product_fits(amount: int, factor: int) -> bool:
    """Say whether SQL may multiply the two without leaving whole numbers; `factor` >= 0.

    Ask it of a price and its number of parts, an amount and its tax rate, a unit price and its
    quantity; where it says no, do the work in Python.
    """
    return abs(amount) * factor <= _MOST_PRODUCT


def product_fits_sql(amount: str, factor: str) -> str:
    """Give the condition that `product_fits` is; it cannot overflow itself."""
    value, times = _whole(amount), _whole(factor)
    room = f"({_MOST_PRODUCT} / NULLIF({times}, 0))"
    return f"({times} = 0 OR {value} BETWEEN -{room} AND {room})"


def round_half_away_sql(numerator: str, denominator: str) -> str:
    """Give the twin of `round_half_away`: both engines divide whole numbers towards zero."""
    n, d = _whole(numerator), _whole(denominator)
    return f"(({n} + CASE WHEN {n} < 0 THEN -{d} ELSE {d} END / 2) / {d})"


def from_micro_sql(micro: str, decimals: str, quantity: str = "1") -> str:
    """Give the twin of `from_micro`, for a currency of 0 to 6 decimals (else NULL)."""
    digits = range(_MICRO_DIGITS + 1)
    cases = " ".join(f"WHEN {known} THEN {10 ** (_MICRO_DIGITS - known)}" for known in digits)
    return round_half_away_sql(_times(micro, quantity), f"CASE {decimals} {cases} END")


def share_sql(price: str, parts: str, part: str) -> str:
    """Give the twin of `share`, where `product_fits_sql(price, parts)`."""
    return span_sql(price, parts, f"({part}) - 1", part)


def span_sql(price: str, parts: str, start: str, end: str) -> str:
    """Give the twin of `span`, where `product_fits_sql(price, parts)`."""
    upto = [round_half_away_sql(_times(price, place), parts) for place in (end, start)]
    return f"({upto[0]} - {upto[1]})"


def tax_in_gross_sql(amount: str, ppm: str) -> str:
    """Give the twin of `tax_in_gross`, where `product_fits_sql(amount, ppm)`."""
    return round_half_away_sql(_times(amount, ppm), f"{MILLION} + ({ppm})")


def tax_on_net_sql(amount: str, ppm: str) -> str:
    """Give the twin of `tax_on_net`, where `product_fits_sql(amount, ppm)`."""
    return round_half_away_sql(_times(amount, ppm), str(MILLION))


def _whole(expression: str) -> str:
    """Make an expression 64 bits wide: PostgreSQL counts its smaller columns in 32."""
    return f"CAST(({expression}) AS BIGINT)"


def _times(left: str, right: str) -> str:
    return f"{_whole(left)} * {_whole(right)}"


@cache
def _pattern(currency: str, locale: str) -> NumberPattern:
    """Give a locale's form of amounts with ISO's decimals: the locale data has cash usage instead.

    Between a code in letters and the digits goes a space (CLDR's currency spacing).
    """
    found = Locale.parse(locale).currency_formats["standard"].pattern
    decimals = exponent(currency)
    made = found.replace(".00", "." + "0" * decimals if decimals else "")
    if get_currency_symbol(currency, locale)[-1].isalpha():
        made = made.replace("¤#", "¤\u00a0#")
    return parse_pattern(made)


def _without_currency(number: str, currency: str, locale: str) -> str:
    for name in (currency, get_currency_symbol(currency, locale)):
        bare = number.removeprefix(name)
        bare = bare if bare != number else number.removesuffix(name)
        if bare != number:
            return bare.strip()
    return number.strip()


def _whole_digits(text: str, *, commas: bool) -> str | None:
    """Give the digits of an amount's whole part without what parts its groups, None for no part."""
    if re.fullmatch("[0-9]*", text):
        return text
    grouped = _GROUPED.fullmatch(text)
    if grouped is None or ("," in text and not commas):
        return None
    return _SPACE.sub("", text).replace(",", "")
