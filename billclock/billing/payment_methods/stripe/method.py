"""Cards at Stripe: an intent is made first and confirmed second, so that nothing stays in doubt.

An intent that was made and not confirmed takes no money. Who asks about an attempt and finds such
an intent cancels it; a confirmation that is still on its way is then refused by Stripe.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from billclock.billing.configuration import Field, Kind, Surroundings
from billclock.billing.errors import BadNoticeError, BadSignatureError, GatewayError
from billclock.billing.payment_methods.base import (
    Event,
    Features,
    Order,
    Outcome,
    Refund,
    Setup,
    Started,
    State,
    Stored,
    StoredOutcome,
    StoreStarted,
)
from billclock.billing.payment_methods.stripe import checkout, intents, reading
from billclock.billing.payment_methods.stripe.amounts import to_stripe
from billclock.billing.payment_methods.stripe.line import NAME, Line
from billclock.billing.payment_methods.stripe.reading import KEY

KEYS_LIVE = timedelta(hours=23)  # Stripe may forget an idempotency key after 24
TOLERANCE = timedelta(minutes=5)
LONGEST = 1 << 20  # bytes of a notice
HEADER = "stripe-signature"


def _secret_key(text: str) -> str:
    known = text.startswith(("sk_", "rk_"))
    return "" if known else "a secret key begins with sk_ or rk_"


def _signing_secret(text: str) -> str:
    return "" if text.startswith("whsec_") else "a webhook's signing secret begins with whsec_"


class StripeCards:
    """Cards at Stripe, on its page (Checkout) with the client, and stored ones without him."""

    name: ClassVar[str] = NAME
    fields: ClassVar[tuple[Field, ...]] = (
        Field("secret_key", "the account's secret key", Kind.SECRET, check=_secret_key),
        Field("signing_secret", "the webhook's signing secret", Kind.SECRET, check=_signing_secret),
        Field("address", "in place of Stripe's own, for tests", Kind.ADDRESS, required=False),
    )
    features: Features = Features(starts=True, charges=True, refunds=True, stores=True, tells=True)

    def __init__(self, settings: Mapping[str, str], around: Surroundings) -> None:
        self._line = Line(settings["secret_key"], settings["address"].rstrip("/"))
        self._secret = settings["signing_secret"]
        self._around = around

    def start(self, order: Order) -> Started:
        """Give Stripe's page on which the client pays."""
        return checkout.to_pay(self._line, order)

    def charge(self, order: Order, stored: Stored) -> Outcome:
        """Take money from a stored card, unless the attempt is older than Stripe's memory of it."""
        if self._around.now() - order.at > KEYS_LIVE:
            why = "the attempt is older than Stripe keeps its key: ask what became of it"
            return Outcome(State.UNKNOWN, why=why)
        return intents.confirmed(self._line, intents.made(self._line, order, stored), order.key)

    def ask(self, order: Order, gateway_id: str = "") -> Outcome:
        """Look an order up by the id of an intent or a page, else in the lists of its time."""
        page = gateway_id.startswith("cs_")
        intent = None
        if not page:
            by_name = intents.by_name(self._line, gateway_id) if gateway_id else None
            intent = by_name or intents.by_key(self._line, order)
        if intent and reading.way_of(intent) != reading.START:
            return intents.settled(self._line, intent)
        return checkout.outcome(checkout.found(self._line, order, gateway_id if page else ""))

    def refund(self, refund: Refund) -> Outcome:
        """Give money back, unless a refund with this key is there already."""
        import stripe  # noqa: PLC0415 - an optional extra

        refunds = self._line.client.v1.refunds
        if made := self._line.found(
            lambda: refunds.list({"payment_intent": refund.payment_id, "limit": 100}),
            lambda told: reading.key_of(told) == refund.key,
            "refunds",
        ):
            return reading.refund_outcome(made)
        try:
            told = refunds.create(
                {
                    "payment_intent": refund.payment_id,
                    "amount": to_stripe(refund.minor, refund.currency),
                    "metadata": {KEY: refund.key},
                },
                {"idempotency_key": f"{refund.key}/refund"},
            )
        except stripe.StripeError as error:
            return intents.doubtful(error, "")
        return reading.refund_outcome(told.to_dict())

    def store(self, setup: Setup) -> StoreStarted:
        """Give Stripe's page on which the client leaves a card."""
        return checkout.to_store(self._line, setup)

    def ask_stored(self, setup: Setup, gateway_id: str = "") -> StoredOutcome:
        """Look a setup up by the id of its page, else in the list of its time."""
        page = gateway_id if gateway_id.startswith("cs_") else ""
        return checkout.stored(self._line, checkout.found(self._line, setup, page))

    def forget(self, stored: Stored) -> None:
        """Take a card from its customer; one that is gone already is no error."""
        methods = self._line.client.v1.payment_methods
        try:
            self._line.asked(lambda: methods.detach(stored.token))
        except GatewayError as error:
            if error.retry or self._is_kept(stored.token):
                raise

    def events(self, headers: Mapping[str, str], body: bytes) -> Sequence[Event]:
        """Read a webhook's event."""
        self._check(headers, body)
        try:
            told = reading.event(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadNoticeError(NAME, f"{type(error).__name__}: {error}") from None
        except GatewayError as error:
            raise BadNoticeError(NAME, error.reason) from None
        return [told] if told else []

    def _check(self, headers: Mapping[str, str], body: bytes) -> None:
        """Check a signature with Stripe's library, and its age with our own clock."""
        import stripe  # noqa: PLC0415 - an optional extra

        given = next((text for key, text in headers.items() if key.lower() == HEADER), "")
        if len(body) > LONGEST:
            raise BadSignatureError(NAME, f"more than {LONGEST} bytes")
        try:
            stripe.WebhookSignature.verify_header(body, given, self._secret)
            seconds = next(part[2:] for part in given.split(",") if part.startswith("t="))
            age = abs(self._around.now() - datetime.fromtimestamp(int(seconds), UTC))
        except (stripe.SignatureVerificationError, ValueError, OverflowError, OSError):
            raise BadSignatureError(
                NAME, "the signature is not that of this body and our secret"
            ) from None
        if age > TOLERANCE:
            raise BadSignatureError(NAME, f"it was signed {age} before or after now")

    def _is_kept(self, token: str) -> bool:
        try:
            method = self._line.asked(lambda: self._line.client.v1.payment_methods.retrieve(token))
        except GatewayError as error:
            return error.retry
        return bool(method.get("customer"))
