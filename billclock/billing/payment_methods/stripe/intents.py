"""Payment intents at Stripe: made, then confirmed; cancelled by who asks and finds one between."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from billclock.billing.payment_methods.base import Order, Outcome, Setup, State, Stored
from billclock.billing.payment_methods.stripe import reading
from billclock.billing.payment_methods.stripe.amounts import to_stripe
from billclock.billing.payment_methods.stripe.line import Line, Told, gateway_error, refusal
from billclock.billing.payment_methods.stripe.reading import KEY, WAY
from billclock.billing.payment_methods.stripe.refusals import decline

if TYPE_CHECKING:
    import stripe

BEFORE, AFTER = timedelta(hours=1), timedelta(days=2)
"""How far an object's moment may be from that of our attempt: their clock, a slow client."""


def made(line: Line, order: Order, stored: Stored) -> str:
    """Make an intent and give its id; no money moves, so that an error leaves no doubt."""
    told = line.asked(
        lambda: line.client.v1.payment_intents.create(
            {
                "amount": to_stripe(order.minor, order.currency),
                "currency": order.currency.lower(),
                "customer": stored.account,
                "payment_method": stored.token,
                "allowed_payment_method_types": ["card"],
                "description": order.description or order.reference or order.key,
                "metadata": {KEY: order.key, WAY: reading.CHARGE},
            },
            {"idempotency_key": f"{order.key}/make"},
        )
    )
    return reading.name_of(told)


def confirmed(line: Line, name: str, key: str) -> Outcome:
    """Take the intent's money without the client."""
    import stripe  # noqa: PLC0415 - an optional extra

    try:
        told = line.client.v1.payment_intents.confirm(
            name, {"off_session": True}, {"idempotency_key": f"{key}/confirm"}
        )
    except stripe.CardError as error:
        return Outcome(State.DECLINED, name, decline=decline(refusal(error)))
    except stripe.InvalidRequestError as error:
        if error.code == "payment_intent_unexpected_state":
            return settled(line, by_name(line, name))
        raise gateway_error(error) from None
    except stripe.StripeError as error:
        return doubtful(error, name)
    return settled(line, told.to_dict())


def doubtful(error: "stripe.StripeError", name: str) -> Outcome:
    """Give UNKNOWN where Stripe may have done it; raise GatewayError where it refused."""
    import stripe  # noqa: PLC0415 - an optional extra

    refused = (
        stripe.AuthenticationError,
        stripe.IdempotencyError,
        stripe.InvalidRequestError,
        stripe.PermissionError,
        stripe.RateLimitError,
    )
    if isinstance(error, refused):
        raise gateway_error(error) from None
    return Outcome(State.UNKNOWN, name, why=gateway_error(error).reason)


def by_name(line: Line, name: str) -> Told:
    """Give an intent by its id."""
    return line.asked(lambda: line.client.v1.payment_intents.retrieve(name))


def by_key(line: Line, order: Order) -> Told | None:
    """Give the intent of a charge by our key, from the list of its time."""
    wanted = window(order)
    return line.found(
        lambda: line.client.v1.payment_intents.list(wanted),
        lambda told: (reading.key_of(told), reading.way_of(told)) == (order.key, reading.CHARGE),
        "payments",
    )


def settled(line: Line, intent: Told) -> Outcome:
    """Give an intent's outcome, after cancelling one that waits for what will not come."""
    if intent["status"] not in {"requires_confirmation", "requires_action"}:
        return reading.outcome(intent)
    cancelled = line.asked(lambda: line.client.v1.payment_intents.cancel(intent["id"]))
    declined = intent["status"] == "requires_action"
    return reading.outcome(intent if declined else cancelled)


def window(asked: Order | Setup) -> Any:
    """Give the parameters of any list that holds what was made for an order or a setup.

    Lists are up to date at once; Stripe's search may lag by a minute or an hour.
    """
    since, until = asked.at - BEFORE, asked.at + AFTER
    span = {"gte": int(since.timestamp()), "lte": int(until.timestamp())}
    account = {"customer": asked.payer.account} if asked.payer.account else {}
    return {"limit": 100, "created": span, **account}
