"""What is to be collected from stored methods: renewals that are due, retries still wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from billclock.billing import autopay, forecast, paying, quoting
from billclock.billing.clients import Account
from billclock.billing.payment_methods.declines import networks_allow
from billclock.billing.payments import Attempt, Payment, StoredMethod
from billclock.billing.provider import Provider
from billclock.billing.services import Reason, Service

LIVE = (Payment.State.NEW, Payment.State.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class Renewal:
    """Services of an account that are due and paid from one stored method."""

    account: Account
    stored: StoredMethod
    services: Sequence[Service]

    def missing(self, on: date) -> int:
        """Give what they need beyond the account's money, in minor units."""
        keys = [service.pk for service in self.services]
        return quoting.quote(self.account, keys, on).missing if keys else 0

    def amount(self, on: date) -> int:
        """Give what to take for them: 0, or what is missing, and not less than the method takes."""
        missing = self.missing(on)
        return max(missing, self.stored.method.least_minor) if missing else 0

    def key(self, on: date) -> str:
        """Give the key of the one payment for it that a day may begin."""
        return f"renewal {self.account.number} {self.stored.pk} {on}"


def renewals(provider: Provider, on: date) -> Iterator[Renewal]:
    """Give what is due of a provider's services and waits for no earlier payment.

    A payment that is still to be tried again stands for all of its account and method. One that
    was given up stands for what was due then: only what became due later begins a new one.
    """
    for renewal in _due(provider, on):
        payments = Payment.objects.filter(
            account=renewal.account, stored=renewal.stored, purpose=Payment.Purpose.RENEWAL
        )
        if payments.filter(state__in=LIVE).exists() or paying.in_flight(renewal.account):
            continue
        last = payments.filter(state=Payment.State.CANCELLED).order_by("-created_on").first()
        fresh = [s for s in renewal.services if last is None or s.paid_until > last.created_on]
        if fresh and not payments.filter(key=renewal.key(on)).exists():
            yield Renewal(renewal.account, renewal.stored, fresh)


def retries(provider: Provider, on: date) -> QuerySet[Payment]:
    """Give the payments of a provider whose next try is due."""
    due = Payment.objects.filter(
        account__provider=provider, state=Payment.State.NEW, next_try_on__lte=on
    )
    accounts = ("account__client", "account__provider", "account__company", "account__autopay")
    related = (*accounts, "method", "stored__method", "invoice")
    return due.exclude(stored=None).select_related(*related).order_by("id")


def wanted(payment: Payment, on: date) -> int:
    """Give how much of a declined payment is still needed, in minor units; 0: nothing."""
    stored = payment.stored
    if stored is None or stored.state != StoredMethod.State.USABLE:
        return 0
    match payment.purpose:
        case Payment.Purpose.RENEWAL:
            services = _services(payment.account.provider, on).filter(
                account=payment.account, stored_method=stored
            )
            needed = Renewal(payment.account, stored, list(services)).amount(on)
        case Payment.Purpose.TOP_UP:
            needed = _top_up(payment, on)
        case Payment.Purpose.INVOICE if payment.invoice is not None:
            needed = 0 if payment.invoice.paid_on else payment.amount_minor
        case _:
            needed = payment.amount_minor
    return min(needed, payment.amount_minor)


def networks_bear(payment: Payment, on: date) -> bool:
    """Tell whether the card networks' bounds allow one more try of this card and amount."""
    declined = Attempt.objects.filter(
        payment__stored=payment.stored,
        amount_minor=payment.amount_minor,
        state=Attempt.State.DECLINED,
        action=Attempt.Action.CHARGE,
    )
    zone = ZoneInfo(payment.account.provider.zone)
    moments = declined.values_list("created_at", flat=True)
    return networks_allow([at.astimezone(zone).date() for at in moments], on)


def _top_up(payment: Payment, on: date) -> int:
    account = payment.account
    outlook = forecast.outlook(account, on)
    if outlook is None or account.autopay_id != payment.stored_id:
        return 0
    return autopay.wish(account, outlook, on).top_up.amount


def _due(provider: Provider, on: date) -> Iterator[Renewal]:
    gathered: dict[tuple[int, int | None], list[Service]] = {}
    for service in _services(provider, on).filter(
        stored_method__state=StoredMethod.State.USABLE
    ):  # fmt: skip
        gathered.setdefault((service.account_id, service.stored_method_id), []).append(service)
    for services in gathered.values():
        stored = services[0].stored_method
        if stored is not None:
            yield Renewal(services[0].account, stored, services)


def _services(provider: Provider, on: date) -> QuerySet[Service]:
    """Give what is due and renews by itself, running or stopped for money alone."""
    found = Service.objects.open().filter(
        account__provider=provider,
        stopped_for__in=(0, Reason.MONEY),
        auto_renew=True,
        paid_until__lte=on,
        stored_method__isnull=False,
    )
    related = ("account__client", "account__provider", "account__company", "stored_method__method")
    return found.select_related(*related).order_by("account_id", "id")
