"""What Stripe's objects mean to us: outcomes, stored cards, events; pure."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from billclock.billing.payment_methods.base import Event, EventKind, Outcome, State, Stored
from billclock.billing.payment_methods.declines import Decline
from billclock.billing.payment_methods.stripe.amounts import from_stripe
from billclock.billing.payment_methods.stripe.refusals import ABANDONED, AUTHENTICATION, decline

KEY = "billclock_key"
WAY = "billclock_way"
CHARGE, START, STORE = "charge", "start", "store"

Told = Mapping[str, Any]


def key_of(told: Told) -> str:
    """Give our key, which we gave along with the object; "" for what is not ours."""
    return str((told.get("metadata") or {}).get(KEY, ""))


def way_of(told: Told) -> str:
    """Give what we made the object for: CHARGE, START, STORE, or "" for what is not ours."""
    return str((told.get("metadata") or {}).get(WAY, ""))


def name_of(told: Any) -> str:
    """Give the id of an object, whether it was told as an id or in full."""
    return str(told.get("id") or "") if isinstance(told, Mapping) else str(told or "")


def at(told: Told) -> datetime:
    """Give when an object was made."""
    return datetime.fromtimestamp(int(told["created"]), UTC)


def outcome(intent: Told) -> Outcome:
    """Give what became of a payment intent that was confirmed or cancelled."""
    status, error = intent["status"], intent.get("last_payment_error")
    if status == "succeeded":
        return _moved(State.CAPTURED, intent, intent["amount_received"])
    if status == "processing":
        return _moved(State.PENDING, intent, intent["amount"])
    if status == "requires_action":
        return Outcome(State.DECLINED, intent["id"], decline=AUTHENTICATION, at=at(intent))
    if error:
        return Outcome(State.DECLINED, intent["id"], decline=decline(error), at=at(intent))
    if status == "canceled":
        return Outcome(State.ABSENT, intent["id"], at=at(intent))
    return Outcome(State.UNKNOWN, intent["id"], why=f"Stripe says {status}")


def refund_outcome(refund: Told) -> Outcome:
    """Give what became of a refund."""
    states = {"succeeded": State.CAPTURED, "failed": State.DECLINED, "canceled": State.DECLINED}
    return _moved(states.get(refund["status"], State.PENDING), refund, refund["amount"])


def _moved(state: State, told: Told, amount: int) -> Outcome:
    currency = told["currency"].upper()
    return Outcome(state, told["id"], from_stripe(amount, currency), currency, at=at(told))


def card(method: Told, account: str) -> Stored:
    """Give a stored card of a customer."""
    told = method.get("card") or {}
    brand, last = str(told.get("brand") or "card").title(), str(told.get("last4") or "")
    year, month = told.get("exp_year"), told.get("exp_month")
    expires = date(year, month, monthrange(year, month)[1]) if year and month else None
    return Stored(method["id"], account, f"{brand} •••• {last}", expires)


def event(told: Told) -> Event | None:
    """Give what an event of Stripe's tells us; None where it is of no concern."""
    about = told["data"]["object"]
    kind = _kind(told["type"], about)
    if kind is None:
        return None
    amount = about.get("amount_received") or about.get("amount") or about.get("amount_total") or 0
    currency = str(about.get("currency") or "").upper()
    concerns = kind in {
        EventKind.REFUNDED, EventKind.REFUND_FAILED, EventKind.DISPUTED, EventKind.DISPUTE_WON,
    }  # fmt: skip
    return Event(
        kind,
        gateway_id=about["id"],
        notice=told["id"],
        at=at(told),
        key=key_of(about),
        payment_id=name_of(about.get("payment_intent")) if concerns else "",
        minor=from_stripe(amount, currency),
        currency=currency,
        decline=_decline(kind, about),
        stored=_stored(about) if kind is EventKind.STORED else None,
    )


def _kind(type_: str, about: Told) -> EventKind | None:
    match type_:
        case "payment_intent.succeeded":
            return EventKind.CAPTURED
        case "payment_intent.payment_failed" if way_of(about) == CHARGE:
            return EventKind.DECLINED  # at a page the client may choose another card
        case "refund.created" | "refund.updated" if about["status"] == "succeeded":
            return EventKind.REFUNDED
        case "refund.failed":
            return EventKind.REFUND_FAILED
        case "charge.dispute.funds_withdrawn":
            return EventKind.DISPUTED
        case "charge.dispute.funds_reinstated":
            return EventKind.DISPUTE_WON
        case "setup_intent.succeeded" if way_of(about) == STORE:
            return EventKind.STORED
        case "checkout.session.expired" if way_of(about) == STORE:
            return EventKind.STORED_FAILED
        case "checkout.session.expired" if way_of(about) == START:
            return EventKind.DECLINED
    return None


def _decline(kind: EventKind, about: Told) -> Decline | None:
    if kind not in {EventKind.DECLINED, EventKind.STORED_FAILED}:
        return None
    error = about.get("last_payment_error")
    return decline(error) if error else ABANDONED


def _stored(about: Told) -> Stored:
    return Stored(name_of(about["payment_method"]), name_of(about.get("customer")))
