"""Stripe's own pages, on which a client pays or leaves a card: one session a page."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from billclock.billing.payment_methods.base import (
    Order,
    Outcome,
    Redirect,
    Setup,
    State,
    StoredOutcome,
)
from billclock.billing.payment_methods.stripe import reading
from billclock.billing.payment_methods.stripe.amounts import to_stripe
from billclock.billing.payment_methods.stripe.intents import window
from billclock.billing.payment_methods.stripe.line import Line, Told
from billclock.billing.payment_methods.stripe.reading import KEY, WAY
from billclock.billing.payment_methods.stripe.refusals import ABANDONED

if TYPE_CHECKING:
    from stripe.params import CustomerCreateParams
    from stripe.params.checkout import SessionCreateParams

LANGUAGES = frozenset(
    {
        "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fil", "fr", "hr", "hu", "id", "it",
        "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv",
        "th", "tr", "vi", "zh",
    }
)  # fmt: skip


def to_pay(line: Line, order: Order) -> Redirect:
    """Open a page on which an order is paid."""
    marks = {KEY: order.key, WAY: reading.START}
    params: SessionCreateParams = {
        "mode": "payment",
        "allowed_payment_method_types": ["card"],
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": order.currency.lower(),
                    "unit_amount": to_stripe(order.minor, order.currency),
                    "product_data": {"name": order.description or order.reference or order.key},
                },
            }
        ],
        "payment_intent_data": {"metadata": marks},
        "metadata": marks,
        "success_url": order.return_url,
        "cancel_url": order.return_url,
        "locale": language(order.payer.language),
    }
    if order.payer.account:
        params["customer"] = order.payer.account
    elif order.payer.email:
        params["customer_email"] = order.payer.email
    return _opened(line, params, order.key)


def to_store(line: Line, setup: Setup) -> Redirect:
    """Open a page on which a card is left, for a customer who is made if not known."""
    marks = {KEY: setup.key, WAY: reading.STORE}
    params: SessionCreateParams = {
        "mode": "setup",
        "allowed_payment_method_types": ["card"],
        "customer": setup.payer.account or _customer(line, setup),
        "setup_intent_data": {"metadata": marks},
        "metadata": marks,
        "success_url": setup.return_url,
        "cancel_url": setup.return_url,
        "locale": language(setup.payer.language),
    }
    return _opened(line, params, setup.key)


def language(wanted: str) -> str:
    """Give the language of Stripe's page; what it does not know is the browser's to say."""
    return wanted if wanted in LANGUAGES else "auto"


def found(line: Line, asked: Order | Setup, name: str) -> Told | None:
    """Give a session by its id, or without one, by our key from the list of its time."""
    sessions = line.client.v1.checkout.sessions
    if not name:
        wanted = window(asked)
        told = line.found(
            lambda: sessions.list(wanted),
            lambda told: reading.key_of(told) == asked.key,
            "pages",
        )
        if told is None:
            return None
        name = told["id"]
    return line.asked(
        lambda: sessions.retrieve(name, {"expand": ["payment_intent", "setup_intent"]})
    )


def outcome(session: Told | None) -> Outcome:
    """Give what became of a page to pay; a page whose address nobody got cannot be paid."""
    if session is None:
        return Outcome(State.ABSENT)
    if session["status"] == "expired":
        return Outcome(State.DECLINED, session["id"], decline=ABANDONED)
    intent = session.get("payment_intent")
    if session["status"] == "complete" and isinstance(intent, Mapping):
        return reading.outcome(intent)
    return Outcome(State.PENDING, session["id"])


def stored(line: Line, session: Told | None) -> StoredOutcome:
    """Give what became of a page on which a card is left."""
    if session is None:
        return StoredOutcome(State.ABSENT)
    intent = session.get("setup_intent") or {}
    if session["status"] == "expired":
        return StoredOutcome(State.DECLINED, session["id"], why=ABANDONED.message)
    if session["status"] != "complete" or intent.get("status") != "succeeded":
        return StoredOutcome(State.PENDING, session["id"])
    token = reading.name_of(intent["payment_method"])
    method = line.asked(lambda: line.client.v1.payment_methods.retrieve(token))
    account = reading.name_of(session["customer"])
    return StoredOutcome(State.CAPTURED, intent["id"], reading.card(method, account))


def _opened(line: Line, params: "SessionCreateParams", key: str) -> Redirect:
    session = line.asked(
        lambda: line.client.v1.checkout.sessions.create(params, {"idempotency_key": f"{key}/page"})
    )
    ends = datetime.fromtimestamp(session["expires_at"], UTC)
    return Redirect(session["url"], session["id"], ends)


def _customer(line: Line, setup: Setup) -> str:
    payer = setup.payer
    params: CustomerCreateParams = {"metadata": {"billclock_client": payer.id}}
    if payer.name:
        params["name"] = payer.name
    if payer.email:
        params["email"] = payer.email
    made = line.asked(
        lambda: line.client.v1.customers.create(
            params, {"idempotency_key": f"{setup.key}/customer"}
        )
    )
    return reading.name_of(made)
