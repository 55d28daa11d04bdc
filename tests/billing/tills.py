"""An account with a card at the simulated gateway, whose truth a test can look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from billclock import clock
from billclock.billing import hearing, paying
from billclock.billing.ledger import LedgerAccount
from billclock.billing.payment_methods import offered
from billclock.billing.payment_methods.simulated.faults import Call, Script
from billclock.billing.payment_methods.simulated.method import FILE, Simulated
from billclock.billing.payment_methods.simulated.peer import Peer
from billclock.billing.payments import Payment, PaymentMethod, StoredMethod
from tests.billing.company import House
from tests.billing.statements import OURS

SCRIPT = Script()


class Scripted(Simulated):
    """The simulated gateway with the faults of SCRIPT: a way to pay from outside of the tree."""

    name = "scripted"

    def __init__(self, settings, around) -> None:
        super().__init__(settings, around, Peer(around.folder / FILE, SCRIPT, settings["secret"]))


@contextmanager
def scripted() -> Iterator[None]:
    """Offer that kind while the block lasts, as an entry point would: a test of tills needs it."""
    SCRIPT.calls.clear()
    kinds = cast("dict[str, type]", offered.kinds())
    kinds[Scripted.name] = Scripted
    try:
        yield
    finally:
        del kinds[Scripted.name]


class Till:
    """A house, an account, a card; `faults` and `seed` are settings of the gateway.

    Without them nothing fails but what `script` says.
    """

    def __init__(self, faults: str = "", seed: str = "1", house: House | None = None) -> None:
        self.house = house or House()
        self.account = self.house.account()
        self.method = PaymentMethod.objects.create(
            code="card", name="Card", plugin="simulated" if faults else Scripted.name,
            provider=self.house.provider, currency_id="EUR",
            settings={"faults": faults or "none", "seed": seed},
        )  # fmt: skip
        self.stored = self.card()
        self.disputed: set[str] = set()

    def script(self, *calls: Call) -> None:
        """Let the next calls that move money go so."""
        SCRIPT.calls.extend(calls)

    @property
    def gateway(self) -> Simulated:
        made = paying.gateway(self.method)
        assert isinstance(made, Simulated)
        return made

    @property
    def peer(self):
        return self.gateway.peer

    def card(self, behaviour: str = "") -> StoredMethod:
        """Store a card that is declined so, or never."""
        number = StoredMethod.objects.count()
        card = self.peer.card(clock.now(), f"{self.account.number}-{number}", behaviour)
        return StoredMethod.objects.create(
            client=self.account.client, method=self.method, state=StoredMethod.State.USABLE,
            changed_at=clock.now(), setup_key=f"card-{number}", token=card["token"],
            gateway_account=card["account"], masked=card["label"],
        )  # fmt: skip

    def pay(self, minor: int = 50_00, key: str = "p1") -> Payment:
        payment = paying.request(
            self.account, self.method, minor, key=key, stored=self.stored,
            purpose=Payment.Purpose.TOP_UP,
        )  # fmt: skip
        return paying.charge(payment)

    def hear(self) -> None:
        """Take what the gateway has to tell by now, each notice when it is sent."""
        for delivery in self.peer.deliver(clock.now()):
            with clock.at(delivery.at):
                hearing.hear(self.method, dict(delivery.headers), delivery.body)

    @property
    def balance(self) -> int:
        return LedgerAccount.objects.get(pk=self.account.pk).balance_minor

    @property
    def truth(self) -> int:
        """Give what the gateway holds for us."""
        captured = self.peer.captures()
        return sum(c.minor - c.refunded - (c.minor if c.disputed else 0) for c in captured)


def bank(house: House, code: str = "bank", **settings: str) -> PaymentMethod:
    """Let a house take bank transfers."""
    known = {"beneficiary": "Acme GmbH", "account": OURS}
    return PaymentMethod.objects.create(
        code=code, name="Bank transfer", plugin="bank_transfer", provider=house.provider,
        currency_id=house.currency, settings={**known, **settings},
    )  # fmt: skip
