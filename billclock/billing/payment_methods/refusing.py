"""A payment method that offers nothing: what a simple one begins with."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from billclock.billing.errors import NotOfferedError
from billclock.billing.payment_methods.base import (
    Event,
    Order,
    Outcome,
    Refund,
    Setup,
    Stored,
    StoredOutcome,
    StoreStarted,
)


class Refusing:
    """Refuses all but `start` and `ask`, which every method must have an answer to."""

    name: ClassVar[str]

    def charge(self, order: Order, stored: Stored) -> Outcome:
        """Refuse to take money without the client."""
        del order, stored
        raise NotOfferedError(self.name, "charge without the client")

    def refund(self, refund: Refund) -> Outcome:
        """Refuse to give money back by itself."""
        del refund
        raise NotOfferedError(self.name, "refund by itself")

    def store(self, setup: Setup) -> StoreStarted:
        """Refuse to store anything."""
        del setup
        raise NotOfferedError(self.name, "store anything")

    def ask_stored(self, setup: Setup, gateway_id: str = "") -> StoredOutcome:
        """Refuse, as there is nothing stored."""
        del setup, gateway_id
        raise NotOfferedError(self.name, "store anything")

    def forget(self, stored: Stored) -> None:
        """Refuse, as there is nothing stored."""
        del stored
        raise NotOfferedError(self.name, "store anything")

    def events(self, headers: Mapping[str, str], body: bytes) -> Sequence[Event]:
        """Refuse, as nobody sends notices."""
        del headers, body
        raise NotOfferedError(self.name, "read notices")
