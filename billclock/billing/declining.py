"""Payments that were not paid: when they are tried again, when they are over, what is told."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db import transaction

from billclock import clock
from billclock.billing import notice_kinds, notifications
from billclock.billing.money import Money
from billclock.billing.payment_methods import declines
from billclock.billing.payments import Attempt, Payment, StoredMethod, lock

if TYPE_CHECKING:
    from billclock.billing.payment_methods.declines import Decline


@transaction.atomic
def give_up(payment: Payment) -> bool:
    """End a payment that is not needed any more; False where money of it may be on its way."""
    payment = lock(payment)
    if payment.state != Payment.State.NEW or payment.in_flight:
        return False
    payment.state = Payment.State.CANCELLED
    payment.next_try_on = None
    payment.save(update_fields=["state", "next_try_on"])
    return True


@transaction.atomic
def lower(payment: Payment, minor: int) -> Payment:
    """Ask for less than before, as less is needed by now; give the payment."""
    payment = lock(payment)
    waits = payment.state == Payment.State.NEW and not payment.in_flight
    if waits and 0 < minor < payment.amount_minor:
        payment.amount_minor = minor
        payment.save(update_fields=["amount_minor"])
    return payment


def came_to_nothing(payment: Payment, attempt: Attempt) -> None:
    """Free a payment whose attempt surely did nothing: its next try is on the day after."""
    attempt.settle(Attempt.State.ABANDONED)
    if payment.credited_on is not None:
        return
    payment.state = Payment.State.NEW
    if payment.stored is not None:
        zone = ZoneInfo(payment.account.provider.zone)
        day = attempt.created_at.astimezone(zone).date() + timedelta(1)
        last = payment.created_on + timedelta(declines.LONGEST_DAYS)
        payment.next_try_on = day if day <= last else None
    if payment.stored is not None and payment.next_try_on is None:
        payment.state = Payment.State.CANCELLED
        payment.decline = declines.DeclineClass.TEMPORARY
        _tell_of_failure(payment, payment.stored)
    payment.save()


def declined(payment: Payment, attempt: Attempt, decline: Decline | None) -> None:
    """Write a decline: when it is tried again, or that it is over, and tell the client.

    A card that the issuer will never approve is not tried again for anything.
    """
    decline = decline or declines.Decline(declines.DeclineClass.TEMPORARY)
    attempt.settle(Attempt.State.DECLINED)
    attempt.decline = decline.kind
    if payment.credited_on is not None:
        return
    on = payment.account.provider.today()
    payment.tries += 1
    payment.decline = decline.kind
    payment.next_try_on = None
    if payment.stored is not None:
        payment.next_try_on = declines.next_try(decline, payment.tries, payment.created_on, on)
        if decline.hard:
            _fail(payment.stored, decline)
        _tell_of_failure(payment, payment.stored)
    payment.state = Payment.State.NEW if payment.next_try_on else Payment.State.CANCELLED
    payment.save()


def _fail(stored: StoredMethod, decline: Decline) -> None:
    StoredMethod.objects.filter(pk=stored.pk, state=StoredMethod.State.USABLE).update(
        state=StoredMethod.State.FAILED,
        state_before=StoredMethod.State.USABLE,
        changed_at=clock.now(),
        last_error=f"{decline.kind} {decline.message}".strip()[:300],
    )


def _tell_of_failure(payment: Payment, stored: StoredMethod) -> None:
    on = payment.account.provider.today()
    notifications.notify(
        payment.account,
        notice_kinds.TOP_UP_FAILED.name,
        period=on,
        on=on,
        subject=payment.pk,
        threshold=payment.tries,
        facts={
            "amount": Money(payment.amount_minor, payment.account.currency_id),
            "method": stored.masked or payment.method.name,
            "why": payment.decline,
            "next_try": payment.next_try_on,
        },
    )
