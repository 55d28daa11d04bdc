"""An invoice's tax: right by rate, parted over its lines to the last unit, agreeing with itself."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billclock.billing import money
from billclock.billing.errors import MoneyError
from billclock.billing.taxes import InvoiceTax, RateTax, Taxable, TaxedLine, invoice_tax

amounts = st.integers(-(10**12), 10**12)
rates = st.sampled_from([0, 1, 50_000, 70_000, 190_000, 200_000, 255_000, 1_000_000])
areas = st.sampled_from(["", "DE", "FR"])
taxables = st.lists(st.builds(Taxable, amounts, rates, areas, amounts), max_size=40)


def exact(line: Taxable, *, gross: bool) -> Fraction:
    return Fraction(line.amount_minor * line.ppm, 1_000_000 + (line.ppm if gross else 0))


def taxes(figures: InvoiceTax) -> list[int]:
    return [line.tax_minor for line in figures.lines]


def test_the_tax_of_a_rate_is_rounded_once_and_its_residue_is_parted():
    # 19 % of three times 0.13 is 0.0741: by line 2 cents each, in sum 7.
    lines = [Taxable(13, 190_000, "DE", 2)] * 3
    figures = invoice_tax(lines)
    assert taxes(figures) == [3, 2, 2]
    assert figures.rates == (RateTax("DE", 190_000, 39, 7),)
    assert (figures.net_minor, figures.tax_minor, figures.gross_minor) == (39, 7, 46)
    assert figures.rounding_minor == 1


def test_by_line_the_invoice_is_what_its_charges_posted():
    lines = [Taxable(13, 190_000, "DE", money.tax_on_net(13, 190_000))] * 3
    figures = invoice_tax(lines, by_line=True)
    assert taxes(figures) == [2, 2, 2]
    assert figures.rounding_minor == 0


def test_gross_prices_keep_their_total():
    # A third of 1.00 each contains 0.0532 tax; the sum of three, 0.16.
    lines = [Taxable(33, 190_000), Taxable(33, 190_000), Taxable(34, 190_000)]
    figures = invoice_tax(lines, gross=True)
    assert figures.gross_minor == 100
    assert figures.tax_minor == money.tax_in_gross(100, 190_000) == 16
    assert figures.lines == (TaxedLine(28, 5), TaxedLine(28, 5), TaxedLine(28, 6))


def test_a_unit_goes_to_the_largest_rest_not_to_the_first_line():
    # 10 % of 1, 4 and 8: 0.1, 0.4 and 0.8 of a unit, together 1.
    assert taxes(invoice_tax([Taxable(amount, 100_000) for amount in (1, 4, 8)])) == [0, 0, 1]


def test_a_discount_takes_its_tax_along():
    figures = invoice_tax([Taxable(1000, 200_000), Taxable(-250, 200_000)])
    assert taxes(figures) == [200, -50]
    assert figures.gross_minor == 900


def test_rates_and_areas_are_kept_apart():
    lines = [Taxable(100, 70_000, "DE"), Taxable(100, 190_000, "DE"), Taxable(100, 190_000, "AT")]
    found = [(rate.area, rate.ppm, rate.tax_minor) for rate in invoice_tax(lines).rates]
    assert found == [("AT", 190_000, 19), ("DE", 190_000, 19), ("DE", 70_000, 7)]


def test_tax_that_is_turned_over_is_none():
    figures = invoice_tax([Taxable(5000, 0, "PL")])
    assert figures.rates == (RateTax("PL", 0, 5000, 0),)
    assert figures.gross_minor == 5000


def test_an_invoice_without_lines_is_nothing():
    assert invoice_tax([]) == InvoiceTax((), (), 0, 0, 0)


@given(taxables, st.booleans(), st.booleans())
def test_every_figure_is_the_sum_of_what_is_below_it(lines, gross, by_line):
    figures = invoice_tax(lines, gross=gross, by_line=by_line)
    assert figures.net_minor == sum(line.net_minor for line in figures.lines)
    assert figures.tax_minor == sum(taxes(figures)) == sum(r.tax_minor for r in figures.rates)
    assert figures.net_minor == sum(rate.net_minor for rate in figures.rates)
    assert figures.rounding_minor == figures.tax_minor - sum(line.posted_minor for line in lines)
    given_ = [line.amount_minor for line in lines]
    kept = [line.net_minor + (line.tax_minor if gross else 0) for line in figures.lines]
    assert kept == given_


@given(taxables, st.booleans())
def test_a_rates_tax_is_that_of_its_sum(lines, gross):
    for rate in invoice_tax(lines, gross=gross).rates:
        own = [line for line in lines if (line.area, line.ppm) == (rate.area, rate.ppm)]
        total = sum(line.amount_minor for line in own)
        tax = money.tax_in_gross if gross else money.tax_on_net
        assert rate.tax_minor == tax(total, rate.ppm)


@given(taxables, st.booleans())
def test_no_line_is_a_unit_off_and_untaxed_lines_get_none(lines, gross):
    figures = invoice_tax(lines, gross=gross)
    for line, tax in zip(lines, taxes(figures), strict=True):
        assert abs(tax - exact(line, gross=gross)) < 1
        if not line.amount_minor * line.ppm:
            assert tax == 0


@given(taxables, st.booleans())
def test_what_rounding_moves_is_at_most_half_a_unit_a_line(lines, gross):
    posted = [
        replace(
            line, posted_minor=money.round_half_away(*exact(line, gross=gross).as_integer_ratio())
        )
        for line in lines
    ]
    figures = invoice_tax(posted, gross=gross)
    assert 2 * abs(figures.rounding_minor) <= len(lines) + len(figures.rates)
    assert invoice_tax(posted, gross=gross, by_line=True).rounding_minor == 0


@given(taxables, st.booleans(), st.booleans())
def test_a_credit_note_mirrors_its_invoice(lines, gross, by_line):
    mirrored = [replace(line, amount_minor=-line.amount_minor) for line in lines]
    there = invoice_tax(lines, gross=gross, by_line=by_line)
    back = invoice_tax(mirrored, gross=gross, by_line=by_line)
    assert back.tax_minor == -there.tax_minor
    if all(rate.net_minor for rate in there.rates):
        assert taxes(back) == [-tax for tax in taxes(there)]


@given(st.lists(st.builds(Taxable, amounts, rates), max_size=12), st.randoms(use_true_random=False))
def test_the_sums_do_not_depend_on_the_order_of_the_lines(lines, chance):
    shuffled = chance.sample(lines, len(lines))
    assert invoice_tax(shuffled).rates == invoice_tax(lines).rates


def test_a_rate_below_zero_is_refused():
    with pytest.raises(MoneyError, match=r"line 2 has a tax rate of -1"):
        invoice_tax([Taxable(1, 0), Taxable(1, -1)])


def test_sums_that_the_books_cannot_hold_are_refused():
    with pytest.raises(MoneyError, match="beyond what the books hold"):
        invoice_tax([Taxable(money.MOST, 190_000)])
