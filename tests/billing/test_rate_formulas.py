"""Formulas change a rate exactly; judging takes what can be believed."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from billclock.billing.errors import FormulaError
from billclock.billing.rates.formula import apply, rounded
from billclock.billing.rates.judging import Offer, Verdict, judge

ONE, TWO, THREE = date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)


@pytest.mark.parametrize(
    ("formula", "rate"),
    [
        ("", "1.0842"),
        ("*1.05", "1.13841"),
        (" * 1.05 ", "1.13841"),
        ("/2", "0.5421"),
        ("+0.1", "1.1842"),
        ("-0.0842", "1"),
        ("*2+1", "3.1684"),
        ("+1*2", "4.1684"),
    ],
)
def test_operations_are_done_from_left_to_right(formula: str, rate: str):
    assert apply(formula, Fraction("1.0842")) == Decimal(rate)


@pytest.mark.parametrize(
    "formula",
    ["1.05", "*", "*1,05", "*1e9", "*-1", "**2", "__import__('os')", "*1.05;", "-2", "*0", "/0",
     "*1" * 80],
)  # fmt: skip
def test_anything_else_is_refused_by_name(formula: str):
    with pytest.raises(FormulaError, match="formula"):
        apply(formula, Fraction("1.0842"))


def test_a_divided_rate_keeps_twelve_digits():
    assert rounded(1 / Fraction("1.0842")) == Decimal("0.922339051835")
    assert rounded(1 / Fraction("1400000")) == Decimal("0.000000714285714286")
    assert rounded(Fraction(1400000)) == Decimal(1400000)


def offer(on: date, value: str) -> Offer:
    return Offer(on, Decimal(value), Decimal(value))


def verdicts(offers: list[Offer], known: dict[date, Decimal], **how: bool) -> list[Verdict]:
    decisions = judge(offers, known, Decimal(100), guard=20, **how)
    return [decision.verdict for decision in decisions]


@pytest.mark.parametrize(
    ("value", "verdict"),
    [("120", Verdict.NEW), ("120.01", Verdict.HELD), ("80", Verdict.NEW), ("79.9", Verdict.HELD)],
)
def test_a_change_of_over_a_fifth_is_held(value: str, verdict: Verdict):
    assert verdicts([offer(ONE, value)], {}) == [verdict]


def test_after_a_held_day_the_next_is_measured_against_the_last_good_one():
    offers = [offer(ONE, "150"), offer(TWO, "151"), offer(THREE, "101")]
    assert verdicts(offers, {}) == [Verdict.HELD, Verdict.HELD, Verdict.NEW]
    assert verdicts(offers, {}, confirm=True)[:2] == [Verdict.NEW, Verdict.NEW]


def test_a_known_rate_stays_unless_replaced():
    known = {ONE: Decimal(99)}
    assert verdicts([offer(ONE, "101")], known) == [Verdict.KEPT]
    assert verdicts([offer(ONE, "99")], known, replace=True) == [Verdict.SAME]
    assert verdicts([offer(ONE, "101")], known, replace=True) == [Verdict.REPLACED]
    assert verdicts([offer(ONE, "150")], known, replace=True) == [Verdict.HELD]


def test_the_first_rate_of_a_pair_has_nothing_to_be_measured_against():
    (decision,) = judge([offer(ONE, "150")], {}, None, guard=20)
    assert decision.verdict is Verdict.NEW
