"""What the payment contract needs of each method: a gateway to fail, cards, notices, the truth."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from billclock.billing.configuration import Surroundings
from billclock.billing.payment_methods.base import Order, Payer, PaymentMethod, Setup, Stored
from billclock.billing.payment_methods.declines import DeclineClass
from billclock.billing.payment_methods.offered import make
from billclock.billing.payment_methods.simulated.faults import Call, Fault, Script
from billclock.billing.payment_methods.simulated.method import Simulated
from billclock.billing.payment_methods.simulated.peer import Peer
from billclock.billing.payment_methods.simulated.server import Server
from tests.billing.payment_methods.fake_stripe import CODES, SECRET, FakeStripe, fake_stripe

BEGIN = datetime(2026, 11, 20, 0, 1, tzinfo=UTC)
NEVER = timedelta(days=3650)
PAYER = Payer("7", "Ada Byron", "ada@example.org")


@dataclass
class Clock:
    """A clock that stands until it is set."""

    at: datetime = BEGIN

    def __call__(self) -> datetime:
        return self.at

    def sleep(self, **time: float) -> None:
        self.at += timedelta(**time)


class Bench(Protocol):
    """A method at its gateway, and what a test does at the gateway's side."""

    method: PaymentMethod
    clock: Callable[[], datetime]

    def fail(self, *faults: Fault) -> None:
        """Let the next calls that move money go so."""

    def card(self, decline: DeclineClass | None = None) -> Stored:
        """Give a stored card that is always declined so, or never."""

    def notices(self) -> list[tuple[dict[str, str], bytes]]:
        """Give the headers and bodies the gateway has sent since."""

    def taken(self) -> dict[str, int]:
        """Give by key what the gateway has captured, less what it gave back."""


def order(key: str = "pay-1", minor: int = 1250, currency: str = "EUR", **more: object) -> Order:
    known = {"payer": PAYER, "at": BEGIN, "reference": "P-1", "return_url": "http://us.test/back"}
    return Order(key, minor, currency, **{**known, **more})  # type: ignore[arg-type]


def setup(key: str = "set-1") -> Setup:
    return Setup(key, PAYER, BEGIN, "http://us.test/back")


@dataclass
class SimulatedBench:
    method: Simulated
    peer: Peer
    script: Script
    clock: Clock

    def fail(self, *faults: Fault) -> None:
        self.script.calls += [Call(fault) for fault in faults]

    def card(self, decline: DeclineClass | None = None) -> Stored:
        made = self.peer.card(self.clock(), PAYER.id, decline or "")
        self.peer.deliver(self.clock())
        return Stored(made["token"], made["account"], made["label"])

    def notices(self) -> list[tuple[dict[str, str], bytes]]:
        return [(dict(n.headers), n.body) for n in self.peer.deliver(self.clock())]

    def taken(self) -> dict[str, int]:
        return {paid.key: paid.minor - paid.refunded for paid in self.peer.captures()}


def _simulated(folder: Path, clock: Clock, script: Script, **settings: str) -> SimulatedBench:
    peer = Peer(folder / "gateway.sqlite3", script, "simulated")
    method = make("simulated", settings, Surroundings(clock, folder))
    assert isinstance(method, Simulated)
    if not settings.get("address"):
        method.peer = peer
    return SimulatedBench(method, peer, script, clock)


@contextmanager
def simulated(folder: Path) -> Iterator[SimulatedBench]:
    yield _simulated(folder, Clock(), Script())


@contextmanager
def simulated_over_http(folder: Path) -> Iterator[SimulatedBench]:
    clock, script = Clock(), Script()
    peer = Peer(folder / "gateway.sqlite3", script, "simulated")
    with Server(peer, clock) as server:
        yield _simulated(folder, clock, script, address=server.address)


@dataclass
class StripeBench:
    method: PaymentMethod
    fake: FakeStripe
    clock: Clock
    read: int = 0

    def fail(self, *faults: Fault) -> None:
        self.fake.faults.extend(faults)

    def card(self, decline: DeclineClass | None = None) -> Stored:
        made = self.fake.card(code=CODES[decline] if decline else "")
        return Stored(made["id"], made["customer"])

    def notices(self) -> list[tuple[dict[str, str], bytes]]:
        new, self.read = self.fake.told[self.read :], len(self.fake.told)
        return [self.fake.signed(event) for _, event in new]

    def taken(self) -> dict[str, int]:
        return {
            told["metadata"]["billclock_key"]: told["amount_received"] - self.fake.refunded(name)
            for name, told in self.fake.objects.items()
            if told["object"] == "payment_intent" and told["amount_received"]
        }


@contextmanager
def stripe(folder: Path) -> Iterator[StripeBench]:
    clock = Clock()
    with fake_stripe(clock) as fake:
        settings = {"secret_key": "sk_test_1", "signing_secret": SECRET, "address": fake.url}
        yield StripeBench(make("stripe", settings, Surroundings(clock, folder)), fake, clock)
