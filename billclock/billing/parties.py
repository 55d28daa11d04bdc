"""Who sells and who buys, as an invoice keeps them from the day it is issued."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from babel import Locale

from billclock.billing.clients import Account
from billclock.billing.documents.paper import LANGUAGES, Bank, Party
from billclock.billing.provider import Company, TaxRate

Frozen = Mapping[str, Any]
"""Plain values, as JSON has them."""


def language(account: Account) -> str:
    """Give the language of an account's documents: its first contact's, else the provider's."""
    first = min(account.client.contacts.all(), key=lambda contact: contact.pk, default=None)
    wanted = first.language if first else account.provider.language
    return wanted if wanted in LANGUAGES else "en"


def seller(company: Company, rates: Iterable[TaxRate]) -> Frozen:
    """Freeze a company; of the rates it keeps what each area's tax is called."""
    return {
        "name": company.name,
        "address": company.address.splitlines(),
        "tax_number": company.tax_number,
        "registration": company.registration,
        "bank": dict(company.bank),
        "taxes": {rate.area: rate.name for rate in rates if rate.name},
    }


def buyer(account: Account, company: Company) -> Frozen:
    """Freeze to whom an invoice is made out: the payer, else the client; abroad with his country.

    Where he owes the tax himself, `reverse_charge` says so.
    """
    payer, client, words = account.payer, account.client, language(account)
    address = payer.address.splitlines() if payer else []
    country = (payer.country if payer else "") or client.country
    if country and country != company.country:
        address.append(Locale(words).territories.get(country, country))
    return {
        "name": payer.name if payer else client.name,
        "address": address,
        "tax_number": payer.tax_number if payer else "",
        "language": words,
        "reverse_charge": account.reverse_charge,
    }


def party(frozen: Frozen) -> Party:
    """Give a frozen party as a paper has it."""
    return Party(
        name=frozen["name"],
        address=tuple(frozen["address"]),
        tax_number=frozen["tax_number"],
        registration=frozen.get("registration", ""),
        bank=_bank(frozen.get("bank") or {}),
    )


def _bank(bank: Mapping[str, str]) -> Bank | None:
    account = bank.get("iban") or bank.get("account")
    return Bank(account, bank.get("bic", ""), bank.get("name", "")) if account else None
