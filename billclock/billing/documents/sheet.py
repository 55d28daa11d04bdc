"""A paper put into words: all texts of a document, as plain lists and dicts for its template."""

from __future__ import annotations

from typing import Any

from billclock.billing.documents import figures
from billclock.billing.documents.paper import Bank, InvoicePaper, Kind, Line, Party, TaxTotal
from billclock.billing.documents.words import WORDS, Words

_FIGURES = ("unit_price", "net", "tax", "gross")
PRICE = 2
"""The place of the unit price among the columns, which are one less where no line has one."""


def sheet(paper: InvoicePaper) -> dict[str, Any]:
    """Give what a document shows, in its language: texts only, amounts of a credit note negative.

    `width` is the count of characters that the columns of figures need side by side.
    """
    words = WORDS[paper.language]
    title = words.titles[paper.kind]
    rows = [_row(line, paper, words) for line in paper.lines]
    priced = any(row["unit_price"] for row in rows) or not rows
    return {
        "language": paper.language,
        "title": title,
        "name": f"{title} {paper.number}".strip(),
        "seller": _party(paper.seller, words) | {"label": words.parties[paper.kind][0]},
        "buyer": _party(paper.buyer, words) | {"label": words.parties[paper.kind][1]},
        "facts": _facts(paper, words),
        "head": [name for place, name in enumerate(words.columns) if priced or place != PRICE],
        "priced": priced,
        "rows": rows,
        "width": sum(max((len(row[name]) for row in rows), default=0) for name in _FIGURES),
        "sums": _sums(paper, words),
        "total": _pair(words.whole[paper.kind], _total(paper, paper.gross_minor, words)),
        "rest": _rest(paper, words),
        "notes": [part for note in paper.notes for part in note.splitlines() if part.strip()],
        "payment": _payment(paper, words),
        "signature": words.signature if paper.kind is Kind.CLOSING else "",
        "page": list(words.page),
        "seal": f"{words.seal}: {paper.seal}" if paper.seal else "",
        "attached": words.attached,
    }


def _party(party: Party, words: Words) -> dict[str, Any]:
    numbers = ((words.tax_number, party.tax_number), (words.registration, party.registration))
    return {
        "name": party.name,
        "address": list(party.address),
        "numbers": [_pair(label, number) for label, number in numbers if number],
    }


def _facts(paper: InvoicePaper, words: Words) -> list[list[str]]:
    facts = [_pair(words.number, paper.number)] if paper.number else []
    facts.append(_pair(words.issued, figures.day(paper.issued_on, words)))
    if paper.due_on:
        facts.append(_pair(words.due, figures.day(paper.due_on, words)))
    if paper.credits and paper.kind in words.credited:
        named = paper.credits
        if paper.credits_on:
            day = figures.day(paper.credits_on, words)
            named = words.of_day.format(number=named, day=day)
        facts.append(_pair(words.credited[paper.kind], named))
    return [*facts, _pair(words.currency, paper.currency)]


def _row(line: Line, paper: InvoicePaper, words: Words) -> dict[str, str]:
    price = line.unit_price_micro
    sign = _sign(paper)
    return {
        "text": line.text,
        "period": figures.period(line.start, line.end, words) if line.start and line.end else "",
        "quantity": line.quantity,
        "unit_price": ""
        if price is None
        else figures.unit_price(sign * price, paper.decimals, words),
        "net": _amount(paper, line.net_minor, words),
        "rate": figures.share(line.tax_ppm, words),
        "tax": _amount(paper, line.tax_minor, words),
        "gross": _amount(paper, line.gross_minor, words),
    }


def _sums(paper: InvoicePaper, words: Words) -> list[list[str]]:
    net = _pair(words.net, _amount(paper, paper.net_minor, words))
    return [net, *(_tax(tax, paper, words) for tax in paper.taxes)]


def _tax(tax: TaxTotal, paper: InvoicePaper, words: Words) -> list[str]:
    label = words.taxed.format(
        tax=tax.name or words.tax,
        rate=figures.share(tax.ppm, words),
        net=_amount(paper, tax.net_minor, words),
    )
    return _pair(label, _amount(paper, tax.tax_minor, words))


def _rest(paper: InvoicePaper, words: Words) -> list[list[str]]:
    """Give what was paid and what is left, or nothing where nothing was paid."""
    if not paper.paid_minor:
        return []
    left = words.overpaid if paper.due_minor < 0 else words.open[paper.kind]
    paid = words.paid_back if paper.kind is Kind.CREDIT_NOTE else words.paid
    return [
        _pair(paid, _total(paper, paper.paid_minor, words)),
        _pair(left, _total(paper, abs(paper.due_minor), words)),
    ]


def _payment(paper: InvoicePaper, words: Words) -> list[list[str]]:
    """Give where to pay, on what asks for money that is still due."""
    bank = paper.seller.bank
    if not bank or paper.kind not in {Kind.INVOICE, Kind.REQUEST} or paper.due_minor <= 0:
        return []
    where = _bank(bank, words)
    return [*where, _pair(words.reference, paper.number)] if paper.number else where


def _bank(bank: Bank, words: Words) -> list[list[str]]:
    named = (
        (words.account, figures.account(bank.account)),
        (words.bic, bank.bic),
        (words.bank, bank.name),
    )
    return [_pair(label, value) for label, value in named if value]


def _amount(paper: InvoicePaper, minor: int, words: Words) -> str:
    return figures.amount(_sign(paper) * minor, paper.decimals, words)


def _sign(paper: InvoicePaper) -> int:
    return -1 if paper.kind is Kind.CREDIT_NOTE else 1


def _total(paper: InvoicePaper, minor: int, words: Words) -> str:
    return f"{_amount(paper, minor, words)}\u00a0{paper.currency}"


def _pair(label: str, value: str) -> list[str]:
    return [label, value]
