"""Setting a company up: providers, the companies they invoice by, departments, tax rates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from difflib import get_close_matches
from typing import Any
from zoneinfo import available_timezones

from babel import Locale
from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from billclock import clock
from billclock.billing import currencies, keeping
from billclock.billing.catalog import Product
from billclock.billing.charges import Charge
from billclock.billing.clients import Account
from billclock.billing.currencies import Currency
from billclock.billing.documents.paper import LANGUAGES
from billclock.billing.errors import BillingError, DetailsError, UnknownCurrencyError
from billclock.billing.keeping import Faults
from billclock.billing.money import MILLION
from billclock.billing.numbering import NumberTemplate
from billclock.billing.progress import Watermark
from billclock.billing.provider import Company, Department, Provider, TaxRate
from billclock.billing.services import Service

MOST_DAYS = 366
FIRST_YEAR, YEARS_AHEAD = 2000, 10
_HOLIDAY = re.compile(r"(?:[0-9]{4}-)?(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])")
_AREA = re.compile(r"([A-Z]{2})(?:[-/][A-Za-z0-9-]+)?")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")


@transaction.atomic
def open_provider(*, currency: str, **details: Any) -> Provider:
    """Make a provider with the facts of Provider; a currency of the standard is taken up for it.

    Raises DetailsError, whose faults are by field.
    """
    return _provider(Provider(), currency, details)


@transaction.atomic
def change_provider(provider: Provider, *, currency: str, **details: Any) -> Provider:
    """Change a provider; what it accounts in stays from its first account on."""
    return _provider(keeping.locked(provider), currency, details)


def _provider(row: Provider, currency: str, details: dict[str, Any]) -> Provider:
    faults: Faults = {}
    try:
        known = use(currency)
    except UnknownCurrencyError as error:
        raise DetailsError(row.code, {"currency": str(error)}) from None
    if row.pk and row.currency_id != known.code and row.accounts.exists():
        faults["currency"] = _("It has accounts already, so %s stays.") % row.currency_id
    facts = {**details, "currency": known}
    faults |= _provider_faults(facts)
    return keeping.keep(row, facts, faults)


def _provider_faults(facts: dict[str, Any]) -> Faults:
    faults: Faults = {}
    if "zone" in facts and facts["zone"] not in available_timezones():
        faults["zone"] = _unknown_zone(facts["zone"])
    if facts.get("language", "en") not in LANGUAGES:
        faults["language"] = _("Letters are written in: %s.") % ", ".join(LANGUAGES)
    for name in ("low_money_days", "expiry_days"):
        if any(day not in range(MOST_DAYS + 1) for day in facts.get(name, ())):
            faults[name] = _("Give days from 0 to %d, such as 10 5 3 1 0.") % MOST_DAYS
    if odd := [day for day in facts.get("holidays", ()) if not _is_holiday(day)]:
        faults["holidays"] = _("%s is no day: write 2027-05-01, or 05-01 for every year.") % odd[0]
    if (facts.get("quiet_from") is None) != (facts.get("quiet_until") is None):
        faults["quiet_until"] = _("Give both ends of the quiet hours, or none.")
    for name in ("most_suspended_ppm", "most_priced_ppm"):
        if facts.get(name, 0) > MILLION:
            faults[name] = _("A share is at most 100 %.")
    return faults


def _unknown_zone(zone: str) -> str:
    near = get_close_matches(zone, available_timezones(), n=3, cutoff=0.5)
    meant = ", ".join(near) or "Europe/Berlin"
    return _("%(zone)s is no time zone; did you mean %(near)s?") % {"zone": zone, "near": meant}


def _is_holiday(text: str) -> bool:
    if not _HOLIDAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text if len(text) > len("05-01") else f"2000-{text}")
    except ValueError:
        return False
    return True


@transaction.atomic
def open_company(provider: Provider, **details: Any) -> Company:
    """Make a company of a provider with the facts of Company; raises DetailsError."""
    row = Company(provider=provider)
    return keeping.keep(row, details, _company_faults(details))


@transaction.atomic
def change_company(company: Company, **details: Any) -> Company:
    """Change a company; whether prices contain the tax stays from its first service on."""
    row = keeping.locked(company)
    faults = _company_faults(details)
    if keeping.changed(row, details, ["prices_gross"]) and _sold(row):
        faults["prices_gross"] = _(
            "Services are billed by its prices already: make a second company for the others."
        )
    return keeping.keep(row, details, faults)


def _sold(company: Company) -> bool:
    return Service.objects.filter(product__in=Product.objects.filter(company=company)).exists()


def _company_faults(details: dict[str, Any]) -> Faults:
    faults: Faults = {}
    if not is_country(details.get("country", "DE")):
        faults["country"] = _("Give a country by two letters of ISO 3166, such as DE.")
    if "number_template" in details:
        keeping.found(
            faults, "number_template", lambda: NumberTemplate.parse(details["number_template"])
        )
    bank = details.get("bank", {})
    if bank.get("iban") and not is_iban(bank["iban"]):
        faults["iban"] = _("No account has this IBAN: a digit or letter is wrong or missing.")
    if bank.get("bic") and not _BIC.fullmatch(bank["bic"]):
        faults["bic"] = _("A BIC has 8 or 11 letters and digits, such as BYLADEM1001.")
    return faults


def is_country(code: str) -> bool:
    """Tell whether two letters are a country."""
    return len(code) == len("DE") and code.isalpha() and code in Locale("en").territories


def is_iban(text: str) -> bool:
    """Tell whether an IBAN without spaces has the check digits of ISO 13616."""
    if not _IBAN.fullmatch(text):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1


@transaction.atomic
def add_department(provider: Provider, **details: Any) -> Department:
    """Make a department of a provider; raises DetailsError."""
    return keeping.keep(Department(provider=provider), details)


@transaction.atomic
def change_department(department: Department, **details: Any) -> Department:
    """Change a department's name or address; raises DetailsError."""
    return keeping.keep(keeping.locked(department), details)


@transaction.atomic
def set_tax(area: str, *, ppm: int, valid_from: date, name: str = "") -> TaxRate:
    """Let an area's tax be so many millionths from a day on, whatever it was before that.

    Raises DetailsError where something of that area was charged on that day or later: what was
    posted stays posted.
    """
    faults: Faults = {}
    area = area.strip()
    found = _AREA.fullmatch(area)
    if found is None or not is_country(found[1]):
        faults["area"] = _("Give a country such as DE, or one and a kind such as DE-books.")
    if not 0 <= ppm <= MILLION:
        faults["ppm"] = _("A share is at most 100 %.")
    if not believable(valid_from):
        faults["valid_from"] = unbelievable()
    elif last := _taxed(area, valid_from):
        faults["valid_from"] = _(
            "%(area)s was charged on %(on)s already: choose a day behind it."
        ) % {"area": area, "on": last}
    details = {"area": area, "ppm": ppm, "valid_from": valid_from, "name": name}
    return keeping.keep(TaxRate(), details, faults)


def _taxed(area: str, since: date) -> date | None:
    """Give the latest day, not before `since`, on which an account of an area was charged."""
    accounts = Account.objects.filter(tax_area=area, reverse_charge=False)
    charged = Charge.objects.filter(account__in=accounts, on__gte=since)
    return charged.order_by("-on").values_list("on", flat=True).first()


@transaction.atomic
def take_back_tax(rate: TaxRate) -> None:
    """Delete a rate by which nothing was charged yet; raises BillingError for any other."""
    row = keeping.locked(rate)
    try:
        row.delete()
    except ProtectedError:
        what = _("the tax of %(area)s from %(on)s is in charges already") % {
            "area": row.area,
            "on": row.valid_from,
        }
        raise BillingError(what, _("set another rate from a later day")) from None


def use(code: str) -> Currency:
    """Give a currency of the standard, put into use where it was not; UnknownCurrencyError."""
    known = Currency.objects.filter(code=code.strip().upper()).first()
    return known or currencies.take_up(code)


def billed_until(providers: Iterable[Provider]) -> date | None:
    """Give the latest date whose renewals are done at one of some providers."""
    marks = Watermark.objects.filter(job="billdaily", provider__in=list(providers))
    return marks.order_by("-on").values_list("on", flat=True).first()


def believable(on: date) -> bool:
    """Tell whether a day is one that a price list may speak of."""
    return FIRST_YEAR <= on.year <= clock.today().year + YEARS_AHEAD


def unbelievable() -> str:
    """Say which days a price list may speak of."""
    return _("Choose a day from the year %(first)d to %(years)d years ahead.") % {
        "first": FIRST_YEAR,
        "years": YEARS_AHEAD,
    }


def descending(days: Iterable[int]) -> list[int]:
    """Put days in the order in which their letters go out, each once."""
    return sorted(set(days), reverse=True)
