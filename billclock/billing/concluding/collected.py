"""What was taken for an account from a stored method on a date, or why nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from django.db.models import Q

from billclock.billing.clients import Account
from billclock.billing.concluding import looked
from billclock.billing.money import Money
from billclock.billing.payments import Attempt, Payment
from billclock.billing.services import Service

JOB = "recurring"


def concluded(account: Account, on: date, payment: Payment | None = None) -> str:
    """Say in a sentence what was tried for an account (or of a payment alone), or why nothing."""
    tried = list(_tried(account, on, payment))
    if tried:
        return f"tried on {on}: {'; '.join(map(_outcome, tried))}"
    provider = account.provider
    moment = looked.looked_at(JOB, provider, on)
    why = (
        looked.not_looked(JOB, provider, on)
        or (_of_payment(payment, on) if payment is not None else "")
        or next(iter(_why(account, on, moment)))
    )
    return f"nothing taken on {on}: {why}"


def _tried(account: Account, on: date, payment: Payment | None) -> Iterator[Attempt]:
    """Give the tries of that date that are this job's: renewals, and what is tried once more."""
    first, after = looked.bounds(account.provider, on)
    ours = Q(payment__purpose=Payment.Purpose.RENEWAL) | Q(number__gt=1)
    found = Attempt.objects.filter(
        ours, payment__account=account, action=Attempt.Action.CHARGE, created_at__gte=first,
        created_at__lt=after,
    ).exclude(payment__stored=None)  # fmt: skip
    if payment is not None:
        found = found.filter(payment=payment)
    yield from found.select_related("payment__account").order_by("id")


def _outcome(attempt: Attempt) -> str:
    paid = attempt.payment
    sum_ = Money(attempt.amount_minor, paid.account.currency_id)
    why = f" ({attempt.decline})" if attempt.decline else ""
    return f"{sum_} of payment {paid.number} {attempt.state}{why}"


def _of_payment(payment: Payment, on: date) -> str:
    """Say why a payment itself was not tried; "" where its account tells."""
    provider = payment.account.provider
    if payment.created_on > on:
        return f"payment {payment.number} was asked for on {payment.created_on} only"
    if payment.credited_on is not None and payment.credited_on <= on:
        return f"payment {payment.number} was credited on {payment.credited_on}"
    if payment.stored_id is None:
        return f"payment {payment.number} is paid by the client himself"
    last = _last(payment, looked.bounds(provider, on)[1])
    return _stands(payment, last) if last is not None else ""


def _why(account: Account, on: date, moment: datetime) -> Iterator[str]:
    """Give reasons, the surest first; the last one holds where no other does."""
    due = list(_due(account, on, moment))
    if not due:
        yield "nothing that is paid from a stored method was due"
        return
    yield from _under_way(account, on)
    yield from _standing(account, on)
    charges = [key for service in due for key in _charged(service, on)]
    if charges:
        yield f"the account had the money for what was due: charge {charges[0]}"
    for service in due:
        if stop := looked.stopped(service, on, whole=False):
            yield f"{service.number}: {stop}"
    yield "what was due lacked no money that a usable stored method had to add"


def _due(account: Account, on: date, moment: datetime) -> Iterator[Service]:
    """Give the services that were due on a date, renewed by themselves, from a stored method."""
    found = Service.objects.filter(account=account).exclude(stored_method=None)
    for service in found.order_by("id"):
        if looked.not_open(service, on) or not looked.renewing(service, moment):
            continue
        if looked.paid_until(service, on, after=False) <= on:
            yield service


def _charged(service: Service, on: date) -> list[int]:
    made = service.charges.filter(on=on, addon=0).order_by("id")
    return list(made.values_list("pk", flat=True))


def _under_way(account: Account, on: date) -> Iterator[str]:
    """Name a request that was under way on that date: nothing new goes out before its end."""
    first, after = looked.bounds(account.provider, on)
    going = Q(settled_at=None) | Q(settled_at__gte=first)
    found = Attempt.objects.filter(going, payment__account=account, created_at__lt=after)
    attempt = found.select_related("payment").order_by("id").first()
    if attempt is not None:
        yield f"payment {attempt.payment.number} was under way"


def _standing(account: Account, on: date) -> Iterator[str]:
    """Name the payment that was declined and stood for what was due."""
    _first, after = looked.bounds(account.provider, on)
    found = Payment.objects.filter(
        account=account, purpose=Payment.Purpose.RENEWAL, created_on__lte=on
    ).exclude(stored=None)
    for payment in found.exclude(credited_on__lte=on).order_by("-created_on", "-id"):
        last = _last(payment, after)
        if last is not None:
            yield _stands(payment, last)


def _last(payment: Payment, before: datetime) -> Attempt | None:
    tries = payment.attempts.filter(action=Attempt.Action.CHARGE, created_at__lt=before)
    return tries.order_by("-number").first()


def _stands(payment: Payment, last: Attempt) -> str:
    """Say how a payment stood after a try of it."""
    provider = payment.account.provider
    day = looked.dated(provider, last.created_at)
    said = f"payment {payment.number} was not taken on {day}"
    tries = payment.attempts.filter(action=Attempt.Action.CHARGE, number__gt=last.number)
    later = tries.order_by("number").first()
    if later is not None:
        return f"{said}, and tried again on {looked.dated(provider, later.created_at)} only"
    if payment.credited_on is not None:
        return f"{said}, and credited on {payment.credited_on}"
    if payment.state == Payment.State.CANCELLED:
        return f"{said}, for the last time: it stands for what was due until then"
    if payment.next_try_on is not None:
        return f"{said}, and waits for its next try, on {payment.next_try_on} or later"
    return said
