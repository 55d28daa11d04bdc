"""Money by bank: clients who transfer rightly, in part or wrongly, and staff who look into that."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import StringIO

from billclock.billing import banking, paying
from billclock.billing.clients import Account
from billclock.billing.invoices import Invoice
from billclock.billing.payments import BankEntry, Payment, PaymentMethod
from billclock.billing.provider import Provider
from billclock.simulation.dice import HUNDRED, chance, draw
from billclock.simulation.offers import BANK, LAYOUT

PAYERS = 400
"""So many of the accounts, the first ones, pay by transfer at all."""

IN_PART, GARBLED, UNNAMED = 15, 30, 45
"""Up to which draw of a hundred an invoice is paid in part, by a wrong number, by none."""

STRANGER = ("Kowalska, Janina", "DE75512108001245126199", "Danke für die schnelle Hilfe")
FOR_SOMEBODY = " i. A."
"""What stands behind the client's name where his bookkeeper paid, from an account of his own."""

FEES = ("Musterbank", "", "Kontoführung und Buchungsposten")


@dataclass(frozen=True, slots=True)
class Line:
    """A movement on the company's account: minor units, who, what was written, the bank's name."""

    minor: int
    name: str
    iban: str
    text: str
    reference: str


def method_of(provider: Provider) -> PaymentMethod | None:
    """Give the method that is paid by statement."""
    return PaymentMethod.objects.filter(provider=provider, code=BANK).first()


def transfers(account: Account) -> bool:
    """Tell whether an account's client pays by transfer."""
    known = account.currency_id == "EUR" and int(account.number[1:]) <= PAYERS
    return known and chance(60, "bank", account.number)


def line(invoice: Invoice, on: date) -> Line | None:
    """Give how an invoice is paid by transfer on a day; None where it was, by a wrong number."""
    account, how = invoice.account, draw(HUNDRED, "how", invoice.key)
    iban = account.payer.iban if account.payer else ""
    open_minor, name = invoice.open_minor, account.client.name
    if how < IN_PART:
        half = open_minor - open_minor // 2 if invoice.covered_minor == 0 else open_minor
        return Line(half, name, iban, f"{invoice.number} Teilzahlung", f"{invoice.key} {on}")
    if how < GARBLED:
        text = f"Rechnung {invoice.number[2:].replace('-', ' ')[:-2]}"
        odd = Line(open_minor, f"{name}{FOR_SOMEBODY}", "", text, invoice.key)
        known = BankEntry.objects.filter(name=odd.name, amount_minor=odd.minor)
        return None if known.exists() else odd
    text = "Rechnung" if how < UNNAMED and iban else f"Rechnung {invoice.number}"
    return Line(open_minor, name, iban, text, f"{invoice.key} {on}")


def receive(provider: Provider, lines: list[Line], on: date) -> None:
    """Import a day's statement, with what strangers and the bank itself add to it."""
    method = method_of(provider)
    if chance(15, "stranger", on):
        lines = [*lines, Line(1500 + draw(3000, on), *STRANGER, f"stranger {on}")]
    if on.day == 1:
        lines = [*lines, Line(-1290, *FEES, f"fees {on}")]
    if method is not None and chance(25, "ahead", on):
        lines = [*lines, *_ahead(method, on)]
    if method is not None and lines:
        banking.import_statement(method, _statement(lines, on))


def _ahead(method: PaymentMethod, on: date) -> Iterator[Line]:
    """Give what a client pays before he has to: he asked how, and names the payment's number."""
    known = Account.objects.filter(provider=method.provider_id, currency=method.currency_id)
    accounts = list(known.select_related("client", "company", "provider").order_by("pk")[:PAYERS])
    if accounts:
        account = accounts[draw(len(accounts), "ahead", on)]
        minor = 1000 * (1 + draw(9, "sum", on))
        asked = paying.request(
            account, method, minor, key=f"ahead {on}", purpose=Payment.Purpose.TOP_UP
        )
        if chance(75, "paid ahead", on):  # others think better of it
            yield Line(minor, account.client.name, "", f"Guthaben {asked.number}", f"ahead {on}")


def _statement(lines: list[Line], on: date) -> bytes:
    text = StringIO()
    rows = csv.writer(text, delimiter=";")
    rows.writerow(LAYOUT.values())
    for it in lines:
        amount = f"{'-' if it.minor < 0 else ''}{abs(it.minor) // 100},{abs(it.minor) % 100:02}"
        rows.writerow((f"{on:%d.%m.%Y}", amount, it.name, it.iban, it.text, it.reference))
    return text.getvalue().encode()


def look_into(provider: Provider, on: date, *, by: str) -> None:
    """Let staff find out, in time, what some of the entries that wait are for."""
    method = method_of(provider)
    if method is None:
        return
    for entry in banking.waiting(method):
        if entry.on == on or not chance(8, "desk", entry.key, on):
            continue
        if not entry.name.endswith(FOR_SOMEBODY):
            banking.set_aside(entry, "no client of ours: sent back", by=by)
        else:
            invoice = _meant(entry)
            if invoice is not None:
                banking.assign(entry, invoice, by=by)


def _meant(entry: BankEntry) -> Invoice | None:
    """Find the open invoice of whoever somebody else has paid for."""
    name = entry.name.removesuffix(FOR_SOMEBODY)
    found = Invoice.objects.filter(account__client__name=name, paid_on=None, currency="EUR")
    issued = found.filter(state=Invoice.State.ISSUED, kind=Invoice.Kind.INVOICE)
    fitting = (it for it in issued.order_by("pk") if it.open_minor == entry.amount_minor)
    return next(fitting, None)
