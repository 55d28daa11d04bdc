"""One service's next period, by the statements of the daily run: asked for, or decided again.

For acts that hold the lock of the service's account (services.lock). `laid_out` says that the
caller has filled this connection's tables of the date's prices (pricing.lay_out) for many.
"""

from __future__ import annotations

from datetime import date

from billclock.billing import pricing
from billclock.billing.daily import chunks, due, funding, posting
from billclock.billing.daily.due import Scope
from billclock.billing.errors import BillingError, NotEnoughMoneyError
from billclock.billing.money import Money
from billclock.billing.progress import Parked
from billclock.billing.services import Service, Status
from billclock.billing.verdicts import next_sequence

RENEWABLE = (Status.ACTIVE, Status.STOPPED, Status.IN_PROGRESS)


def charge(service: Service, on: date, *, laid_out: bool = False) -> None:
    """Charge the next period, and the ones after it that have begun by `on` too.

    Raises NotEnoughMoneyError, or BillingError where it cannot be renewed; the act is then undone.
    """
    _require_renewable(service, on)
    if not laid_out:
        pricing.lay_out(service.account.provider, on)
    for _ in range(chunks.MOST_PASSES):
        _charge_one(service, on)
        if service.paid_until > on:
            return
    raise BillingError(
        f"service {service.number} is paid until {service.paid_until}, too long ago to be renewed",
        "close it and order it again",
    )


def decide(service: Service, on: date) -> None:
    """Let billing decide anew on a service that has ended: it is renewed, or told why not."""
    if service.paid_until > on or service.status not in RENEWABLE:
        return
    scope = _scope(service, on)
    pricing.lay_out(scope.provider, on)
    posting.left_out(scope, None)
    due.lay_out(scope)
    funding.settle()
    chunks.post(scope, None, next_sequence([service.pk], on))
    service.refresh_from_db(fields=["paid_until", "unfunded_since"])


def _scope(service: Service, on: date, *, early: bool = False) -> Scope:
    key = service.account_id
    return Scope(service.account.provider, on, key, key, (service.pk,), early=early)


def _charge_one(service: Service, on: date) -> None:
    scope = _scope(service, on, early=True)
    due.lay_out(scope, asked=True)
    if funding.settle():
        need, have = funding.of_account(service.account_id)
        code = service.account.currency_id
        raise NotEnoughMoneyError(service.account.number, Money(need, code), Money(have, code))
    figures = chunks.post(scope, None, next_sequence([service.pk], on))
    if not figures.counts["renewed"]:
        raise BillingError(
            f"{service.product.code} has no price in {service.account.currency_id} for"
            f" {service.months} months on {on}, which service {service.number} is renewed by",
            "set one, or change the service's product or period",
        )
    service.refresh_from_db(fields=["paid_until", "unfunded_since"])


def _require_renewable(service: Service, on: date) -> None:
    if service.status not in RENEWABLE:
        raise BillingError(
            f"service {service.number} is {Status(service.status).label.lower()}",
            "order a new one",
        )
    if service.held_until is not None and service.held_until > on:
        raise BillingError(
            f"service {service.number} is held until {service.held_until}", "end the hold first"
        )
    parked = Parked.objects.filter(account_id=service.account_id).first()
    if parked is not None:
        raise BillingError(
            f"account {service.account.number} is parked: {parked.reason}",
            "mend that, then release the account: Problems lead to it",
        )
