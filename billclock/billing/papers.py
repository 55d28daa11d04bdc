"""Invoices as papers: what was frozen when they were issued, and nothing else, as PDF."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date

from billclock.billing import invoice_lines, money, parties
from billclock.billing.documents import rendering
from billclock.billing.documents.paper import InvoicePaper, Kind, Line, TaxTotal
from billclock.billing.invoices import Invoice, InvoiceLine
from billclock.billing.parties import Frozen
from billclock.billing.provider import TaxRate

REVERSE_CHARGE = {
    "en": "Reverse charge: the recipient of the service owes the tax.",
    "ru": "Обратное начисление: налог уплачивает получатель услуги.",
}


def paper(invoice: Invoice, language: str = "") -> InvoicePaper:
    """Give an invoice as a paper, in its own language or as a copy in another one.

    A draft is as it would be issued today. What lines and notes say stays in the words they have.
    """
    seller, buyer, on = _parties(invoice)
    language = language or buyer["language"]
    buyer = {**buyer, "language": language}
    lines = list(invoice.lines.select_related("charge", "takes_back__charge").order_by("position"))
    groups = invoice_lines.together(map(_line, lines))
    return InvoicePaper(
        kind=Kind(invoice.kind), number=invoice.number, issued_on=on,
        seller=parties.party(seller), buyer=parties.party(buyer),
        currency=invoice.currency, decimals=money.exponent(invoice.currency),
        lines=tuple(_printed(of, language) for of in groups),
        taxes=tuple(_taxes(lines, seller["taxes"])),
        net_minor=invoice.net_minor, tax_minor=invoice.tax_minor,
        paid_minor=invoice.covered_minor, due_on=invoice.due_on,
        notes=tuple(_notes(invoice, buyer)), language=language,
        credits=invoice.credits.number if invoice.credits else "",
        credits_on=invoice.credits.issued_on if invoice.credits else None,
    )  # fmt: skip


def pdf(invoice: Invoice, language: str = "") -> bytes:
    """Give an invoice's PDF, made anew; DocumentError where it cannot be set."""
    return rendering.render(paper(invoice, language))


def _parties(invoice: Invoice) -> tuple[Frozen, Frozen, date]:
    if invoice.issued_on:
        return invoice.seller, invoice.buyer, invoice.issued_on
    on = invoice.account.provider.today()
    rates = TaxRate.objects.valid(on)
    account, company = invoice.account, invoice.company
    return parties.seller(company, rates), parties.buyer(account, company), on


def _notes(invoice: Invoice, buyer: Frozen) -> Iterator[str]:
    if invoice.note:
        yield invoice.note
    if buyer["reverse_charge"]:
        yield REVERSE_CHARGE[buyer["language"]]


def _line(row: InvoiceLine) -> invoice_lines.Line:
    charge = row.charge or (row.takes_back.charge if row.takes_back else None)
    return invoice_lines.Line(
        row.text, row.net_minor, row.tax_minor, row.tax_ppm, row.tax_area, row.quantity,
        row.period_start, row.period_end, kind=charge.kind if charge else None,
    )  # fmt: skip


def _printed(of: Sequence[invoice_lines.Line], language: str) -> Line:
    """Give lines that stand as one: what is charged by the day, for days that follow each other."""
    first, count = of[0], sum(line.quantity for line in of)
    return Line(
        first.text, sum(line.net_minor for line in of), first.tax_ppm,
        sum(line.tax_minor for line in of), invoice_lines.quantity(first.kind, count, language),
        start=first.start, end=of[-1].end,
    )  # fmt: skip


def _taxes(lines: Sequence[InvoiceLine], names: Frozen) -> Iterator[TaxTotal]:
    """Give the tax of each area's rate, the highest rate of an area first."""
    by_rate: defaultdict[tuple[str, int], list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        by_rate[line.tax_area, line.tax_ppm].append(line)
    for area, ppm in sorted(by_rate, key=lambda rate: (rate[0], -rate[1])):
        of = by_rate[area, ppm]
        yield TaxTotal(
            ppm, sum(line.net_minor for line in of), sum(line.tax_minor for line in of),
            names.get(area, ""),
        )  # fmt: skip
