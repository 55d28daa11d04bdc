"""A formula such as `*1.05` that a source's rate goes through, read without evaluating code."""

import re
from decimal import Decimal, localcontext
from fractions import Fraction

from billclock.billing.errors import FormulaError

DIGITS = 12
"""Significant digits of a rate that had to be divided; sources print five or six."""

_STEP = re.compile(r"\s*([-+*/])\s*(\d{1,12}(?:\.\d{1,12})?)")
_LONGEST = 100


def apply(formula: str, rate: Fraction) -> Decimal:
    """Give the rate after the formula's operations, from left to right, in DIGITS digits.

    Raise FormulaError for what is not a chain of + - * / and numbers, or leaves no rate above 0.
    """
    for sign, number in steps(formula):
        rate = _step(formula, rate, sign, number)
    if rate <= 0:
        raise FormulaError(formula, "it leaves a rate of zero or below")
    return rounded(rate)


def rounded(rate: Fraction) -> Decimal:
    """Give a rate in DIGITS significant digits, half to even, without trailing zeros."""
    with localcontext(prec=DIGITS):
        value = Decimal(rate.numerator) / Decimal(rate.denominator)
    return Decimal(f"{value.normalize():f}")


def steps(formula: str) -> list[tuple[str, Fraction]]:
    """Give the operations of a formula, or raise FormulaError."""
    found: list[tuple[str, Fraction]] = []
    text, at = formula.strip(), 0
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None or len(text) > _LONGEST:
            raise FormulaError(formula, f"not understood from {text[at : at + 20]!r} on")
        found.append((step[1], Fraction(step[2])))
        at = step.end()
    return found


def _step(formula: str, rate: Fraction, sign: str, number: Fraction) -> Fraction:
    match sign:
        case "*":
            return rate * number
        case "+":
            return rate + number
        case "-":
            return rate - number
    if not number:
        raise FormulaError(formula, "it divides by zero")
    return rate / number
