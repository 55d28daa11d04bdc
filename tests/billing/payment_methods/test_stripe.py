"""Cards at Stripe, against a fake that replays keys, loses answers and delays webhooks."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from billclock.billing.errors import BadNoticeError, BadSignatureError, GatewayError
from billclock.billing.payment_methods.base import (
    Event,
    EventKind,
    Outcome,
    Redirect,
    Refund,
    State,
    Stored,
)
from billclock.billing.payment_methods.declines import DeclineClass
from billclock.billing.payment_methods.simulated.faults import Fault
from billclock.billing.payment_methods.stripe.amounts import from_stripe, to_stripe
from billclock.billing.payment_methods.stripe.line import VERSION
from billclock.billing.payment_methods.stripe.refusals import CLASSES, FINAL, decline
from tests.contracts import paying
from tests.contracts.paying import BEGIN, PAYER, StripeBench, order, setup


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[StripeBench]:
    with paying.stripe(tmp_path) as made:
        yield made


def told(bench: StripeBench) -> list[Event]:
    return [e for headers, body in bench.notices() for e in bench.method.events(headers, body)]


def test_the_pinned_version_is_the_librarys_own_and_is_sent(bench: StripeBench):
    assert stripe.api_version == VERSION  # another library must be looked at first
    bench.method.charge(order(), bench.card())
    assert {headers["stripe-version"] for _, _, headers, _ in bench.fake.requests} == {VERSION}


def test_money_moves_with_the_confirmation_alone_and_each_request_has_a_key(bench: StripeBench):
    bench.method.charge(order(), bench.card())
    assert [(path, headers["idempotency-key"]) for _, path, headers, _ in bench.fake.requests] == [
        ("/v1/payment_intents", "pay-1/make"),
        ("/v1/payment_intents/pi_1/confirm", "pay-1/confirm"),
    ]


def test_a_confirmation_that_comes_after_the_question_is_refused(bench: StripeBench):
    card = bench.card()
    bench.fail(Fault.LATE_REQUEST)
    outcome = bench.method.charge(order(), card)
    assert (outcome.state, outcome.gateway_id) == (State.UNKNOWN, "pi_1")
    assert bench.method.ask(order(), "pi_1").state is State.ABSENT
    ((status, _),) = bench.fake.arrive()
    assert status == 400
    assert bench.taken() == {}


def test_a_confirmation_that_comes_before_the_question_counts(bench: StripeBench):
    bench.fail(Fault.LATE_REQUEST)
    bench.method.charge(order(), bench.card())
    bench.fake.arrive()
    assert bench.method.ask(order()).state is State.CAPTURED
    assert bench.taken() == {"pay-1": 1250}


def test_a_process_that_died_before_confirming_left_nothing_that_can_charge(bench: StripeBench):
    card = bench.card()
    bench.fail(Fault.LOST_REQUEST)
    bench.method.charge(order(), card)
    assert bench.method.ask(order()).state is State.ABSENT
    assert bench.fake.objects["pi_1"]["status"] == "canceled"
    assert bench.method.charge(order(), card).state is State.ABSENT


def test_nobody_at_the_address_is_an_error_that_may_pass(bench: StripeBench, tmp_path: Path):
    with paying.stripe(tmp_path) as gone:
        method = gone.method
    with pytest.raises(GatewayError) as caught:
        method.charge(order(), Stored("pm_1", "cus_1"))
    assert caught.value.retry


def test_an_attempt_older_than_stripes_memory_is_not_repeated(bench: StripeBench):
    card = bench.card()
    bench.method.charge(order(), card)
    bench.fake.kept.clear()
    bench.clock.sleep(hours=24)
    assert bench.method.charge(order(), card).state is State.UNKNOWN
    assert bench.method.ask(order()).state is State.CAPTURED
    assert bench.taken() == {"pay-1": 1250}


def test_a_payment_is_found_among_hundreds_by_customer_or_without(bench: StripeBench):
    card, other = bench.card(), bench.card()
    bench.method.charge(order("wanted"), card)
    for number in range(120):
        bench.method.charge(order(f"other-{number}"), other)
    bench.fake.requests.clear()
    assert bench.method.ask(order("wanted")).state is State.CAPTURED
    assert len(bench.fake.requests) == 2
    theirs = order("wanted", payer=replace(PAYER, account=card.account))
    assert bench.method.ask(theirs).state is State.CAPTURED
    assert len(bench.fake.requests) == 3


def test_a_debit_that_takes_days_is_pending(bench: StripeBench):
    made = bench.fake.card(code="processing")
    outcome = bench.method.charge(order(), Stored(made["id"], made["customer"]))
    assert outcome.state is State.PENDING
    bench.fake.succeed(bench.fake.objects[outcome.gateway_id])
    assert bench.method.ask(order()).state is State.CAPTURED


def test_an_issuer_that_wants_no_more_tries_is_obeyed():
    for code in FINAL:
        assert decline({"code": "card_declined", "decline_code": code}).hard
    advised = {"decline_code": "generic_decline", "advice_code": "do_not_try_again"}
    assert decline(advised).hard
    assert decline({}).kind is DeclineClass.DO_NOT_HONOUR
    assert decline({"decline_code": "brand_new"}).kind is DeclineClass.DO_NOT_HONOUR
    assert not set(CLASSES) & FINAL


def test_a_client_pays_on_stripes_page(bench: StripeBench):
    begun = bench.method.start(order())
    assert isinstance(begun, Redirect)
    assert begun.url.endswith("/pay/cs_1")
    assert begun.expires == BEGIN + timedelta(hours=24)
    assert bench.method.ask(order(), begun.gateway_id).state is State.PENDING
    bench.fake.pay("cs_1", "insufficient_funds")
    assert told(bench) == []  # he may take another card
    assert bench.method.ask(order()).state is State.PENDING
    bench.fake.pay("cs_1")
    (event,) = told(bench)
    for asked in (bench.method.ask(order()), bench.method.ask(order(), "cs_1"),
                  bench.method.ask(order(), "pi_1")):  # fmt: skip
        assert (asked.state, asked.gateway_id, asked.minor) == (State.CAPTURED, "pi_1", 1250)
    assert (event.kind, event.gateway_id, event.key) == (EventKind.CAPTURED, "pi_1", "pay-1")


def test_a_page_that_is_left_is_declined_in_the_end(bench: StripeBench):
    bench.method.start(order())
    bench.fake.expire("cs_1")
    (event,) = told(bench)
    asked = bench.method.ask(order())
    assert (event.kind, event.gateway_id, event.minor) == (EventKind.DECLINED, "cs_1", 0)
    assert (asked.state, asked.gateway_id) == (State.DECLINED, "cs_1")
    for said in (event.decline, asked.decline):
        assert said
        assert said.kind is DeclineClass.ABANDONED


def test_a_page_is_opened_once_a_key(bench: StripeBench):
    assert bench.method.start(order()) == bench.method.start(order())


def test_a_card_is_left_and_charged(bench: StripeBench):
    begun = bench.method.store(setup())
    assert isinstance(begun, Redirect)
    assert bench.method.ask_stored(setup()).state is State.PENDING
    bench.fake.leave_card("cs_1")
    kept = bench.method.ask_stored(setup(), begun.gateway_id)
    assert kept.stored == Stored("pm_1", "cus_1", "Visa •••• 4242", date(2028, 2, 29))
    (event,) = told(bench)
    assert (event.kind, event.gateway_id, event.key) == (
        EventKind.STORED, kept.gateway_id, "set-1"
    )  # fmt: skip
    assert event.stored
    assert (event.stored.token, event.stored.account) == ("pm_1", "cus_1")
    assert bench.method.charge(order(), kept.stored).state is State.CAPTURED
    assert bench.fake.objects["cus_1"]["email"] == PAYER.email


def test_a_card_page_that_is_left_has_failed(bench: StripeBench):
    bench.method.store(setup())
    bench.fake.expire("cs_1")
    assert [e.kind for e in told(bench)] == [EventKind.STORED_FAILED]
    assert bench.method.ask_stored(setup()).state is State.DECLINED


def test_a_known_client_keeps_his_account(bench: StripeBench):
    account = bench.card().account
    bench.method.store(replace(setup(), payer=replace(PAYER, account=account)))
    assert bench.fake.objects["cs_1"]["customer"] == account
    assert sum(o["object"] == "customer" for o in bench.fake.objects.values()) == 1


def test_a_refund_and_a_dispute_name_their_payment(bench: StripeBench):
    paid = bench.method.charge(order(), bench.card()).gateway_id
    bench.fake.refunds({"payment_intent": paid, "amount": "250"})  # by hand, at Stripe
    for kind in ("created", "funds_withdrawn", "closed", "funds_reinstated"):
        bench.fake.dispute(paid, f"charge.dispute.{kind}")
    events = told(bench)[1:]
    assert [(e.kind, e.payment_id, e.minor, e.key) for e in events] == [
        (EventKind.REFUNDED, paid, 250, ""),
        (EventKind.DISPUTED, paid, 1250, ""),
        (EventKind.DISPUTE_WON, paid, 1250, ""),
    ]


def test_a_refund_that_fails_later_is_told(bench: StripeBench):
    paid = bench.method.charge(order(), bench.card()).gateway_id
    made = bench.method.refund(Refund("re-1", paid, 500, "EUR", BEGIN))
    refund = bench.fake.objects[made.gateway_id]
    refund["status"] = "failed"
    bench.fake.tell("refund.failed", refund)
    assert told(bench)[-1].kind is EventKind.REFUND_FAILED
    again = bench.method.refund(Refund("re-1", paid, 500, "EUR", BEGIN))
    assert again.state is State.DECLINED


def test_webhooks_repeated_and_out_of_order_tell_each_thing_under_one_name(bench: StripeBench):
    card = bench.card()
    paid = [bench.method.charge(order(f"pay-{n}"), card).gateway_id for n in range(5)]
    for name in paid:
        bench.method.refund(Refund(f"re-{name}", name, 100, "EUR", BEGIN))
    notices = bench.notices() * 3
    random.Random(1).shuffle(notices)
    seen = {(e.kind, e.gateway_id) for h, b in notices for e in bench.method.events(h, b)}
    assert len([k for k, _ in seen if k is EventKind.CAPTURED]) == 5
    assert len([k for k, _ in seen if k is EventKind.REFUNDED]) == 5


def test_a_webhook_is_signed_now(bench: StripeBench):
    bench.method.charge(order(), bench.card())
    ((headers, body),) = bench.notices()
    for hours in (1, -2):
        bench.clock.sleep(hours=hours)
        with pytest.raises(BadSignatureError, match="before or after now"):
            bench.method.events(headers, body)


@pytest.mark.parametrize(
    "event",
    [
        {},
        [],
        "x",
        {"type": "payment_intent.succeeded"},
        {"type": "payment_intent.succeeded", "data": {"object": {}}},
        {"type": "payment_intent.succeeded", "data": {"object": {"id": "pi", "amount": "x"}}},
        {"type": "charge.dispute.funds_withdrawn", "id": "e", "created": 1, "data": {"object": {
            "id": "dp", "amount": 5, "currency": "ugx"}}},
    ],
)  # fmt: skip
def test_a_signed_notice_that_lacks_what_it_must_say(bench: StripeBench, event: object):
    with pytest.raises(BadNoticeError):
        bench.method.events(*bench.fake.signed(event))


def test_what_does_not_concern_us_is_passed_over(bench: StripeBench):
    for kind in ("customer.created", "payment_intent.created", "charge.succeeded", "invented.one"):
        bench.fake.tell(kind, {"id": "x", "object": "x"})
    assert told(bench) == []


def test_payments_of_others_at_the_same_account_are_told_without_a_key(bench: StripeBench):
    bench.fake.tell(
        "payment_intent.succeeded",
        {"id": "pi_9", "object": "payment_intent", "amount_received": 5, "currency": "eur",
         "metadata": {}},
    )  # fmt: skip
    (event,) = told(bench)
    assert event.key == ""


@pytest.mark.parametrize(
    ("minor", "currency", "amount"),
    [
        (1250, "EUR", 1250), (500, "JPY", 500), (1230, "KWD", 1230), (500, "ISK", 50000),
        (700, "MGA", 7), (1250, "HUF", 1250),
    ],
)  # fmt: skip
def test_amounts_are_counted_as_stripe_does(minor: int, currency: str, amount: int):
    assert to_stripe(minor, currency) == amount
    assert from_stripe(amount, currency) == minor


@pytest.mark.parametrize(("minor", "currency"), [(1234, "KWD"), (750, "MGA"), (5, "UGX")])
def test_amounts_that_stripe_cannot_take_are_refused(minor: int, currency: str):
    with pytest.raises(GatewayError, match=f"{minor} minor units of {currency}"):
        to_stripe(minor, currency)


@given(st.integers(1, 10**9), st.sampled_from(["EUR", "JPY", "ISK", "MGA", "KWD", "TND", "USD"]))
def test_an_amount_that_is_taken_comes_back_the_same(minor: int, currency: str):
    try:
        amount = to_stripe(minor, currency)
    except GatewayError:
        return
    assert from_stripe(amount, currency) == minor


def settle(bench: StripeBench, key: str, card: Stored, minor: int) -> State:
    """Do as the payments area does: charge once, then ask until the outcome is known."""
    what = order(key, minor, at=bench.clock(), payer=replace(PAYER, account=card.account))
    try:
        outcome: Outcome = bench.method.charge(what, card)
    except GatewayError:
        return State.ABSENT
    while not outcome.state.settled:
        bench.clock.sleep(minutes=10)
        outcome = bench.method.ask(what, outcome.gateway_id)
    return outcome.state


def test_what_is_believed_after_any_fault_is_what_is_true(bench: StripeBench):
    dice, believed = random.Random(7), {}
    cards = [bench.card(), bench.card(DeclineClass.INSUFFICIENT_FUNDS)]
    faults = [Fault.NONE, Fault.DOWN, Fault.LOST_REQUEST, Fault.LOST_ANSWER, Fault.LATE_REQUEST]
    for number in range(150):
        bench.fake.faults.clear()
        bench.fail(dice.choice(faults))
        key = f"pay-{number}"
        believed[key] = settle(bench, key, dice.choice(cards), 100 + number)
        if dice.random() < 0.5:
            bench.fake.arrive()
    bench.fake.arrive()
    captured = {key for key, state in believed.items() if state is State.CAPTURED}
    assert captured == set(bench.taken())
    assert {e.key for e in told(bench) if e.kind is EventKind.CAPTURED} == captured
