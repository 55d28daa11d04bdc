"""The simulated gateway as a payment method, in this process or at an address."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

import httpx

from billclock.billing.configuration import Field, Kind, Surroundings
from billclock.billing.errors import GatewayError
from billclock.billing.payment_methods.base import (
    Event,
    Features,
    Order,
    Outcome,
    Redirect,
    Refund,
    Setup,
    Started,
    State,
    Stored,
    StoredOutcome,
    StoreStarted,
)
from billclock.billing.payment_methods.declines import Decline, DeclineClass
from billclock.billing.payment_methods.simulated import acts, notices
from billclock.billing.payment_methods.simulated.acts import Answer
from billclock.billing.payment_methods.simulated.faults import profile
from billclock.billing.payment_methods.simulated.peer import DownError, NoAnswerError, Peer
from billclock.billing.payment_methods.simulated.store import moment

FILE = "simulated-gateway.sqlite3"
SILENCE = 10.0  # seconds


class Line(Protocol):
    """The way to the gateway; raises DownError or NoAnswerError."""

    def __call__(self, act: str, request: Mapping[str, object]) -> Answer:
        """Send a request and give its answer."""


class Simulated:
    """A card gateway for demonstrations, simulations and tests: no money moves."""

    name: ClassVar[str] = "simulated"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("seed", "what its faults are drawn from", default="1", required=False),
        Field(
            "faults", "how much goes wrong", Kind.CHOICE, default="none",
            choices=("none", "calm", "rough"),
        ),
        Field("secret", "signs its notices", Kind.SECRET, default="simulated"),
        Field("address", "where it runs, if not in this process", Kind.ADDRESS, required=False),
        Field("page", "where its pages for clients are", Kind.ADDRESS, required=False),
    )  # fmt: skip
    features: Features = Features(starts=True, charges=True, refunds=True, stores=True, tells=True)

    def __init__(
        self, settings: Mapping[str, str], around: Surroundings, peer: Peer | None = None
    ) -> None:
        self._around = around
        self._secret = settings["secret"]
        self._page = settings["page"].rstrip("/")
        address = settings["address"].rstrip("/")
        chance = profile(settings["faults"], settings["seed"])
        self.peer = peer or Peer(around.folder / FILE, chance, self._secret)
        self._line: Line = _Wire(address) if address else self._direct

    def start(self, order: Order) -> Started:
        """Give the page where the client decides, or where there is none, take the money."""
        answer = self._moved("start", {**_asked(order), "page": bool(self._page)})
        if answer.get("state") == acts.OPEN:
            return Redirect(f"{self._page}/{answer['id']}", answer["id"], moment(answer["expires"]))
        return _outcome(answer)

    def charge(self, order: Order, stored: Stored) -> Outcome:
        """Take money from a stored card."""
        return _outcome(self._moved("charge", {**_asked(order), "token": stored.token}))

    def ask(self, order: Order, gateway_id: str = "") -> Outcome:
        """Tell what became of an order; a key that never came is closed by asking."""
        del gateway_id
        return _outcome(self._told("ask", {"key": order.key}))

    def refund(self, refund: Refund) -> Outcome:
        """Give money back."""
        request = {
            "key": refund.key, "payment": refund.payment_id, "minor": refund.minor,
            "currency": refund.currency,
        }  # fmt: skip
        return _outcome(self._moved("refund", request))

    def store(self, setup: Setup) -> StoreStarted:
        """Give the page where the client enters a card, or where there is none, store one."""
        request = {
            "key": setup.key, "payer": setup.payer.id, "account": setup.payer.account,
            "return_url": setup.return_url, "page": bool(self._page),
        }  # fmt: skip
        answer = self._told("store", request)
        if self._page and answer["state"] == State.PENDING:
            return Redirect(f"{self._page}/{answer['id']}", answer["id"])
        return _stored(answer)

    def ask_stored(self, setup: Setup, gateway_id: str = "") -> StoredOutcome:
        """Tell what became of a setup; a key that never came is closed by asking."""
        del gateway_id
        return _stored(self._told("ask_stored", {"key": setup.key}))

    def forget(self, stored: Stored) -> None:
        """Forget a card."""
        self._told("forget", {"key": stored.token, "token": stored.token})

    def events(self, headers: Mapping[str, str], body: bytes) -> Sequence[Event]:
        """Read a notice of the gateway."""
        return notices.read(self.name, headers, body, self._secret, self._around.now())

    def _direct(self, act: str, request: Mapping[str, object]) -> Answer:
        return self.peer.handle(self._around.now(), act, request)

    def _moved(self, act: str, request: Mapping[str, object]) -> Answer:
        """Send what moves money: a lost answer is one of the answers."""
        try:
            return self._sent(act, request)
        except NoAnswerError:
            return {"state": State.UNKNOWN, "why": "the gateway did not answer in time"}

    def _told(self, act: str, request: Mapping[str, object]) -> Answer:
        """Send what moves no money: a lost answer is a fault that may pass."""
        try:
            return self._sent(act, request)
        except NoAnswerError:
            raise GatewayError(self.name, "no answer in time", retry=True) from None

    def _sent(self, act: str, request: Mapping[str, object]) -> Answer:
        try:
            answer = self._line(act, request)
        except DownError:
            raise GatewayError(self.name, "no connection", retry=True) from None
        if "refused" in answer:
            raise GatewayError(self.name, str(answer["refused"]), retry=False)
        return answer


class _Wire:
    """A gateway at an address, which answers JSON to POST /ACT."""

    def __init__(self, address: str) -> None:
        self._address = address

    def __call__(self, act: str, request: Mapping[str, object]) -> Answer:
        """Send a request; whatever is no answer may have arrived, but for a failed connection."""
        try:
            response = httpx.post(f"{self._address}/{act}", json=request, timeout=SILENCE)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise DownError from None
        except httpx.HTTPError:
            raise NoAnswerError from None
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise DownError
        if response.status_code != httpx.codes.OK:
            raise NoAnswerError
        answer: Answer = response.json()
        return answer


def _asked(order: Order) -> dict[str, object]:
    return {
        "key": order.key, "minor": order.minor, "currency": order.currency,
        "reference": order.reference, "return_url": order.return_url,
    }  # fmt: skip


def _outcome(answer: Answer) -> Outcome:
    state = State(answer["state"])
    if state in {State.UNKNOWN, State.ABSENT}:
        return Outcome(state, why=answer.get("why", ""))
    decline = answer["decline"]
    return Outcome(
        state,
        answer["id"],
        answer["minor"],
        answer["currency"],
        Decline(DeclineClass(decline), decline) if decline else None,
        moment(answer["at"]),
    )


def _stored(answer: Answer) -> StoredOutcome:
    state = State(answer["state"])
    if state is not State.CAPTURED:
        return StoredOutcome(state, answer.get("id", ""))
    stored = Stored(answer["token"], answer["account"], answer["label"])
    return StoredOutcome(state, answer["id"], stored)
