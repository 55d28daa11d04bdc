"""Ordering a service, and renewing one by hand: paid at once, or not done at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext as _

from billclock.billing import booking, operations, periods, quotes, renewals, stopping
from billclock.billing.catalog import AddOn, Cycle, Product, PromoCode
from billclock.billing.charges import Charge
from billclock.billing.clients import Account
from billclock.billing.errors import BillingError
from billclock.billing.ledger import LedgerAccount
from billclock.billing.quotes import Line, Terms, Unit
from billclock.billing.services import (
    Operation,
    Reason,
    Service,
    ServiceAddOn,
    Status,
    lock,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client wants: `addons` are amounts by code, `parameters` what he chose besides."""

    product: Product
    months: int = 1
    addons: Mapping[str, int] = field(default_factory=dict)
    promo: str = ""
    auto_renew: bool = True
    name: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a wish comes to: its charges, and the promo code's share off for the first periods."""

    lines: tuple[Line, ...]
    amounts: Mapping[AddOn, int]
    promo: PromoCode | None

    @property
    def total_minor(self) -> int:
        """Give what is paid at once."""
        return quotes.total(self.lines)

    @property
    def end(self) -> date:
        """Give the day until which that pays."""
        return max(line.end for line in self.lines)


def offer(account: Account, wish: Wish, *, on: date) -> Offer:
    """Say what a wish costs an account; raise BillingError for what cannot be had."""
    _require_offered(account, wish.product)
    amounts = addon_amounts(wish.product, wish.addons)
    promo = _promo(account, wish.promo, on) if wish.promo else None
    terms = Terms.of(account, wish.product, on, promo.ppm if promo else 0)
    lines = _lines(account, wish, amounts, terms, on)
    return Offer(tuple(lines), amounts, promo)


def newest(account: Account) -> int:
    """Give the key of the service that was ordered last for an account, 0 where there is none."""
    return Service.objects.of(account.pk).aggregate(last=Max("pk"))["last"] or 0


@transaction.atomic
def order(account: Account, wish: Wish, *, on: date, after: int | None = None) -> Service:
    """Open a service whose first period is paid from the account, and let its module make it.

    `after` is the newest service that is known of where it is ordered: a form that is sent twice
    orders once. Raises NotEnoughMoneyError with what is missing, BillingError for what cannot be
    had, and where another service was ordered since.
    """
    LedgerAccount.objects.select_for_update().get(pk=account.pk)
    if after is not None and newest(account) != after:
        raise BillingError(
            _("another service was ordered for account %s meanwhile") % account.number,
            _("look whether one more is wanted"),
        )
    account = Account.objects.select_related("provider", "company", "funds").get(pk=account.pk)
    _codes(account, wish.promo).select_for_update().first()  # nobody else counts a use meanwhile
    offered = offer(account, wish, on=on)
    booking.require_money(account, offered.lines)
    service = _made(account, wish, offered, on)
    ServiceAddOn.objects.bulk_create(
        ServiceAddOn(service=service, addon=addon, quantity=quantity)
        for addon, quantity in offered.amounts.items()
    )
    booking.book(service, offered.lines, on=on)
    if offered.promo is not None:
        offered.promo.uses += 1
        offered.promo.save(update_fields=["uses"])
    operations.queue(service, Operation.Action.OPEN, "order")
    service.save(update_fields=["status"])
    return service


@transaction.atomic
def renew(
    service: Service, *, on: date, laid_out: bool = False, until: date | None = None
) -> Service:
    """Pay a service's next period from its account, before its end too, and give it.

    One that stands for money, or because its time was over, runs again; the days it stood are not
    billed. Raises NotEnoughMoneyError, and BillingError where it is not paid `until` the day that
    whoever asks has seen: nothing is changed then. See renewals for `laid_out`.
    """
    service = lock(service)
    if until is not None and service.paid_until != until:
        raise BillingError(
            _("service %(number)s is paid until %(until)s by now")
            % {"number": service.number, "until": service.paid_until},
            _("look at it again"),
        )
    for reason in (Reason.MONEY, Reason.EXPIRED):
        stopping.release(service, reason, on=on, why="renewed")
    renewals.charge(service, on, laid_out=laid_out)
    return service


@transaction.atomic
def rehearse_renewal(service: Service, *, on: date) -> list[Charge]:
    """Give the charges that `renew` would make, and undo them; raise what it raises."""
    last = Charge.objects.order_by("-id").values_list("id", flat=True).first() or 0
    renewed = renew(service, on=on)
    made = list(renewed.charges.filter(id__gt=last).select_related("account").order_by("id"))
    transaction.set_rollback(True)
    return made


def addon_amounts(product: Product, wanted: Mapping[str, int]) -> dict[AddOn, int]:
    """Find a product's add-ons by their codes; raise BillingError for what cannot be had of them.

    All that include something are there, ordered or not.
    """
    known = {addon.code: addon for addon in product.addons.order_by("id")}
    for code, quantity in wanted.items():
        if code not in known:
            there = ", ".join(known) or "none"
            raise BillingError(f"{product.code} has no add-on {code!r}", f"there are: {there}")
        _require_amount(known[code], quantity)
    return {
        addon: wanted.get(code, addon.included)
        for code, addon in known.items()
        if code in wanted or addon.included
    }


def _require_amount(addon: AddOn, quantity: int) -> None:
    if addon.choices and quantity not in addon.choices:
        offered = ", ".join(str(choice) for choice in addon.choices)
        raise BillingError(f"{addon.code}: {quantity} is not offered", f"choose of {offered}")
    if quantity < 0 or (addon.most is not None and quantity > addon.most):
        most = f" to {addon.most}" if addon.most is not None else ""
        raise BillingError(f"{addon.code}: {quantity} cannot be had", f"order 0{most}")


def _require_offered(account: Account, product: Product) -> None:
    if product.provider_id != account.provider_id:
        raise BillingError(
            f"{product.code} is not sold by {account.provider.code}, where account"
            f" {account.number} is",
            "choose an account at its provider",
        )
    if not product.orderable:
        raise BillingError(f"{product.code} cannot be ordered any more", "choose another product")
    if account.client.closed:
        raise BillingError(f"client {account.client.number} is closed")


def _promo(account: Account, code: str, on: date) -> PromoCode:
    """Give a promo code that still counts on a date."""
    found = _codes(account, code).first()
    if found is None:
        raise BillingError(f"there is no promo code {code!r}", "check how it is written")
    if on < found.valid_from or (found.valid_until is not None and on >= found.valid_until):
        raise BillingError(f"promo code {code!r} does not count on {on}")
    if found.most_uses is not None and found.uses >= found.most_uses:
        raise BillingError(f"promo code {code!r} is used up")
    return found


def _codes(account: Account, code: str) -> QuerySet[PromoCode]:
    return PromoCode.objects.filter(provider=account.provider_id, code=code.strip())


def _lines(
    account: Account, wish: Wish, amounts: Mapping[AddOn, int], terms: Terms, on: date
) -> Iterator[Line]:
    product, currency = wish.product, account.currency_id
    for unit in quotes.units(product, currency, wish.months, on, amounts):
        yield from quotes.first_period(terms, product, unit, on)
        yield from quotes.once(terms, unit, on, unit.price.setup_minor)
    for addon, quantity in amounts.items():
        beyond = quantity - addon.included
        if addon.billing == AddOn.Billing.ONCE and beyond > 0:
            cost = quotes.price(product, currency, wish.months, on, addon=addon.pk)
            unit = Unit(cost, addon.pk, beyond)
            yield from quotes.once(terms, unit, on, unit.cost + cost.setup_minor)


def _made(account: Account, wish: Wish, offered: Offer, on: date) -> Service:
    """Insert the service; its number is S and its key."""
    calendar = wish.product.cycle == Cycle.CALENDAR
    service = Service.objects.create(
        number=f"new-{secrets.token_hex(6)}",
        account=account,
        product=wish.product,
        name=wish.name,
        status=Status.ORDERED,
        months=wish.months,
        anchor_day=1 if calendar else on.day,
        opened_on=on,
        paid_until=offered.end,
        auto_renew=wish.auto_renew,
        discount_ppm=offered.promo.ppm if offered.promo else 0,
        discount_until=_promo_until(wish, offered, on),
        parameters=dict(wish.parameters),
    )
    service.number = f"S{service.pk}"
    service.save(update_fields=["number"])
    return service


def _promo_until(wish: Wish, offered: Offer, on: date) -> date | None:
    """Give the end of the periods that a promo code is for; by day or hour a period is a month."""
    if offered.promo is None:
        return None
    months = max(wish.months, 1)
    if wish.product.cycle in quotes.BY_DAY:
        return periods.add_months(on, months * offered.promo.periods, on.day)
    anchor = 1 if wish.product.cycle == Cycle.CALENDAR else on.day
    return periods.add_months(offered.end, months * (offered.promo.periods - 1), anchor)
