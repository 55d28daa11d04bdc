"""Discounts and promo codes: given from a day on, ended, never made to reach back."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billclock import clock
from billclock.billing import founding, keeping
from billclock.billing.catalog import Discount, PromoCode
from billclock.billing.errors import BillingError
from billclock.billing.keeping import Faults
from billclock.billing.provider import Provider


@transaction.atomic
def give_discount(**details: Any) -> Discount:
    """Make a discount with the facts of Discount; raises DetailsError.

    It begins today or later: what was billed without it stays so.
    """
    faults: Faults = {}
    if details.get("group") is not None and details.get("account") is not None:
        faults["account"] = _("Give a group or an account, not both.")
    if fault := keeping.share_fault(details["ppm"]):
        faults["ppm"] = fault
    if details["valid_from"] < _earliest():
        faults["valid_from"] = _("What is billed stays as it is: choose today or a later day.")
    faults |= _end_faults(details["valid_from"], details.get("valid_until"))
    return keeping.keep(Discount(), details, faults)


@transaction.atomic
def change_discount(discount: Discount, *, name: str, valid_until: date | None) -> Discount:
    """Name a discount otherwise, or let it end on another day than it would; none in the past."""
    row = keeping.locked(discount)
    faults: Faults = {}
    if valid_until != row.valid_until:
        faults = _end_faults(row.valid_from, valid_until)
        if _is_past(valid_until) or _is_past(row.valid_until):
            faults["valid_until"] = _("What is billed stays as it is: make another discount.")
    return keeping.keep(row, {"name": name, "valid_until": valid_until}, faults)


@transaction.atomic
def take_back_discount(discount: Discount) -> None:
    """Delete a discount that has not begun; raises BillingError for any other."""
    row = keeping.locked(discount)
    if row.valid_from <= clock.today():
        raise BillingError(_("%s has begun already") % row.name, _("let it end instead"))
    row.delete()


@transaction.atomic
def offer_code(provider: Provider, **details: Any) -> PromoCode:
    """Make a promo code of a provider with the facts of PromoCode; raises DetailsError."""
    row = PromoCode(provider=provider)
    return keeping.keep(row, details, _code_faults(row, details))


@transaction.atomic
def change_code(code: PromoCode, **details: Any) -> PromoCode:
    """Change what a promo code gives from now on; services that used it keep what they have."""
    row = keeping.locked(code)
    return keeping.keep(row, details, _code_faults(row, details))


def _code_faults(row: PromoCode, details: dict[str, Any]) -> Faults:
    faults: Faults = {}
    if fault := keeping.share_fault(details["ppm"]):
        faults["ppm"] = fault
    if "code" in details and any(not sign.isprintable() or sign == " " for sign in details["code"]):
        faults["code"] = _("A code has no spaces.")
    if details.get("periods", 1) < 1:
        faults["periods"] = _("Give 1 or more.")
    most = details.get("most_uses")
    if most is not None and most < max(row.uses, 1):
        faults["most_uses"] = _("It was used %d times already.") % row.uses
    faults |= _end_faults(details["valid_from"], details.get("valid_until"))
    return faults


def _end_faults(since: date, until: date | None) -> Faults:
    faults: Faults = {}
    if not founding.believable(since):
        faults["valid_from"] = founding.unbelievable()
    if until is not None and until <= since:
        faults["valid_until"] = _("It has to end behind its first day.")
    elif until is not None and not founding.believable(until):
        faults["valid_until"] = founding.unbelievable()
    return faults


def _earliest() -> date:
    """Give the day it is for the provider who is furthest behind."""
    return min((each.today() for each in Provider.objects.all()), default=clock.today())


def _is_past(on: date | None) -> bool:
    return on is not None and on < _earliest()
