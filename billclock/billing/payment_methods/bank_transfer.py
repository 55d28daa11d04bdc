"""Bank transfer: the client is told where to pay and what to name; statements tell of the money."""

from collections.abc import Mapping
from typing import ClassVar

from stdnum import iban

from billclock.billing.configuration import Field, Kind, Surroundings
from billclock.billing.errors import GatewayError, NotOfferedError, StatementError
from billclock.billing.payment_methods.base import (
    Features,
    Instructions,
    Order,
    Outcome,
    Started,
    State,
)
from billclock.billing.payment_methods.references import creditor_reference
from billclock.billing.payment_methods.refusing import Refusing
from billclock.billing.statements.delimited import Layout

NAME = "bank_transfer"


def _account(text: str) -> str:
    looks = text[:2].isalpha() and text[2:4].isdecimal()
    return "its check digits are wrong" if looks and not iban.is_valid(text) else ""


def _layout(text: str) -> str:
    try:
        Layout.of(text)
    except StatementError as error:
        return str(error)
    return ""


class BankTransfer(Refusing):
    """A transfer to our account; nothing here reaches a network."""

    name: ClassVar[str] = NAME
    fields: ClassVar[tuple[Field, ...]] = (
        Field("beneficiary", "whose account it is"),
        Field("account", "an IBAN, or a number as the bank writes it", check=_account),
        Field("bic", "the bank's code", required=False),
        Field("bank", "the bank's name", required=False),
        Field("currencies", "currencies taken, such as EUR,CZK; none: any", required=False),
        Field(
            "reference", "what the client names: the payment's number, or it with check digits"
            " (ISO 11649)", Kind.CHOICE, default="plain", choices=("plain", "rf"),
        ),
        Field(
            "layout", "the columns of the bank's CSV, where it gives no camt.053:"
            " date=Datum; amount=Betrag; of_currency=EUR; text=Zweck", required=False,
            check=_layout,
        ),
    )  # fmt: skip

    def __init__(self, settings: Mapping[str, str], around: Surroundings) -> None:
        del around
        self._settings = settings
        codes = settings["currencies"].upper().replace(",", " ").split()
        self.features = Features(starts=True, by_statement=True, currencies=frozenset(codes))

    def start(self, order: Order) -> Started:
        """Tell the client where to pay; the lines are codes of labels and texts."""
        taken = self.features.currencies
        if taken and order.currency not in taken:
            raise NotOfferedError(NAME, f"take {order.currency}, only {', '.join(sorted(taken))}")
        reference = order.reference or order.key
        if self._settings["reference"] == "rf":
            try:
                reference = creditor_reference(reference)
            except ValueError as error:
                raise GatewayError(NAME, str(error), retry=False) from None
        named = ("beneficiary", "account", "bic", "bank")
        lines = [(name, self._settings[name]) for name in named if self._settings[name]]
        return Instructions(reference, (*lines, ("reference", reference)))

    def ask(self, order: Order, gateway_id: str = "") -> Outcome:
        """Say PENDING: only a statement tells."""
        del gateway_id
        return Outcome(State.PENDING, currency=order.currency, minor=order.minor)


METHOD = BankTransfer
