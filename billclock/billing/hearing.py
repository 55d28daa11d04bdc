"""Hearing gateways: their signed notices, each event taken once and by the act it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import transaction

from billclock.billing import gateway_events, paying, returning, storing
from billclock.billing.payment_methods import base
from billclock.billing.payments import IN_FLIGHT, Attempt, PaymentMethod, lock

if TYPE_CHECKING:
    from billclock.billing.payment_methods.base import Event


def hear(method: PaymentMethod, headers: dict[str, str], body: bytes) -> int:
    """Take what a gateway sent; give the number of events that were news.

    Raises what `read` and `take` raise.
    """
    return take(method, read(method, headers, body))


def read(method: PaymentMethod, headers: dict[str, str], body: bytes) -> Sequence[Event]:
    """Give what a gateway sent; raise BadSignatureError or BadNoticeError."""
    events = list(paying.gateway(method).events(headers, body))
    for event in events:
        gateway_events.check(method, event)
    return events


def take(method: PaymentMethod, events: Sequence[Event]) -> int:
    """Take events in their order; give the number of those that were news.

    Raises GatewayError for what comes too early and is to be sent again; those before it are taken.
    """
    return sum(tell(method, storing.completed(method, event)) for event in events)


@transaction.atomic
def tell(method: PaymentMethod, event: Event) -> bool:
    """Take one event of a gateway; False where it was known, whoever brought it."""
    match event.kind:
        case base.EventKind.CAPTURED | base.EventKind.DECLINED:
            return _of_charge(method, event)
        case base.EventKind.STORED | base.EventKind.STORED_FAILED:
            return storing.told(method, event)
        case _:
            return returning.told(method, event)


def _of_charge(method: PaymentMethod, event: Event) -> bool:
    ours = Attempt.objects.filter(payment__method=method, action=Attempt.Action.CHARGE)
    attempt = ours.select_related("payment").filter(key=event.key).first()
    if attempt is None:
        return gateway_events.strange(method, event, "no payment of ours has this key")
    payment = lock(attempt.payment)
    attempt = Attempt.objects.select_for_update().get(pk=attempt.pk)
    if event.kind == base.EventKind.CAPTURED:
        taken = base.Outcome(
            base.State.CAPTURED, event.gateway_id, event.minor, event.currency, at=event.at
        )
        return paying.captured(payment, attempt, taken)
    if attempt.state not in IN_FLIGHT:
        return False
    declined = base.Outcome(base.State.DECLINED, event.gateway_id, decline=event.decline)
    paying.settle(attempt, declined)
    return True
