"""What renewals would cost, without renewing: the same statements, nothing written."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from billclock.billing import batches, engine, pricing
from billclock.billing.clients import Account
from billclock.billing.daily import due, funding
from billclock.billing.daily.due import Scope
from billclock.billing.provider import Provider
from billclock.billing.services import Service


@dataclass(frozen=True, slots=True)
class Quote:
    """What some services' next periods cost an account, and what it has to spend (minor units)."""

    need: int
    spendable: int

    @property
    def missing(self) -> int:
        """Give what has to come in before they can be renewed."""
        return max(self.need - self.spendable, 0)


def quote(account: Account, services: Iterable[int], on: date) -> Quote:
    """Give what the next periods of an account's services cost, of those that have ended by `on`.

    It fills this connection's tables of prices and writes nothing else.
    """
    pricing.lay_out(account.provider, on)
    scope = Scope(account.provider, on, account.pk, account.pk, tuple(services))
    due.lay_out(scope, asked=True)
    return Quote(*funding.of_account(account.pk))


def needs(provider: Provider, services: Collection[int], on: date) -> dict[int, int]:
    """Give what the next periods of a provider's services cost, of those that have ended by `on`.

    For very many: one set of statements, and nothing for what has no price. The caller has laid
    out the date's prices (pricing.lay_out).
    """
    if not services:
        return {}
    scope = Scope(provider, on, 0, batches.LARGEST, tuple(services))
    due.lay_out(scope, asked=True, expired=True)
    found = engine.rows(
        "SELECT service_id, sum(net_minor + tax_minor) FROM due GROUP BY service_id"
    )
    return {service: int(need) for service, need in found}


@dataclass(frozen=True, slots=True)
class Charged:
    """One charge that a renewal would make: of an add-on, or 0 for the service, in minor units."""

    addon: int
    start: date
    end: date
    list_minor: int
    discount_minor: int
    net_minor: int
    tax_minor: int

    @property
    def total_minor(self) -> int:
        """Give what the account pays for it."""
        return self.net_minor + self.tax_minor


def next_period(service: Service, on: date) -> list[Charged]:
    """Give what a service's next period costs if it is renewed on a date, before its end too.

    Nothing where there is no price. It writes as little as `quote`.
    """
    account = service.account
    pricing.lay_out(account.provider, on)
    key = account.pk
    scope = Scope(account.provider, on, key, key, (service.pk,), early=True)
    due.lay_out(scope, asked=True, expired=True)
    found = engine.rows(
        """SELECT addon, starts, ends, list_minor, discount_minor, net_minor, tax_minor
           FROM due ORDER BY starts, addon"""
    )
    return [Charged(addon, _day(start), _day(end), *rest) for addon, start, end, *rest in found]


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
