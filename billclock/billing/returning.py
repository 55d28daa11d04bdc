"""Money that goes back: refunds we make, refunds and chargebacks a gateway tells of.

What a gateway tells may come in any order, and cross with what we ask for. So nothing is added up
as it comes: each act writes its fact down, and what is gone of a payment follows from all of them.
A refund and its failure, a dispute and its end carry the same id, and together count for nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max, Sum
from django.utils.translation import gettext as _

from billclock import clock
from billclock.billing import gateway_events, ledger, paying
from billclock.billing.errors import (
    BillingError,
    GatewayError,
    NotEnoughMoneyError,
    NotOfferedError,
)
from billclock.billing.ledger import Cause, Kind, Move
from billclock.billing.money import Money
from billclock.billing.payment_methods import base
from billclock.billing.payment_methods.base import EventKind
from billclock.billing.payments import (
    IN_FLIGHT,
    Attempt,
    GatewayEvent,
    Payment,
    PaymentMethod,
    announce,
    lock,
)

if TYPE_CHECKING:
    from billclock.billing.payment_methods.base import Event, Outcome

UNDOES = {EventKind.REFUND_FAILED: EventKind.REFUNDED, EventKind.DISPUTE_WON: EventKind.DISPUTED}
DISPUTES = frozenset({EventKind.DISPUTED, EventKind.DISPUTE_WON})

EARLY = timedelta(days=1)
"""How long before a refund the payment may have been made whose capture we do not know of yet."""

log = logging.getLogger(__name__)


def refund(payment: Payment, minor: int, why: str, *, left: int | None = None) -> Attempt:
    """Give a part or all of a payment back through its gateway; give the attempt.

    The money leaves the account first, so that it cannot be spent meanwhile; it returns there
    where the gateway refuses. `left` is what was left of it where it was asked for: a form that is
    sent twice gives once. Raises NotEnoughMoneyError where the account has spent it, and
    NotOfferedError where the method gives nothing back by itself.
    """
    if not paying.gateway(payment.method).features.refunds:
        raise NotOfferedError(payment.method.code, "give money back by itself")
    attempt = _intend(payment, minor, why, left)
    settle(attempt, _called(attempt))
    attempt.refresh_from_db()
    return attempt


def ask(attempt: Attempt) -> None:
    """Ask about a refund in flight: a repeat of its key gives no more and tells."""
    Attempt.objects.filter(pk=attempt.pk).update(asked_at=clock.now())
    settle(attempt, _called(attempt, again=True))


@transaction.atomic
def settle(attempt: Attempt, outcome: Outcome) -> None:
    """Write what became of a refund; what is settled already stays as it is."""
    payment = lock(attempt.payment)
    attempt = Attempt.objects.select_for_update().get(pk=attempt.pk)
    if attempt.state not in IN_FLIGHT:
        return
    attempt.gateway_id = outcome.gateway_id or attempt.gateway_id
    attempt.told = outcome.why[:300] or attempt.told
    if outcome.state == base.State.CAPTURED:
        attempt.gateway_id = attempt.gateway_id or attempt.key
        attempt.settle(Attempt.State.CAPTURED)
        gateway_events.know(payment, attempt.gateway_id, EventKind.REFUNDED, attempt.amount_minor)
    elif outcome.state in {base.State.DECLINED, base.State.ABSENT}:
        attempt.settle(Attempt.State.DECLINED)
    else:
        attempt.state = Attempt.State(outcome.state.value)
    attempt.save()
    _even_out(payment, Cause.REFUND)


@transaction.atomic
def told(method: PaymentMethod, event: Event) -> bool:
    """Take what a gateway tells of a refund or dispute; False where it was known.

    Raises GatewayError where the payment it is of may be on its way: it has to be sent again.
    """
    ours = Attempt.objects.filter(action=Attempt.Action.REFUND, payment__method=method)
    attempt = ours.select_related("payment").filter(key=event.key).first()
    payment = attempt.payment if attempt else _paid(method, event)
    if payment is None:
        return gateway_events.strange(method, event, f"{event.payment_id} was not paid here")
    payment = lock(payment)
    said = event.minor or payment.amount_minor
    _, new = gateway_events.know(payment, event.gateway_id, event.kind, said)
    if attempt is not None and event.kind not in DISPUTES:
        new = _end(attempt, event, new=new)
    if new:
        _even_out(payment, Cause.CHARGEBACK if event.kind in DISPUTES else Cause.REFUND)
    if new and event.kind in DISPUTES:
        _tell_staff(payment, event)
    return new


def _end(attempt: Attempt, event: Event, *, new: bool) -> bool:
    """End a refund of ours as its gateway tells; False where that was known."""
    attempt = Attempt.objects.select_for_update().get(pk=attempt.pk)
    if not new and attempt.state not in IN_FLIGHT:
        return False
    failed = GatewayEvent.objects.filter(
        method=attempt.payment.method_id, gateway_id=event.gateway_id, kind=EventKind.REFUND_FAILED
    )
    attempt.gateway_id = event.gateway_id
    attempt.settle(Attempt.State.DECLINED if failed.exists() else Attempt.State.CAPTURED)
    attempt.save()
    return True


def _tell_staff(payment: Payment, event: Event) -> None:
    beyond = _gone(payment) - payment.amount_minor
    lost = Money(beyond, payment.account.currency_id)
    rest = f"{lost} more than was paid are gone, and on nobody's account"
    gateway_events.give_to_staff(
        f"{event.kind} {payment.method.code} {event.gateway_id}",
        f"{payment.number}: {event.kind} at {payment.method.code}",
        rest if beyond > 0 else "",
        payment,
    )


def _paid(method: PaymentMethod, event: Event) -> Payment | None:
    """Give the payment that an event is of; raise GatewayError where it may yet be captured."""
    captured = GatewayEvent.objects.filter(
        method=method, gateway_id=event.payment_id, kind=EventKind.CAPTURED
    ).first()
    if captured is not None and captured.payment is not None:
        return captured.payment
    if Attempt.objects.filter(
        payment__method=method,
        action=Attempt.Action.CHARGE,
        state__in=IN_FLIGHT,
        created_at__range=(event.at - EARLY, event.at),
    ).exists():
        what = f"{event.kind} {event.gateway_id} is of a payment that may be on its way"
        raise GatewayError(method.code, what, retry=True, mend="send it again later")
    return None


@transaction.atomic
def _intend(payment: Payment, minor: int, why: str, seen: int | None) -> Attempt:
    payment = lock(payment)
    if seen is not None and seen != payment.amount_minor - payment.refunded_minor:
        raise BillingError(_("Money of it went back since this was asked: look at it again."))
    _require_left(payment, minor)
    funds = payment.account.funds
    has = ledger.available(funds, credit_blocked=payment.account.credit_blocked)
    if has < minor:
        code = funds.currency
        raise NotEnoughMoneyError(payment.account.number, Money(minor, code), Money(has, code))
    last = payment.attempts.aggregate(last=Max("number"))["last"] or 0
    attempt = Attempt.objects.create(
        payment=payment,
        number=last + 1,
        action=Attempt.Action.REFUND,
        told=why[:300],
        key=paying.key_of(payment, last + 1, "R"),
        amount_minor=minor,
        state=Attempt.State.SENT,
        created_at=clock.now(),
    )
    _even_out(payment, Cause.REFUND)
    return attempt


def _require_left(payment: Payment, minor: int) -> None:
    left = payment.amount_minor - payment.refunded_minor
    if payment.credited_on is None or not 0 < minor <= left:
        code = payment.account.currency_id
        raise BillingError(
            f"payment {payment.number}: {Money(minor, code)} cannot be given back,"
            f" {Money(left, code)} of it is left",
            "give an amount that was paid and not yet returned",
        )
    if payment.in_flight:
        raise BillingError(f"payment {payment.number}: an earlier request is not answered yet")
    if _disputed(payment):
        raise BillingError(
            f"payment {payment.number} is in dispute: its money is with the client's bank",
            "wait for the end of the dispute, or give the rest back at the gateway itself",
        )


def _called(attempt: Attempt, *, again: bool = False) -> Outcome:
    """Ask the gateway for a refund; what refuses the question `again` says nothing of the first."""
    doubt = base.State.UNKNOWN if again else base.State.ABSENT
    try:
        by, order = paying.gateway(attempt.payment.method), _order(attempt)
    except (BillingError, ValueError) as error:
        return base.Outcome(doubt, why=str(error))
    try:
        return by.refund(order)
    except GatewayError as error:
        return base.Outcome(doubt if error.retry else base.State.ABSENT, why=str(error))
    except Exception as error:
        log.exception("refund %s", attempt.key)
        return base.Outcome(base.State.UNKNOWN, why=f"{type(error).__name__}: {error}")


def _order(attempt: Attempt) -> base.Refund:
    payment = attempt.payment
    captured = payment.events.filter(kind=EventKind.CAPTURED).first()
    return base.Refund(
        key=attempt.key,
        payment_id=captured.gateway_id if captured else "",
        minor=attempt.amount_minor,
        currency=payment.account.currency_id,
        at=attempt.created_at,
    )


def _even_out(payment: Payment, cause: Cause) -> None:
    """Move between account and gateway what is gone by now and was not before, or came back."""
    gone = min(_gone(payment), payment.amount_minor)
    minor = gone - payment.refunded_minor
    if minor:
        clearing = ledger.account(Kind.CLEARING, payment.method.code, payment.account.currency_id)
        funds = payment.account.funds
        sides = (funds, clearing) if minor > 0 else (clearing, funds)
        number = ledger.Transfer.objects.filter(cause=cause, source=payment.pk).count()
        move = Move(*sides, abs(minor), cause=cause, source=payment.pk, sequence=number)
        ledger.post([move], on=payment.account.provider.today())
        if minor < 0:
            announce(payment.account)
    payment.refunded_minor = gone
    payment.state = _state(payment)
    payment.save(update_fields=["refunded_minor", "state"])


def _gone(payment: Payment) -> int:
    """Give what left the gateway of a payment, or is about to, by refunds and disputes."""
    ours = payment.attempts.filter(action=Attempt.Action.REFUND)
    names = set(ours.values_list("gateway_id", flat=True))
    counted = ours.filter(state__in=(*IN_FLIGHT, Attempt.State.CAPTURED))
    total = counted.aggregate(sum=Sum("amount_minor"))["sum"] or 0
    others: Counter[tuple[str, str]] = Counter()
    for event in payment.events.exclude(kind=EventKind.CAPTURED):
        out = UNDOES.get(EventKind(event.kind))
        kind = out or event.kind
        if kind in DISPUTES or event.gateway_id not in names:
            others[kind, event.gateway_id] += -event.amount_minor if out else event.amount_minor
    return total + sum(max(minor, 0) for minor in others.values())


def _state(payment: Payment) -> Payment.State:
    refunds = payment.attempts.filter(action=Attempt.Action.REFUND, state__in=IN_FLIGHT)
    if refunds.exists() or _disputed(payment):
        return Payment.State.RETURNING
    whole = payment.refunded_minor >= payment.amount_minor
    return Payment.State.RETURNED if whole else Payment.State.CREDITED


def _disputed(payment: Payment) -> bool:
    """Tell whether the client's bank took money back, and has not given it again."""
    events = GatewayEvent.objects.filter(method=payment.method_id)
    won = events.filter(kind=EventKind.DISPUTE_WON).values("gateway_id")
    return payment.events.filter(kind=EventKind.DISPUTED).exclude(gateway_id__in=won).exists()
