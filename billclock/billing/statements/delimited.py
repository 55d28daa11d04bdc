"""Statements as CSV: which column says what is told, how it is written is found out."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from io import StringIO

from billclock.billing import money
from billclock.billing.errors import StatementError, UnknownCurrencyError
from billclock.billing.statements.base import (
    MOST,
    EntryError,
    Fault,
    Reading,
    StatementEntry,
    amount,
    check_size,
    gathered,
    tidy,
)
from billclock.billing.statements.sniffing import as_date, date_form, decimal_sign, decoded

DELIMITERS = ";,\t|"
LONGEST_CELL = 10_000
SOUGHT = 50  # lines before the names of the columns

_GROUPS = re.compile(r"[\s'\u2019]")


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a bank's CSV by their names, in any case; "" where the bank has none.

    Either `amount` with its sign, or `credit` and `debit`. `currency` is the column, and
    `of_currency` the code where there is none. What the bank writes in no certain way may be told:
    `decimal` sign, `dates` (a form of strptime), `delimiter`, `encoding`.
    """

    date: str
    amount: str = ""
    credit: str = ""
    debit: str = ""
    currency: str = ""
    of_currency: str = ""
    party: str = ""
    iban: str = ""
    text: str = ""
    reference: str = ""
    bank_reference: str = ""
    account: str = ""
    decimal: str = ""
    dates: str = ""
    delimiter: str = ""
    encoding: str = ""

    def __post_init__(self) -> None:
        if not self.date or bool(self.amount) == bool(self.credit and self.debit):
            raise StatementError(
                "layout", "it must name the columns of the date, and of the amount or of credit"
                " and debit",
            )  # fmt: skip
        if not (self.currency or self.of_currency):
            raise StatementError("layout", "it must name the currency, or the column that does")

    @classmethod
    def of(cls, text: str) -> Layout:
        """Read one from `date=Datum; amount=Betrag; of_currency=EUR`; raise StatementError."""
        known = [field.name for field in fields(cls)]
        given: dict[str, str] = {}
        for part in filter(None, map(str.strip, text.split(";"))):
            name, sign, column = (piece.strip() for piece in part.partition("="))
            if not sign or name not in known or name in given:
                raise StatementError(
                    "layout", f"{part!r} is not one of NAME=COLUMN, each NAME once",
                    f"the names are {', '.join(known)}",
                )  # fmt: skip
            given[name] = column
        return cls(**{"date": "", **given})

    def columns(self) -> Mapping[str, str]:
        """Give the column's name, in lower case, by our name for it."""
        names = (
            "date", "amount", "credit", "debit", "currency", "party", "iban", "text", "reference",
            "bank_reference", "account",
        )  # fmt: skip
        return {name: getattr(self, name).strip().lower() for name in names if getattr(self, name)}


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Mapping[str, str]

    def get(self, name: str) -> str:
        return self.cells.get(name, "").strip()


def read(data: bytes, layout: Layout) -> Reading:
    """Read a file by its layout; raise StatementError where it is not one of these at all."""
    check_size(data)
    rows = list(_rows(decoded(data, layout.encoding), layout))
    form = layout.dates or date_form([row.get("date") for row in rows if row.get("date")])
    sign = layout.decimal or _sign(rows, layout)
    found: list[StatementEntry] = []
    faults: list[Fault] = []
    for row in rows:
        try:
            found.append(_entry(row, layout, form, sign))
        except EntryError as error:
            faults.append(Fault(f"line {row.line}", str(error)))
    return gathered([found], faults)


def _rows(text: str, layout: Layout) -> Iterator[_Row]:
    """Give the rows after the names of the columns; empty ones are left out."""
    wanted = layout.columns()
    places: dict[str, int] = {}
    reader = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text, layout))
    try:
        for number, cells in enumerate(reader):
            if number > MOST:
                raise StatementError("", f"more than {MOST} lines")
            if places:
                if any(cell.strip() for cell in cells):
                    yield _Row(reader.line_num, _named(cells, places))
            else:
                names = [cell.strip().lower() for cell in cells]
                if set(wanted.values()) <= set(names):
                    places = {ours: names.index(theirs) for ours, theirs in wanted.items()}
    except csv.Error as error:
        raise StatementError(f"line {reader.line_num}", str(error)) from None
    if not places:
        raise StatementError(
            "", f"no line names the columns {', '.join(sorted(set(wanted.values())))}",
            "compare the layout with the file's first lines",
        )  # fmt: skip


def _named(cells: list[str], places: Mapping[str, int]) -> dict[str, str]:
    return {
        name: cells[place][:LONGEST_CELL] for name, place in places.items() if place < len(cells)
    }


def _delimiter(text: str, layout: Layout) -> str:
    """Give the delimiter by which some line near the beginning has all the columns' names."""
    if layout.delimiter:
        return layout.delimiter
    wanted = set(layout.columns().values())
    for line in text.splitlines()[:SOUGHT]:
        for sign in DELIMITERS:
            cells = {cell.strip().strip('"').strip().lower() for cell in line.split(sign)}
            if wanted <= cells:
                return sign
    return ";"


def _sign(rows: list[_Row], layout: Layout) -> str:
    texts = [_plain(row.get(name)) for row in rows for name in ("amount", "credit", "debit")]
    codes = {layout.of_currency} if layout.of_currency else {row.get("currency") for row in rows}
    try:
        widest = max(codes, key=lambda code: money.exponent(code.upper()), default="EUR")
    except UnknownCurrencyError:
        widest = "EUR"  # the row itself will be told
    return decimal_sign([text for text in texts if text], widest.upper())


def _entry(row: _Row, layout: Layout, form: str, sign: str) -> StatementEntry:
    on = as_date(row.get("date"), form)
    if on is None:
        raise EntryError(f"{row.get('date')[:30]!r} is not a date of the form {form}")
    currency = (row.get("currency") or layout.of_currency).upper()
    return StatementEntry(
        statement="",
        account=_account(row.get("account")),
        on=on,
        minor=_minor(row, currency, sign),
        currency=currency,
        party=tidy(row.get("party")),
        iban=_account(row.get("iban")),
        text=tidy(row.get("text")),
        reference=tidy(row.get("reference")),
        bank_reference=tidy(row.get("bank_reference")),
        where=f"line {row.line}",
    )


def _minor(row: _Row, currency: str, sign: str) -> int:
    if row.get("amount"):
        return _signed(row.get("amount"), currency, sign)
    credit, debit = (
        _signed(row.get(name), currency, sign) if row.get(name) else 0
        for name in ("credit", "debit")
    )
    if bool(credit) == bool(debit):
        raise EntryError("it must have an amount in one column of credit and debit")
    return credit or -abs(debit)


def _signed(text: str, currency: str, sign: str) -> int:
    plain = _plain(text)
    minus = plain.startswith("-") or plain.endswith("-")
    digits = plain.strip("+-").replace("," if sign == "." else ".", "").replace(sign, ".")
    return (-1 if minus else 1) * amount(digits, currency)


def _plain(text: str) -> str:
    return _GROUPS.sub("", text.replace("\u2212", "-"))


def _account(text: str) -> str:
    return "".join(text.split()).upper()[:34]
