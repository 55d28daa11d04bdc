"""To whom invoices are made out, their tax numbers, and which tax follows for their accounts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from stdnum import get_cc_module, iban
from stdnum.exceptions import ValidationError as NumberFault

from billclock import clock
from billclock.billing import keeping
from billclock.billing.clients import Account, Client, Payer
from billclock.billing.errors import BillingError
from billclock.billing.founding import is_country
from billclock.billing.keeping import Faults
from billclock.billing.ledger import LedgerAccount
from billclock.billing.provider import Company


@transaction.atomic
def add(client: Client, **details: Any) -> Payer:
    """Add a payer of a client, with the facts of Payer; raises DetailsError.

    A tax number has the check digits of its country; that its tax office knows it is for `confirm`.
    """
    return _keep(Payer(client=client), details)


@transaction.atomic
def change(payer: Payer, **details: Any) -> Payer:
    """Change a payer; another number, country or kind has to be confirmed anew.

    The tax of its accounts follows, for what is charged from now on.
    """
    mine = hold(Account.objects.filter(payer=payer))
    row = keeping.locked(payer)
    _keep(row, details)
    retax(mine)
    return row


def _keep(row: Payer, details: dict[str, Any]) -> Payer:
    before = row.kind, row.country, row.tax_number
    facts = {**details, "country": details.get("country", row.country).strip().upper()}
    faults: Faults = {}
    if facts["country"] and not is_country(facts["country"]):
        faults["country"] = _("Give a country by two letters of ISO 3166, such as DE.")
    number = details.get("tax_number", row.tax_number).strip()
    if number and "country" not in faults:
        _read_number(facts, faults, number)
    if details.get("iban", "").strip():
        try:
            facts["iban"] = iban.validate(details["iban"])
        except NumberFault:
            faults["iban"] = _("No account has this IBAN: a digit or letter is wrong or missing.")
    if (facts.get("kind", row.kind), facts["country"], facts.get("tax_number", "")) != before:
        facts["tax_number_checked_at"] = None
    return keeping.keep(row, facts, faults)


def _read_number(facts: dict[str, Any], faults: Faults, number: str) -> None:
    """Read a tax number as its country writes it."""
    country = facts["country"]
    if not country:
        faults["country"] = _("Give the country whose tax number this is.")
        return
    rules = get_cc_module(country, "vat")
    if rules is None:
        facts["tax_number"] = number
        return
    try:
        plain = rules.validate(number)
    except NumberFault:
        faults["tax_number"] = _(
            "%(country)s gives no such tax number: a digit or letter is wrong or missing."
        ) % {"country": country}
        return
    sign = "EL" if country == "GR" else country
    begins = number.upper().replace(" ", "").startswith(sign) and not plain.startswith(sign)
    facts["tax_number"] = f"{sign}{plain}" if begins else plain


@transaction.atomic
def confirm(payer: Payer) -> Payer:
    """Write down that the tax office knows a payer's number; the tax of its accounts follows.

    Raises BillingError where there is no number.
    """
    mine = hold(Account.objects.filter(payer=payer))
    row = keeping.locked(payer)
    if not row.tax_number:
        raise BillingError(
            _("payer %s has no tax number") % row.name, _("enter it first, with its country")
        )
    row.tax_number_checked_at = clock.now()
    row.save(update_fields=["tax_number_checked_at"])
    retax(mine)
    return row


def tax_of(company: Company, client: Client, payer: Payer | None) -> tuple[str, bool]:
    """Give whose tax an account's charges bear, and whether the buyer owes it himself.

    That is so for a business of another country whose tax number was confirmed.
    """
    country = (payer.country if payer else "") or client.country or company.country
    turned = (
        payer is not None
        and country != company.country
        and payer.kind != Client.Kind.INDIVIDUAL
        and bool(payer.tax_number)
        and payer.tax_number_checked_at is not None
    )
    return country, turned


def hold(accounts: QuerySet[Account]) -> list[int]:
    """Lock some accounts' money, as every act does first, and give their keys."""
    keys = sorted(accounts.values_list("pk", flat=True))
    held = LedgerAccount.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    return [one.pk for one in held]


def retax(keys: Iterable[int]) -> None:
    """Set the tax of held accounts anew from company, client and payer; for acts that end so."""
    found = Account.objects.filter(pk__in=keys).select_related("company", "client", "payer")
    for account in found:
        account.tax_area, account.reverse_charge = tax_of(
            account.company, account.client, account.payer
        )
        account.save(update_fields=["tax_area", "reverse_charge"])
