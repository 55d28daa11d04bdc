"""Amounts, prices, shares and days as a document writes them; figures have a real minus sign."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from babel.dates import format_date, format_interval
from babel.numbers import format_decimal, format_percent

from billclock.billing.documents.words import Words

_MICRO = 6
_GROUP = 4  # an IBAN is read in fours
_IBAN_PREFIX = 4


def amount(minor: int, decimals: int, words: Words) -> str:
    """Give minor units with all decimals of their currency, without its name: −1,234.50."""
    form = "#,##0." + "0" * decimals if decimals else "#,##0"
    return _written(Decimal(minor).scaleb(-decimals), form, words)


def unit_price(micro: int, decimals: int, words: Words) -> str:
    """Give millionths of the major unit with the currency's decimals, and more where it has any."""
    optional = "#" * (_MICRO - decimals)
    return _written(Decimal(micro).scaleb(-_MICRO), f"#,##0.{'0' * decimals}{optional}", words)


def share(ppm: int, words: Words) -> str:
    """Give millionths of a whole as a percentage: 20% or, in Russian, 20 %."""
    written: str = format_percent(Decimal(ppm).scaleb(-_MICRO), words.percent, words.locale)
    return written


def day(on: date, words: Words) -> str:
    """Give a day with its month in letters: 3 March 2026."""
    return format_date(on, "d MMMM y", words.dates)


def period(start: date, end: date, words: Words) -> str:
    """Give a half-open period as people read it, by its first and last day: 1–31 March 2026."""
    last = end - timedelta(days=1)
    if start == last:
        return format_date(start, "d MMM y", words.dates)
    return format_interval(start, last, "yMMMd", locale=words.dates)


def account(number: str) -> str:
    """Give an IBAN in groups of four; any other account number as it is."""
    bare = number.replace(" ", "")
    if not (bare[:2].isalpha() and bare[2:_IBAN_PREFIX].isdigit() and bare.isascii()):
        return number
    return " ".join(bare[place : place + _GROUP] for place in range(0, len(bare), _GROUP))


def _written(number: Decimal, form: str, words: Words) -> str:
    written = format_decimal(number, form, words.locale)
    return written.replace("-", "\N{MINUS SIGN}")
