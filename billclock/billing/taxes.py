"""The tax of an invoice, by rate and by line: a pure function of its lines and their rates.

Amounts are in minor units of one currency, rates in millionths (20 % = 200_000). A charge posted
the tax of its line by itself; an invoice takes the tax of each rate on that rate's sum. Where the
two differ, `InvoiceTax.rounding_minor` is what has to be moved when the invoice is issued.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from billclock.billing.errors import MoneyError
from billclock.billing.money import MILLION, bounded, round_half_away


@dataclass(frozen=True, slots=True)
class Taxable:
    """A line before its tax: `amount_minor` is net or gross as the price list is.

    `area` is whose tax it is (a country, or a country and a kind); two areas of one rate are two
    taxes. `posted_minor` is the tax that the line's charge posted. Amounts may be below zero.
    """

    amount_minor: int
    ppm: int
    area: str = ""
    posted_minor: int = 0


@dataclass(frozen=True, slots=True)
class TaxedLine:
    """A line with its tax."""

    net_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class RateTax:
    """The tax of one area's rate, and the net amount it is on."""

    area: str
    ppm: int
    net_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class InvoiceTax:
    """The figures of an invoice: its lines in their order, its rates by area, highest first.

    `rounding_minor` is the invoice's tax less what the charges posted. On net prices the total
    differs by it too; on gross prices the total stands, and net and tax part it otherwise.
    """

    lines: tuple[TaxedLine, ...]
    rates: tuple[RateTax, ...]
    net_minor: int
    tax_minor: int
    rounding_minor: int

    @property
    def gross_minor(self) -> int:
        """Give what is to be paid."""
        return self.net_minor + self.tax_minor


def invoice_tax(
    lines: Sequence[Taxable], *, gross: bool = False, by_line: bool = False
) -> InvoiceTax:
    """Give the tax of an invoice; MoneyError for a rate below zero, or sums beyond 64 bits.

    Without `by_line`, the tax of a rate is rounded once, on the sum of its lines, and parted over
    them by largest remainder: no line is a whole unit off its exact tax. With it, each line's tax
    is rounded alone, and a rate's is their sum.
    """
    groups: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        if line.ppm < 0:
            raise MoneyError(f"line {place + 1} has a tax rate of {line.ppm} millionths")
        groups[line.area, line.ppm].append(place)
    taxes = [0] * len(lines)
    for (_, ppm), places in groups.items():
        amounts = [lines[place].amount_minor for place in places]
        found = _alone(amounts, ppm, gross) if by_line else _parted(amounts, ppm, gross)
        for place, tax in zip(places, found, strict=True):
            taxes[place] = tax
    taxed = tuple(_taxed(line, tax, gross) for line, tax in zip(lines, taxes, strict=True))
    order = sorted(groups, key=lambda group: (group[0], -group[1]))
    rates = tuple(_of_rate(*group, [taxed[place] for place in groups[group]]) for group in order)
    return _totalled(taxed, rates, sum(line.posted_minor for line in lines))


def _alone(amounts: Sequence[int], ppm: int, gross: bool) -> list[int]:
    return [round_half_away(amount * ppm, _whole(ppm, gross)) for amount in amounts]


def _parted(amounts: Sequence[int], ppm: int, gross: bool) -> list[int]:
    """Part the tax of a sum over its amounts: each rounded down, then a unit to the largest rests.

    `money.spread` is not enough: an invoice may hold discounts, which are below zero. A sum below
    zero is parted as its opposite, so that a credit note mirrors its invoice. Rests of the same
    size get their units in the order of the lines.
    """
    whole = _whole(ppm, gross)
    sign = -1 if sum(amounts) < 0 else 1
    exact = [divmod(sign * amount * ppm, whole) for amount in amounts]
    missing = round_half_away(sign * sum(amounts) * ppm, whole) - sum(tax for tax, _ in exact)
    by_rest = sorted(range(len(exact)), key=lambda place: -exact[place][1])
    lucky = frozenset(by_rest[:missing])
    return [sign * (tax + (place in lucky)) for place, (tax, _) in enumerate(exact)]


def _whole(ppm: int, gross: bool) -> int:
    """Give what the rate is a part of: of a gross amount, the tax is ppm of a million and ppm."""
    return MILLION + ppm if gross else MILLION


def _taxed(line: Taxable, tax: int, gross: bool) -> TaxedLine:
    return TaxedLine(line.amount_minor - tax if gross else line.amount_minor, tax)


def _of_rate(area: str, ppm: int, lines: Sequence[TaxedLine]) -> RateTax:
    net, tax = sum(line.net_minor for line in lines), sum(line.tax_minor for line in lines)
    return RateTax(area, ppm, net, tax)


def _totalled(lines: tuple[TaxedLine, ...], rates: tuple[RateTax, ...], posted: int) -> InvoiceTax:
    net = sum(line.net_minor for line in lines)
    tax = sum(line.tax_minor for line in lines)
    for figure in chain((net, tax, net + tax, tax - posted), (rate.net_minor for rate in rates)):
        bounded(figure)
    return InvoiceTax(lines, rates, net, tax, tax - posted)
