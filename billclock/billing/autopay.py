"""Automatic payments: balances topped up from stored methods for the month to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, F, OuterRef, Q, Sum

from billclock.billing import following, forecast, notice_kinds, paying
from billclock.billing.clients import Account
from billclock.billing.forecast import Outlook, TopUp, month_back, top_up
from billclock.billing.money import Money
from billclock.billing.notifications import notify
from billclock.billing.payments import IN_FLIGHT, Attempt, Payment, StoredMethod
from billclock.billing.provider import Provider

LIMIT = "monthly_limit"
"""Why nothing was taken, as the letter's facts have it: what the client allowed is used up."""


@dataclass(frozen=True, slots=True)
class Wish:
    """An account to be topped up, from what, and how much; the outlook that asks for it."""

    account: Account
    stored: StoredMethod
    outlook: Outlook
    top_up: TopUp

    @property
    def key(self) -> str:
        """Give the payment's key: one a forecast period and stored method."""
        return f"top-up {self.account.number} {self.outlook.since} {self.stored.pk}"

    @property
    def money(self) -> Money:
        """Give what is to be taken."""
        return Money(self.top_up.amount, self.account.currency_id)


def wishes(provider: Provider, on: date) -> list[Wish]:
    """Give the accounts with automatic payment whose money does not last for the month.

    Whose money may be on its way is left alone until that is known.
    """
    flying = Attempt.objects.filter(payment__account=OuterRef("pk"), state__in=IN_FLIGHT)
    usable = Account.objects.filter(
        ~Exists(flying), provider=provider, autopay__state=StoredMethod.State.USABLE
    )
    accounts = usable.select_related("client", "company", "provider", "autopay__method").in_bulk()
    if not accounts:
        return []
    low = [outlook for outlook in forecast.short(provider, on) if outlook.account in accounts]
    return [wish(accounts[outlook.account], outlook, on) for outlook in low]


def wish(account: Account, outlook: Outlook, on: date) -> Wish:
    """Decide what an account's automatic payment takes. Raises ValueError where it has none."""
    if account.autopay is None:
        raise ValueError(f"account {account.number} has no automatic payment")
    decided = top_up(
        outlook.missing,
        taken=taken(account, on),
        most=account.autopay_most_minor,
        least=account.autopay.method.least_minor,
    )
    return Wish(account, account.autopay, outlook, decided)


def taken(account: Account, on: date) -> int:
    """Give what top-ups took, or are taking, within the sliding month that ends with a date.

    What was declined at first counts on the day it was taken, and what is on its way on any. What
    the client paid himself is not among them.
    """
    payments = account.payments.filter(
        Q(credited_on=None) | Q(credited_on__range=(month_back(on), on)),
        purpose=Payment.Purpose.TOP_UP,
        stored__isnull=False,
    ).exclude(state__in=(Payment.State.NEW, Payment.State.CANCELLED))
    return payments.aggregate(sum=Sum(F("amount_minor") - F("refunded_minor")))["sum"] or 0


def take(wanted: Wish, on: date) -> Payment | None:
    """Take a top-up once; what was declined is tried again by its own schedule, not here.

    None where nothing may be taken, which the client is told.
    """
    account = wanted.account
    if not wanted.top_up.amount:
        _tell_why_not(wanted, on)
        return None
    payment = paying.request(
        account,
        wanted.stored.method,
        wanted.top_up.amount,
        key=wanted.key,
        purpose=Payment.Purpose.TOP_UP,
        stored=wanted.stored,
        on=on,
    )
    if payment.tries or payment.state != Payment.State.NEW:
        return payment
    payment = paying.charge(payment)
    if payment.state == Payment.State.CREDITED:
        following.follow(account)
    return payment


def _tell_why_not(wanted: Wish, on: date) -> None:
    notify(
        wanted.account,
        notice_kinds.TOP_UP_FAILED.name,
        period=wanted.outlook.since,
        on=on,
        facts={
            "amount": Money(wanted.outlook.missing, wanted.account.currency_id),
            "method": wanted.stored.masked or wanted.stored.method.name,
            "why": LIMIT,
        },
    )
