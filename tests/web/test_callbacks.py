"""What comes in at /pay/<code>/notice: signed notices once each, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from billclock import clock
from billclock.billing import following, paying, unsigned
from billclock.billing.clients import Account
from billclock.billing.payment_methods.simulated.faults import Call, Fault
from billclock.billing.payment_methods.simulated.notices import Delivery, signed
from billclock.billing.payments import Arrival, Attempt, GatewayEvent, Payment, PaymentMethod
from billclock.billing.services import Task
from billclock.web import callbacks
from tests.billing.company import House
from tests.billing.tills import Till, scripted

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
LATER = NOW + timedelta(minutes=6)
Sent = Callable[..., int]


@pytest.fixture(autouse=True)
def _morning():
    with clock.at(NOW), scripted():
        yield


@pytest.fixture
def till() -> Till:
    return Till()


@pytest.fixture
def delivery(till: Till) -> Delivery:
    """Give the notice of a payment whose answer is not there yet."""
    till.script(Call(Fault.PENDING))
    till.pay()
    assert till.balance == 0
    return next(sent for sent in till.peer.deliver(LATER) if b"captured" in sent.body)


def post(body: bytes, code: str = "card", **headers: str) -> int:
    answer = Client(enforce_csrf_checks=True).post(
        f"/pay/{code}/notice", body, content_type="application/json", headers=headers
    )
    return answer.status_code


def send(delivery: Delivery, code: str = "card", at: datetime = LATER) -> int:
    with clock.at(at):
        return post(delivery.body, code, **delivery.headers)


def test_a_notice_credits_once_however_often_it_comes(till: Till, delivery: Delivery):
    assert [send(delivery) for _ in range(3)] == [200, 200, 200]
    assert till.balance == till.truth == 50_00


def test_money_renews_what_waited_for_it(till: Till, delivery: Delivery):
    on = NOW.date()
    waiting = till.house.service(till.account, paid_until=on, unfunded_since=on)
    assert send(delivery) == 200
    waiting.refresh_from_db()
    assert waiting.paid_until > on


def test_what_is_not_signed_changes_nothing(till: Till, delivery: Delivery):
    forged = signed(delivery.body, LATER, "guessed")
    with clock.at(LATER):
        assert post(delivery.body) == 400
        assert post(delivery.body, **{"Simulated-Signature": forged}) == 400
        assert post(delivery.body + b" ", **delivery.headers) == 400
        assert post(b"\xff\x00", **{"Simulated-Signature": "t=1,v1=\u20ac"}) == 400
    assert till.balance == 0
    assert not GatewayEvent.objects.exists()


def test_more_than_a_few_forged_notices_are_a_problem_and_a_metric(
    till: Till, signed_in: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsigned, "_held", unsigned._Held())
    browser = signed_in()

    def told() -> str:
        return "".join(browser.get(page).content.decode() for page in ("/problems", "/metrics"))

    for _ in range(unsigned.FEW):
        assert post(b"{}") == 400
    assert "unsigned notices" not in told()
    assert post(b"{}") == 400
    assert "got 6 unsigned notices" in told()
    assert 'billclock_unsigned_notices{method="card"} 6.0' in told()


def test_a_notice_that_is_replayed_an_hour_later_is_refused(till: Till, delivery: Delivery):
    assert send(delivery, at=LATER + timedelta(hours=1)) == 400
    assert till.balance == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b'{"kind": "captured"}',
        b"[" * 9000,
        b"\xff\xfe",
        b'{"a": 1e999}',
    ],
)
def test_what_is_signed_and_makes_no_sense_is_refused(till: Till, body: bytes):
    assert post(body, **{"Simulated-Signature": signed(body, NOW, "simulated")}) == 400
    assert not GatewayEvent.objects.exists()


def test_a_signed_notice_with_impossible_figures_is_refused(till: Till, delivery: Delivery):
    for wrong in (b'"minor": 99999999999999999999', b'"minor": -5'):
        body = delivery.body.replace(b'"minor": 5000', wrong)
        assert body != delivery.body
        assert post(body, **{"Simulated-Signature": signed(body, NOW, "simulated")}) == 400
    assert till.balance == 0


@pytest.mark.parametrize("size", [callbacks.LARGEST + 1, 4 << 20])
def test_what_is_too_large_is_refused(till: Till, size: int):
    assert post(b" " * size) == 413


def test_a_length_that_is_a_lie_is_no_error(till: Till):
    answer = Client().generic("POST", "/pay/card/notice", b"{}", CONTENT_LENGTH="-1")
    assert answer.status_code == 400


def test_a_method_that_is_not_there_and_one_that_takes_no_notices(till: Till):
    assert post(b"{}", "nobody") == 404
    PaymentMethod.objects.create(
        code="bank", name="Bank", plugin="bank_transfer", provider=till.house.provider,
        currency_id="EUR", settings={"beneficiary": "Acme", "account": "1"},
    )  # fmt: skip
    assert post(b"{}", "bank") == 503


def test_a_method_whose_settings_are_broken_asks_for_it_again(till: Till, delivery: Delivery):
    till.method.settings["nonsense"] = "1"
    till.method.save()
    assert send(delivery) == 503
    del till.method.settings["nonsense"]
    till.method.save()
    assert send(delivery) == 200
    assert till.balance == 50_00


@pytest.mark.parametrize("verb", ["get", "put", "delete", "patch", "head"])
def test_only_a_post_is_taken(till: Till, verb: str):
    assert getattr(Client(), verb)("/pay/card/notice").status_code == 405


def test_another_providers_method_does_not_credit_a_payment_of_ours(till: Till, delivery: Delivery):
    PaymentMethod.objects.create(
        code="beta", name="Beta", plugin=till.method.plugin, provider=House("beta").provider,
        currency_id="EUR", settings=till.method.settings,
    )  # fmt: skip
    assert send(delivery, "beta") == 200
    assert till.balance == 0
    assert Payment.objects.get().state == Payment.State.IN_PROGRESS
    assert "no payment of ours" in Task.objects.get().subject
    assert send(delivery) == 200
    assert till.balance == 50_00


def test_a_method_that_is_switched_off_still_hears(till: Till, delivery: Delivery):
    till.method.active = False
    till.method.save()
    assert send(delivery) == 200
    assert till.balance == 50_00


def test_a_refund_before_its_payment_is_asked_for_again(till: Till, delivery: Delivery):
    attempt = Attempt.objects.get()
    till.peer.dispute(LATER, "pay_1")
    early = till.peer.deliver(LATER)[-1]
    assert send(early) == 503
    assert send(delivery) == 200
    assert send(early) == 200
    assert till.balance == till.truth == 0
    assert not paying.in_flight(attempt.payment.account)


def test_who_was_killed_before_he_followed_is_followed_when_it_is_sent_again(
    till: Till, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
):
    on = NOW.date()
    waiting = till.house.service(till.account, paid_until=on, unfunded_since=on)

    def killed(_account: Account) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(following, "attempt", killed)
        with pytest.raises(KeyboardInterrupt):
            send(delivery)
    waiting.refresh_from_db()
    assert (till.balance, waiting.paid_until) == (50_00, on)
    assert Arrival.objects.exists()
    assert send(delivery) == 200
    waiting.refresh_from_db()
    assert waiting.paid_until > on
    assert not Arrival.objects.exists()


def test_a_notice_follows_nobody_elses_money(till: Till, delivery: Delivery):
    other = till.house.account(50_00)
    Arrival.objects.create(account=other, since=NOW)
    assert send(delivery) == 200
    assert [arrival.account for arrival in Arrival.objects.all()] == [other]


def test_money_that_a_dispute_gives_back_does_what_waited_for_it(till: Till, delivery: Delivery):
    assert send(delivery) == 200
    till.peer.dispute(LATER, "pay_1")
    assert send(till.peer.deliver(LATER)[-1]) == 200
    assert till.balance == 0
    on = NOW.date()
    waiting = till.house.service(till.account, paid_until=on, unfunded_since=on)
    till.peer.dispute(LATER, "pay_1", won=True)
    assert send(till.peer.deliver(LATER)[-1]) == 200
    waiting.refresh_from_db()
    assert waiting.paid_until > on
