"""Stripe through the acts: charged, lost, told twice, refunded, disputed; a page and a card."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest

from billclock import clock
from billclock.billing import hearing, paying, returning, storing
from billclock.billing.payment_methods import base
from billclock.billing.payment_methods.simulated.faults import Fault
from billclock.billing.payments import Attempt, Payment, PaymentMethod, StoredMethod
from billclock.billing.verifying import breaches
from tests.billing.company import House, balance
from tests.billing.payment_methods.fake_stripe import SECRET, FakeStripe, fake_stripe
from tests.contracts.paying import BEGIN, Clock

PAGE = "https://us.example/back"


class Shop:
    """An account with a card at a fake of Stripe."""

    def __init__(self, fake: FakeStripe) -> None:
        self.fake = fake
        self.read = 0
        self.house = House()
        self.account = self.house.account()
        self.method = PaymentMethod.objects.create(
            code="stripe", name="Cards", plugin="stripe", provider=self.house.provider,
            currency_id="EUR", settings={
                "secret_key": "sk_test_1", "signing_secret": SECRET, "address": fake.url,
            },
        )  # fmt: skip

    def card(self, code: str = "") -> StoredMethod:
        made = self.fake.card(code=code)
        return StoredMethod.objects.create(
            client=self.account.client, method=self.method, state=StoredMethod.State.USABLE,
            changed_at=clock.now(), setup_key=made["id"], token=made["id"],
            gateway_account=made["customer"], masked="Visa •••• 4242",
        )  # fmt: skip

    def pay(self, minor: int = 50_00, code: str = "") -> Payment:
        key = f"p{Payment.objects.count()}"
        card = self.card(code)
        payment = paying.request(self.account, self.method, minor, key=key, stored=card)
        return paying.charge(payment)

    def hear(self, times: int = 1) -> int:
        """Take what Stripe has told since, each event so many times; give how much was news."""
        new, self.read = self.fake.told[self.read :], len(self.fake.told)
        told = [self.fake.signed(event) for _, event in new] * times
        return sum(hearing.hear(self.method, headers, body) for headers, body in told)

    @property
    def balance(self) -> int:
        return balance(self.account)


@contextmanager
def later(shop: Shop, **time: float) -> Iterator[None]:
    """Let time pass here and at Stripe."""
    shop.fake.now.sleep(**time)
    with clock.at(shop.fake.now()):
        yield


@pytest.fixture
def shop(engine, settings, tmp_path) -> Iterator[Shop]:
    settings.HOME = tmp_path
    with clock.at(BEGIN), fake_stripe(Clock()) as fake:
        yield Shop(fake)
        assert not list(breaches())


def test_a_card_is_charged_and_the_webhook_is_no_news(shop: Shop):
    payment = shop.pay()
    assert payment.state == Payment.State.CREDITED
    assert shop.hear(times=2) == 0
    assert shop.balance == 50_00


@pytest.mark.parametrize("told", ["webhook", "question", "both"])
def test_a_lost_answer_is_credited_once_whoever_tells(shop: Shop, told: str):
    shop.fake.faults.append(Fault.LOST_ANSWER)
    payment = shop.pay()
    assert payment.state == Payment.State.IN_PROGRESS
    assert paying.charge(payment).attempts.count() == 1
    if told != "question":
        assert shop.hear(times=2) == 1
    with later(shop, hours=24):
        for attempt in list(paying.unanswered()):
            paying.ask(attempt)
        shop.hear()
    assert shop.balance == 50_00


def test_a_request_that_was_lost_takes_nothing_and_is_tried_again(shop: Shop):
    shop.fake.faults.append(Fault.LOST_REQUEST)
    payment = shop.pay()
    with later(shop, hours=24):
        (attempt,) = paying.unanswered()
        paying.ask(attempt)
        payment.refresh_from_db()
        assert payment.next_try_on == clock.today()
        assert paying.charge(payment).state == Payment.State.CREDITED
        assert shop.hear() == 0
    assert shop.balance == 50_00


def test_declines_are_read_and_told(shop: Shop):
    payment = shop.pay(code="insufficient_funds")
    assert (payment.state, payment.decline) == (Payment.State.NEW, "insufficient_funds")
    assert payment.next_try_on == BEGIN.date() + timedelta(3)
    assert shop.hear() == 0
    stolen = shop.pay(code="stolen_card")
    assert stolen.state == Payment.State.CANCELLED
    assert StoredMethod.objects.get(pk=stolen.stored_id).state == StoredMethod.State.FAILED


@pytest.mark.parametrize("fault", [None, Fault.LOST_ANSWER])
def test_a_refund_leaves_once(shop: Shop, fault: Fault | None):
    payment = shop.pay()
    if fault:
        shop.fake.faults.append(fault)
    refund = returning.refund(payment, 20_00, "too much")
    assert shop.balance == 30_00
    shop.hear(times=2)
    returning.ask(refund)
    refund.refresh_from_db()
    assert refund.state == Attempt.State.CAPTURED
    assert shop.fake.refunded("pi_1") == 20_00
    assert shop.balance == 30_00


def test_a_refund_at_the_dashboard_and_a_dispute_are_heard_once(shop: Shop):
    shop.pay()
    shop.fake.refunds({"payment_intent": "pi_1", "amount": "1000", "metadata": {}})
    shop.hear(times=2)
    assert shop.balance == 40_00
    other = shop.pay()
    shop.fake.dispute("pi_2", "charge.dispute.funds_withdrawn")
    shop.hear(times=2)
    other.refresh_from_db()
    assert (shop.balance, other.state) == (40_00, Payment.State.RETURNING)
    shop.fake.dispute("pi_2", "charge.dispute.funds_reinstated")
    shop.hear(times=2)
    assert shop.balance == 90_00


def test_what_others_took_with_the_same_account_is_not_ours(shop: Shop):
    intent = shop.fake._made(
        "pi", "payment_intent", amount=700, amount_received=0, currency="eur", metadata={}
    )
    shop.fake.succeed(intent)
    assert shop.hear() == 1
    assert shop.balance == 0


@pytest.mark.parametrize("code", ["", "insufficient_funds"])
def test_a_page_is_paid_or_left(shop: Shop, code: str):
    payment = paying.request(shop.account, shop.method, 50_00, key="page")
    started = paying.start(payment, PAGE)
    assert isinstance(started, base.Redirect)
    shop.fake.pay("cs_1", code)
    shop.hear(times=2)
    payment.refresh_from_db()
    if not code:
        assert (payment.state, shop.balance) == (Payment.State.CREDITED, 50_00)
        return
    assert payment.state == Payment.State.IN_PROGRESS  # another card may be tried on the page
    shop.fake.expire("cs_1")
    shop.hear()
    payment.refresh_from_db()
    assert (payment.state, shop.balance) == (Payment.State.CANCELLED, 0)


def test_a_card_is_stored_with_its_label_and_end_and_charged(shop: Shop):
    storing.begin(shop.account, shop.method, PAGE)
    shop.fake.leave_card("cs_1")
    assert shop.hear(times=2) == 1
    stored = StoredMethod.objects.get()
    assert stored.state == StoredMethod.State.USABLE
    assert (stored.masked, stored.expires_on) == ("Visa •••• 4242", date(2028, 2, 29))
    payment = paying.request(shop.account, shop.method, 50_00, key="p1", stored=stored)
    assert paying.charge(payment).state == Payment.State.CREDITED
    storing.forget(stored)
    stored.refresh_from_db()
    assert stored.state == StoredMethod.State.DISABLED
    assert shop.fake.objects[stored.token]["customer"] is None
