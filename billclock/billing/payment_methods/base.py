"""What a way to pay is: eight methods, and the values that go in and come out.

Two rules keep money right, whatever is lost on the way:

- A call that moves money (`charge`, `refund`) ends in an Outcome. GatewayError means that nothing
  was done and nothing will be. Where the answer was lost the outcome is UNKNOWN, and the attempt
  stays in flight until `ask` gives another state. An exception of any other class counts as
  UNKNOWN.
- `ask` may say ABSENT only where the attempt cannot succeed any more; a method whose gateway may
  still have the request under way closes it there first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from billclock.billing.configuration import Field
from billclock.billing.payment_methods.declines import Decline

LONGEST_KEY = 200  # gateways take 255 characters, and methods add a few


class State(StrEnum):
    """What became of an attempt to move money; CAPTURED, DECLINED and ABSENT are its ends."""

    CAPTURED = "captured"
    DECLINED = "declined"
    PENDING = "pending"
    UNKNOWN = "unknown"
    ABSENT = "absent"

    @property
    def settled(self) -> bool:
        """Tell whether the attempt is no longer in flight."""
        return self in {State.CAPTURED, State.DECLINED, State.ABSENT}


class EventKind(StrEnum):
    """What a gateway tells of."""

    CAPTURED = "captured"
    DECLINED = "declined"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTED = "disputed"
    DISPUTE_WON = "dispute_won"
    STORED = "stored"
    STORED_FAILED = "stored_failed"


@dataclass(frozen=True, slots=True)
class Features:
    """What a method can do. `currencies` empty: any; `smallest`: least amount in minor units."""

    starts: bool = False
    charges: bool = False
    refunds: bool = False
    stores: bool = False
    tells: bool = False
    by_statement: bool = False
    currencies: frozenset[str] = frozenset()
    smallest: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays; `account` is the gateway's name for him, from what he has stored before."""

    id: str
    name: str = ""
    email: str = ""
    language: str = "en"
    account: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """Money to be moved: `minor` > 0 in the currency's minor unit.

    `key` is the attempt's own, stored before the first call, and unique in the world, say by a
    random part: installations may share an account at a gateway. `at` is when it was stored, with
    a time zone. `reference` is the number the client sees; `return_url` is where his browser comes
    back to. Raise ValueError for what no gateway would take.
    """

    key: str
    minor: int
    currency: str
    payer: Payer
    at: datetime
    reference: str = ""
    description: str = ""
    return_url: str = ""

    def __post_init__(self) -> None:
        _check(self.key, self.at, self.minor)


@dataclass(frozen=True, slots=True)
class Refund:
    """A part or all of a captured payment to give back; `payment_id` is the gateway's id of it."""

    key: str
    payment_id: str
    minor: int
    currency: str
    at: datetime

    def __post_init__(self) -> None:
        _check(self.key, self.at, self.minor)


@dataclass(frozen=True, slots=True)
class Setup:
    """A payment method to be stored; `key` as an order's."""

    key: str
    payer: Payer
    at: datetime
    return_url: str = ""

    def __post_init__(self) -> None:
        _check(self.key, self.at)


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored payment method: what charges it, whose it is, and what the client knows it by."""

    token: str
    account: str = ""
    label: str = ""
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order or a refund.

    `gateway_id` names the captured payment (or the refund) for good: a notice about the same thing
    carries the same. `minor` and `currency` are what was really moved. `why` says in words what
    made the outcome UNKNOWN.
    """

    state: State
    gateway_id: str = ""
    minor: int = 0
    currency: str = ""
    decline: Decline | None = None
    at: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """What became of a setup; `stored` where CAPTURED, which here means stored and usable."""

    state: State
    gateway_id: str = ""
    stored: Stored | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    """The client goes on at `url`, until `expires`; `gateway_id` may later help to ask."""

    url: str
    gateway_id: str = ""
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Instructions:
    """The client pays by himself, naming `reference`; `lines` are (code of a label, text)."""

    reference: str
    lines: tuple[tuple[str, str], ...]


Started = Redirect | Instructions | Outcome
StoreStarted = Redirect | StoredOutcome


@dataclass(frozen=True, slots=True)
class Event:
    """What a gateway told, its signature checked.

    (`gateway_id`, `kind`) is what happened, once; `notice` is the id of this message about it.
    `payment_id` is the payment that a refund or dispute concerns; `key` our key, "" where the
    gateway does not know it. `minor` > 0.
    """

    kind: EventKind
    gateway_id: str
    notice: str
    at: datetime
    key: str = ""
    payment_id: str = ""
    minor: int = 0
    currency: str = ""
    decline: Decline | None = None
    stored: Stored | None = None


def _check(key: str, at: datetime, minor: int = 1) -> None:
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise ValueError(f"the key {key!r} is not 1 to {LONGEST_KEY} printable ASCII characters")
    if at.tzinfo is None:
        raise ValueError(f"{key}: the moment {at} has no time zone")
    if minor < 1:
        raise ValueError(f"{key}: {minor} is no amount to be moved")


class PaymentMethod(Protocol):
    """A way to pay. Every call may raise GatewayError, or NotOfferedError as features say."""

    name: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    features: Features

    def start(self, order: Order) -> Started:
        """Begin a payment in which the client takes part."""

    def charge(self, order: Order, stored: Stored) -> Outcome:
        """Take money by a stored method, without the client.

        A repeat of a key takes no more, but its GatewayError speaks of the repeat alone: what
        became of the first is what `ask` says.
        """

    def ask(self, order: Order, gateway_id: str = "") -> Outcome:
        """Tell what became of an order; call it when no `charge` of its key is still running."""

    def refund(self, refund: Refund) -> Outcome:
        """Give money back. A repeat of a key gives no more, and tells what became of it."""

    def store(self, setup: Setup) -> StoreStarted:
        """Begin storing a method."""

    def ask_stored(self, setup: Setup, gateway_id: str = "") -> StoredOutcome:
        """Tell what became of a setup."""

    def forget(self, stored: Stored) -> None:
        """Let the gateway forget a stored method; forgetting it twice is no error."""

    def events(self, headers: Mapping[str, str], body: bytes) -> Sequence[Event]:
        """Read a notice; none where it is of no concern.

        Raise BadSignatureError for what the gateway did not sign, BadNoticeError for what it
        signed but left incomplete. Header names are taken in any case.
        """
