"""Lines of invoices: charges read by set and put into words, or words and figures of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from billclock.billing import engine, money
from billclock.billing.charges import ChargeKind
from billclock.billing.taxes import Taxable, invoice_tax

LONGEST = 300
"""Characters of a line's text: the books' column."""

WORDS: Mapping[str, Mapping[ChargeKind, str]] = {
    "en": {
        ChargeKind.SETUP: "{sold}, set-up",
        ChargeKind.ADDON: "{sold}: {addon}",
        ChargeKind.OVERAGE: "{sold}: {addon}, beyond what is included",
    },
    "ru": {
        ChargeKind.SETUP: "{sold}, установка",
        ChargeKind.ADDON: "{sold}: {addon}",
        ChargeKind.OVERAGE: "{sold}: {addon}, сверх включённого",
    },
}
BY_DAY = frozenset({ChargeKind.DAILY, ChargeKind.HOURLY, ChargeKind.OVERAGE})
"""What is charged for each day stands on a document once for days that follow each other."""

HOURS = {"en": "{} h", "ru": "{} ч"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line to be: figures in minor units as the charge posted them, or as one would.

    `start` to before `end` is its period, none for what is paid once; `kind` is its charge's.
    """

    text: str
    net_minor: int
    tax_minor: int = 0
    tax_ppm: int = 0
    tax_area: str = ""
    quantity: int = 1
    start: date | None = None
    end: date | None = None
    charge: int | None = None
    kind: int | None = None

    def amount(self, *, gross: bool) -> int:
        """Give the price, or with `gross` the price that contains the tax."""
        return self.net_minor + self.tax_minor if gross else self.net_minor

    def goes_on(self, before: Line) -> bool:
        """Tell whether it stands with the line before it as one."""
        follows = self.kind in BY_DAY and self.start == before.end
        return follows and self._thing == before._thing

    @property
    def _thing(self) -> tuple[str, int, str, int | None]:
        return self.text, self.tax_ppm, self.tax_area, self.kind


@dataclass(frozen=True, slots=True)
class Charged:
    """A charge that may stand on an invoice: whose, by which company, of which product type."""

    account: int
    company: int
    type: str
    line: Line


def charged(condition: str, values: engine.Values, languages: Mapping[int, str]) -> list[Charged]:
    """Read the charges (c) that a condition holds for, by account, company, service and time.

    `languages` gives the words' language by account, English where it says nothing.
    """
    found = engine.rows(
        f"""SELECT c.id, c.account_id, p.company_id, k.code, p.name, s.name, s.number,
                   coalesce(d.name, ''), c.kind, c.quantity, c.period_start, c.period_end,
                   c.net_minor, c.tax_minor, coalesce(t.ppm, 0), coalesce(t.area, '')
            FROM billing_charge c
            JOIN billing_service s ON s.id = c.service_id
            LEFT JOIN billing_price q ON q.id = c.price_id
            JOIN billing_product p ON p.id = coalesce(q.product_id, s.product_id)
            JOIN billing_producttype k ON k.id = p.type_id
            LEFT JOIN billing_addon d ON d.id = c.addon
            LEFT JOIN billing_taxrate t ON t.id = c.tax_rate_id
            WHERE {condition}
            ORDER BY c.account_id, p.company_id, s.id, c.addon, c.kind, c.period_start, c.id""",  # noqa: S608
        values,
    )
    return [_charged(row, languages.get(row[1], "en")) for row in found]


def figures(lines: Sequence[Line], *, gross: bool, by_line: bool) -> list[tuple[int, int]]:
    """Give each line's net and tax on an invoice, in minor units.

    Unless tax is taken `by_line`, lines that stand as one are taxed as one, and its tax is parted
    over them: so what is printed is never a whole unit off its exact tax.
    """
    groups = [[line] for line in lines] if by_line else list(together(lines))
    wholes = [
        Taxable(sum(line.amount(gross=gross) for line in of), of[0].tax_ppm, of[0].tax_area)
        for of in groups
    ]
    taxed = invoice_tax(wholes, gross=gross, by_line=by_line)
    return [
        (line.amount(gross=gross) - (tax if gross else 0), tax)
        for of, whole in zip(groups, taxed.lines, strict=True)
        for line, tax in zip(of, _parted(whole.tax_minor, of, gross=gross), strict=True)
    ]


def together(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Give lines in their order, those that stand as one in one list."""
    group: list[Line] = []
    for line in lines:
        if group and not line.goes_on(group[-1]):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _parted(tax: int, lines: Sequence[Line], *, gross: bool) -> list[int]:
    if len(lines) == 1:
        return [tax]
    return money.spread(tax, [line.amount(gross=gross) for line in lines])


def quantity(kind: int | None, amount: int, language: str) -> str:
    """Give the quantity of a line as a document has it: hours are called so."""
    return HOURS[language].format(amount) if kind == ChargeKind.HOURLY else str(amount)


def _charged(row: tuple[Any, ...], language: str) -> Charged:
    key, account, company, type_, product, name, number, addon, kind, amount, start, end, *of = row
    net, tax, ppm, area = of
    sold = f"{product}, {name or number}"
    words = WORDS[language].get(kind, "{sold}").format(sold=sold, addon=addon)
    period = _period(start, end)
    line = Line(words[:LONGEST], net, tax, ppm, area, amount, *period, key, kind)
    return Charged(account, company, type_, line)


def _period(start: date | str, end: date | str) -> tuple[date | None, date | None]:
    """Give a charge's period, none where it has no days; SQLite gives days as text."""
    first, last = (date.fromisoformat(str(day)) for day in (start, end))
    return (first, last) if first < last else (None, None)
