"""What a document says: a paper is frozen, complete, and adds up, or it cannot be made.

Amounts are in minor units of the paper's currency, unit prices in millionths of the major unit,
rates in millionths of a whole. They are the figures of the books, positive on a credit note too:
that it takes back, its kind says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from billclock.billing.errors import DocumentError

LANGUAGES = ("en", "ru")

_MOST_DECIMALS = 6


class Kind(StrEnum):
    """What a document is, by the names that the books use."""

    INVOICE = "invoice"
    REQUEST = "request"
    CREDIT_NOTE = "credit note"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Bank:
    """Where money goes: an IBAN or another account number, and the bank's own name and code."""

    account: str
    bic: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """Who sells or buys: names and numbers as they stood when the document was issued."""

    name: str
    address: tuple[str, ...] = ()
    tax_number: str = ""
    registration: str = ""
    bank: Bank | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One thing sold, over the days from `start` to before `end` where it has a period."""

    text: str
    net_minor: int
    tax_ppm: int
    tax_minor: int
    quantity: str = "1"
    unit_price_micro: int | None = None
    start: date | None = None
    end: date | None = None

    @property
    def gross_minor(self) -> int:
        """Give what the line costs, tax included."""
        return self.net_minor + self.tax_minor


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """The tax of one rate, on the sum of its lines; `name` is the tax's own, such as VAT."""

    ppm: int
    net_minor: int
    tax_minor: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class InvoicePaper:
    """All that one document shows; DocumentError where its figures or words do not agree.

    `credits` is the number of the invoice that a credit note takes back, or that a closing document
    belongs to, `credits_on` its date. `seal` is printed at the foot of each page; nothing else of
    the paper depends on it, so that it can be the digest of the rest. A draft has no number.
    """

    kind: Kind
    number: str
    issued_on: date
    seller: Party
    buyer: Party
    currency: str
    decimals: int
    lines: tuple[Line, ...]
    taxes: tuple[TaxTotal, ...]
    net_minor: int
    tax_minor: int
    paid_minor: int = 0
    due_on: date | None = None
    notes: tuple[str, ...] = ()
    credits: str = ""
    credits_on: date | None = None
    language: str = "en"
    seal: str = ""

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            self._refuse(
                f"there are no words in {self.language!r}", f"use {' or '.join(LANGUAGES)}"
            )
        if not 0 <= self.decimals <= _MOST_DECIMALS:
            self._refuse(f"{self.currency} cannot have {self.decimals} decimals")
        self._check_sums()
        self._check_days()

    @property
    def gross_minor(self) -> int:
        """Give the sum of all lines, tax included."""
        return self.net_minor + self.tax_minor

    @property
    def due_minor(self) -> int:
        """Give what is still to be paid; below zero where too much was paid."""
        return self.gross_minor - self.paid_minor

    def _check_sums(self) -> None:
        self._agree("net of the lines", (line.net_minor for line in self.lines), self.net_minor)
        self._agree("tax of the lines", (line.tax_minor for line in self.lines), self.tax_minor)
        self._agree("net of the rates", (tax.net_minor for tax in self.taxes), self.net_minor)
        self._agree("tax of the rates", (tax.tax_minor for tax in self.taxes), self.tax_minor)

    def _agree(self, what: str, figures: Iterable[int], total: int) -> None:
        found = sum(figures)
        if found != total:
            self._refuse(f"the {what} is {found}, the document says {total} (minor units)")

    def _check_days(self) -> None:
        for place, line in enumerate(self.lines, 1):
            if line.start is None and line.end is None:
                continue
            if line.start is None or line.end is None or line.start >= line.end:
                self._refuse(f"line {place}: no day lies from {line.start} to before {line.end}")

    def _refuse(self, what: str, mend: str = "") -> None:
        raise DocumentError(self.kind, self.number, what, mend)
