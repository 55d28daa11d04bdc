"""What gateways told, each kept once whoever brought it; what is not known waits for a person."""

from __future__ import annotations

from hashlib import blake2b

from django.conf import settings

from billclock import clock
from billclock.billing.errors import BadNoticeError
from billclock.billing.money import told
from billclock.billing.payment_methods.base import Event, EventKind
from billclock.billing.payments import GatewayEvent, Payment, PaymentMethod
from billclock.billing.services import Task

LONGEST = 120
"""Letters and digits of a gateway's name for something, and of our keys."""

CODE = 3
"""Letters of a currency's code."""

LARGEST = 2**63 - 1


def mark() -> str:
    """Give what all our keys have in them, and none of another installation at the same gateway."""
    return blake2b(settings.SECRET_KEY.encode(), digest_size=4, person=b"payments").hexdigest()


def named(key: str) -> str:
    """Give a key that fits its column: a longer one ends in its digest, so that none are alike."""
    if len(key) <= LONGEST:
        return key
    digest = blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return f"{key[: LONGEST - len(digest) - 1]}#{digest}"


def check(method: PaymentMethod, event: Event) -> None:
    """Raise BadNoticeError for what cannot be kept."""
    names = (event.gateway_id, event.payment_id)
    if not event.gateway_id or any(len(name) > LONGEST or "\0" in name for name in names):
        raise BadNoticeError(method.code, f"its ids are not 1 to {LONGEST} characters")
    if not 0 <= event.minor <= LARGEST or len(event.currency) not in {0, CODE}:
        raise BadNoticeError(method.code, f"{event.minor} {event.currency[:20]!r} is no amount")


def know(
    payment: Payment, gateway_id: str, kind: EventKind, minor: int, note: str = ""
) -> tuple[GatewayEvent, bool]:
    """Give the row of what happened to a payment, and whether it is news."""
    return GatewayEvent.objects.get_or_create(
        method_id=payment.method_id,
        gateway_id=gateway_id,
        kind=kind,
        defaults={
            "payment": payment,
            "amount_minor": minor,
            "currency": payment.account.currency_id,
            "received_at": clock.now(),
            "note": note[:300],
        },
    )


def strange(method: PaymentMethod, event: Event, why: str) -> bool:
    """Keep an event that concerns no payment of ours; False where it was known.

    What has our mark, and is not known, was ours before a backup was restored: a person must see.
    Without it, it belongs to something else that uses the same account at the gateway.
    """
    _, new = GatewayEvent.objects.get_or_create(
        method=method,
        gateway_id=event.gateway_id,
        kind=event.kind,
        defaults={
            "amount_minor": event.minor,
            "currency": event.currency,
            "happened_at": event.at,
            "received_at": clock.now(),
            "note": f"key {event.key!r}: {why}"[:300],
        },
    )
    if new and mark() in event.key:
        give_to_staff(
            f"gateway {method.code} {event.kind} {event.gateway_id}",
            f"{method.code} tells of {event.kind} {event.gateway_id}: {why}",
            f"{told(event.minor, event.currency)}, key {event.key!r}",
        )
    return new


def give_to_staff(key: str, subject: str, text: str = "", payment: Payment | None = None) -> None:
    """Make a task of something that only a person can decide, once a key."""
    Task.objects.get_or_create(
        key=named(key),
        defaults={
            "kind": "payment",
            "subject": subject[:200],
            "text": text,
            "account": payment.account if payment else None,
            "created_at": clock.now(),
        },
    )
