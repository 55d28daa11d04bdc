"""What every payment method keeps to, at its real gateway or at one that behaves like it."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billclock.billing.configuration import Surroundings
from billclock.billing.errors import (
    BadNoticeError,
    BadSignatureError,
    GatewayError,
    NotOfferedError,
    PluginSettingsError,
)
from billclock.billing.payment_methods.base import (
    Event,
    EventKind,
    Outcome,
    Refund,
    State,
    Stored,
)
from billclock.billing.payment_methods.declines import DeclineClass
from billclock.billing.payment_methods.offered import kinds, make
from billclock.billing.payment_methods.simulated.faults import Fault
from tests.contracts import paying
from tests.contracts.paying import BEGIN, Bench, order, setup

CARDS = {
    "simulated": paying.simulated,
    "simulated over HTTP": paying.simulated_over_http,
    "stripe": paying.stripe,
}


@pytest.fixture(params=CARDS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    manager: AbstractContextManager[Bench] = CARDS[request.param](tmp_path)
    with manager as made:
        yield made


def told(bench: Bench) -> list[Event]:
    return [e for headers, body in bench.notices() for e in bench.method.events(headers, body)]


def charged(bench: Bench, key: str = "pay-1", minor: int = 1250) -> Outcome:
    return bench.method.charge(order(key, minor), bench.card())


def test_a_charge_captures_what_was_ordered(bench: Bench):
    outcome = charged(bench)
    assert (outcome.state, outcome.minor, outcome.currency) == (State.CAPTURED, 1250, "EUR")
    assert outcome.gateway_id
    assert bench.taken() == {"pay-1": 1250}


def test_the_notice_and_the_answer_name_one_and_the_same(bench: Bench):
    outcome = charged(bench)
    (event,) = told(bench)
    assert (event.kind, event.gateway_id) == (EventKind.CAPTURED, outcome.gateway_id)
    assert (event.key, event.minor, event.currency) == ("pay-1", 1250, "EUR")


def test_a_repeated_key_takes_money_once_and_says_the_same(bench: Bench):
    card = bench.card()
    assert bench.method.charge(order(), card) == bench.method.charge(order(), card)
    assert bench.taken() == {"pay-1": 1250}


def test_a_key_is_not_for_two_amounts(bench: Bench):
    card = bench.card()
    bench.method.charge(order(), card)
    with pytest.raises(GatewayError) as caught:
        bench.method.charge(order(minor=9999), card)
    assert not caught.value.retry
    assert bench.taken() == {"pay-1": 1250}


def test_a_lost_answer_is_unknown_until_asked_and_then_captured(bench: Bench):
    card = bench.card()
    bench.fail(Fault.LOST_ANSWER)
    outcome = bench.method.charge(order(), card)
    assert outcome.state is State.UNKNOWN
    assert bench.taken() == {"pay-1": 1250}
    asked = bench.method.ask(replace(order(), payer=replace(paying.PAYER, account=card.account)))
    assert (asked.state, asked.minor) == (State.CAPTURED, 1250)
    (event,) = told(bench)
    assert event.gateway_id == asked.gateway_id


def test_a_lost_request_is_absent_when_asked_and_no_money_is_taken(bench: Bench):
    card = bench.card()
    bench.fail(Fault.LOST_REQUEST)
    assert bench.method.charge(order(), card).state is State.UNKNOWN
    assert bench.method.ask(order()).state is State.ABSENT
    assert bench.taken() == {}
    assert told(bench) == []


def test_no_connection_is_an_error_that_may_pass_and_does_nothing(bench: Bench):
    card = bench.card()
    bench.fail(Fault.DOWN)
    with pytest.raises(GatewayError) as caught:
        bench.method.charge(order(), card)
    assert caught.value.retry
    assert bench.method.ask(order()).state is State.ABSENT
    assert bench.taken() == {}


def test_what_was_never_ordered_is_absent(bench: Bench):
    assert bench.method.ask(order("never")).state is State.ABSENT


@pytest.mark.parametrize(
    "kind",
    [
        DeclineClass.INSUFFICIENT_FUNDS, DeclineClass.EXPIRED_CARD, DeclineClass.LOST_OR_STOLEN,
        DeclineClass.DO_NOT_HONOUR, DeclineClass.AUTHENTICATION_REQUIRED, DeclineClass.FRAUD,
        DeclineClass.LIMIT, DeclineClass.TEMPORARY, DeclineClass.INVALID,
    ],
)  # fmt: skip
def test_a_decline_says_its_class_in_answer_question_and_notice(bench: Bench, kind: DeclineClass):
    card = bench.card(kind)
    outcome = bench.method.charge(order(), card)
    assert outcome.state is State.DECLINED
    asked = bench.method.ask(order(), outcome.gateway_id)
    (event,) = told(bench)
    assert event.kind is EventKind.DECLINED
    assert {outcome.gateway_id} == {asked.gateway_id, event.gateway_id}
    for decline in (outcome.decline, asked.decline, event.decline):
        assert decline
        assert decline.kind is kind
    assert bench.taken() == {}


def test_a_refund_gives_back_once_and_never_more_than_was_taken(bench: Bench):
    paid = charged(bench).gateway_id
    part = Refund("re-1", paid, 500, "EUR", BEGIN)
    first, second = bench.method.refund(part), bench.method.refund(part)
    assert first == second
    assert (first.state, first.minor) == (State.CAPTURED, 500)
    assert bench.taken() == {"pay-1": 750}
    with pytest.raises(GatewayError) as caught:
        bench.method.refund(Refund("re-2", paid, 751, "EUR", BEGIN))
    assert not caught.value.retry
    bench.method.refund(Refund("re-3", paid, 750, "EUR", BEGIN))
    assert bench.taken() == {"pay-1": 0}
    refunds = [event for event in told(bench) if event.kind is EventKind.REFUNDED]
    assert [(e.minor, e.payment_id, e.key) for e in refunds] == [
        (500, paid, "re-1"),
        (750, paid, "re-3"),
    ]
    assert refunds[0].gateway_id == first.gateway_id


def test_a_refund_whose_answer_was_lost_is_known_by_repeating_it(bench: Bench):
    refund = Refund("re-1", charged(bench).gateway_id, 500, "EUR", BEGIN)
    bench.fail(Fault.LOST_ANSWER)
    assert bench.method.refund(refund).state is State.UNKNOWN
    assert bench.method.refund(refund).state is State.CAPTURED
    assert bench.taken() == {"pay-1": 750}


def test_a_forgotten_card_charges_nothing(bench: Bench):
    card = bench.card()
    bench.method.forget(card)
    bench.method.forget(card)
    with pytest.raises(GatewayError) as caught:
        bench.method.charge(order(), card)
    assert not caught.value.retry
    assert bench.taken() == {}


def test_a_setup_that_never_was_is_absent(bench: Bench):
    assert bench.method.ask_stored(setup("never")).state is State.ABSENT


def test_a_notice_that_was_altered_or_not_signed_is_refused(bench: Bench):
    charged(bench)
    ((headers, body),) = bench.notices()
    assert bench.method.events({k.lower(): v for k, v in headers.items()}, body)
    for changed in (body.replace(b"1250", b"9250"), body + b" ", b"", b"{}"):
        with pytest.raises(BadSignatureError):
            bench.method.events(headers, changed)
    for unsigned in ({}, dict.fromkeys(headers, ""), dict.fromkeys(headers, "t=1,v1=ff")):
        with pytest.raises(BadSignatureError):
            bench.method.events(unsigned, body)


def test_a_notice_read_twice_tells_the_same(bench: Bench):
    charged(bench)
    ((headers, body),) = bench.notices()
    assert bench.method.events(headers, body) == bench.method.events(headers, body)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(header=st.text(max_size=80), body=st.binary(max_size=200))
def test_any_bytes_are_refused(bench: Bench, header: str, body: bytes):
    for name in ("Stripe-Signature", "Simulated-Signature"):
        with pytest.raises((BadSignatureError, BadNoticeError)):
            bench.method.events({name: header}, body)


NEEDED = {"simulated": {}, "stripe": {"secret_key": "sk_1", "signing_secret": "whsec_1"},
          "bank_transfer": {"beneficiary": "Us", "account": "1"}}  # fmt: skip


@pytest.mark.parametrize("name", kinds())
def test_what_a_method_does_not_offer_it_refuses(name: str, tmp_path: Path):
    assert name in NEEDED, "a new method has its settings here and, if it charges, a bench in CARDS"
    method = make(name, NEEDED[name], Surroundings(paying.Clock(), tmp_path))
    offered = method.features
    assert offered.charges is any(bench.startswith(name) for bench in CARDS)
    card, refund = Stored("token"), Refund("re", "pay", 1, "EUR", BEGIN)
    refused = [
        (offered.starts, lambda: method.start(order())),
        (offered.charges, lambda: method.charge(order(), card)),
        (offered.refunds, lambda: method.refund(refund)),
        (offered.stores, lambda: method.store(setup())),
        (offered.stores, lambda: method.ask_stored(setup())),
        (offered.stores, lambda: method.forget(card)),
        (offered.tells, lambda: method.events({}, b"")),
    ]
    for has, call in refused:
        if not has:
            with pytest.raises(NotOfferedError, match=name):
                call()


@pytest.mark.parametrize(
    "wrong",
    [
        {"minor": 0},
        {"minor": -1},
        {"key": ""},
        {"key": "é"},
        {"key": "a" * 201},
        {"key": "a\n"},
        {"at": datetime(2026, 11, 20)},
    ],
)
def test_an_order_that_no_gateway_would_take_is_not_made(wrong: dict[str, object]):
    with pytest.raises(ValueError, match=r"key|no amount|no time zone"):
        order(**wrong)


def test_every_kind_of_method_refuses_wrong_settings_by_name(tmp_path: Path):
    for name in kinds():
        with pytest.raises(PluginSettingsError) as caught:
            make(name, {"nonsense": "1"}, Surroundings(paying.Clock(), tmp_path))
        assert "nonsense" in caught.value.faults
        assert name in str(caught.value)
