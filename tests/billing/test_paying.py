"""Payments through a gateway with faults: money is credited once, whatever is lost (promise M4)."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from billclock import clock
from billclock.billing import gateway_events, hearing, paying, returning, storing
from billclock.billing.clients import Account
from billclock.billing.errors import BillingError, NotEnoughMoneyError
from billclock.billing.ledger import LedgerAccount
from billclock.billing.payment_methods import base
from billclock.billing.payments import Attempt, GatewayEvent, Payment, StoredMethod
from billclock.billing.verifying import breaches
from tests.billing.tills import Till, scripted

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.HOME = tmp_path
    with scripted():
        yield


def test_a_charge_credits_the_account_and_its_notice_changes_nothing():
    with clock.at(START):
        till = Till()
        payment = till.pay()
        till.hear()
        till.hear()
    assert payment.state == Payment.State.CREDITED
    assert till.balance == till.truth == 50_00
    assert not list(breaches())


def test_the_same_key_is_one_payment():
    with clock.at(START):
        till = Till()
        assert till.pay().pk == till.pay().pk
    assert till.balance == 50_00


def test_a_lost_answer_blocks_new_attempts_until_the_gateway_was_asked():
    with clock.at(START):
        till = Till()
        payment = till.pay(key="first")
        payment = paying.request(till.account, till.method, 7_00, key="x", stored=till.stored)
        attempt = paying._intend(payment, Attempt.State.UNKNOWN)
        paying.charge(payment)
    assert payment.attempts.count() == 1
    with clock.at(START + HOUR):
        assert list(paying.unanswered()) == [attempt]
        paying.ask(attempt)
        attempt.refresh_from_db()
        assert attempt.state == Attempt.State.ABANDONED
        assert paying.charge(payment).state == Payment.State.CREDITED
    assert till.balance == till.truth == 57_00


def test_a_refund_leaves_the_account_first_and_is_made_once():
    with clock.at(START):
        till = Till()
        payment = till.pay()
        attempt = returning.refund(payment, 20_00, "too much")
        till.hear()
        assert attempt.state == Attempt.State.CAPTURED
        assert till.balance == till.truth == 30_00
        with pytest.raises(BillingError, match="30"):
            returning.refund(payment, 30_01, "more than there is")
        returning.refund(payment, 30_00, "the rest")
        payment.refresh_from_db()
    assert payment.state == Payment.State.RETURNED
    assert till.balance == till.truth == 0
    assert not list(breaches())


def test_a_refund_does_not_lend_from_a_blocked_limit():
    """What was spent is not given back on credit that the account has lost."""
    with clock.at(START):
        till = Till()
        payment = till.pay()
        Account.objects.filter(pk=till.account.pk).update(
            kind=Account.Kind.CREDIT, credit_blocked=True
        )
        LedgerAccount.objects.filter(pk=till.account.pk).update(floor_minor=-100_00)
        till.house.pay(till.account, -50_00)
        payment = Payment.objects.get(pk=payment.pk)
        with pytest.raises(NotEnoughMoneyError):
            returning.refund(payment, 10_00, "he asks for it")
        Account.objects.filter(pk=till.account.pk).update(credit_blocked=False)
        returning.refund(Payment.objects.get(pk=payment.pk), 10_00, "he may owe it")
    assert not list(breaches())


def test_a_chargeback_takes_the_money_and_a_won_dispute_brings_it_back():
    with clock.at(START):
        till = Till()
        payment = till.pay()
        event = GatewayEvent.objects.get(payment=payment)
        till.peer.dispute(clock.now(), event.gateway_id)
        till.hear()
        assert till.balance == till.truth == 0
        till.peer.dispute(clock.now(), event.gateway_id, won=True)
        till.hear()
    assert till.balance == till.truth == 50_00
    assert not list(breaches())


def test_a_setup_that_never_ended_is_forgotten_and_a_usable_method_stays():
    with clock.at(START):
        till = Till()
        till.method.settings["page"] = "https://gateway.example"
        storing.begin(till.account, till.method, "https://example.org/back")
    with clock.at(START + 30 * HOUR):
        stalled = list(storing.stalled(timedelta(hours=24)))
        assert [storing.resolve(stored) for stored in stalled] == [None]
    assert list(StoredMethod.objects.all()) == [till.stored]


def test_an_event_of_nothing_we_know_is_kept_for_a_person():
    with clock.at(START):
        till = Till()
        event = base.Event(base.EventKind.CAPTURED, "pay_x", "n1", clock.now(), "who", "", 5, "EUR")
        assert hearing.tell(till.method, event)
        assert not hearing.tell(till.method, event)
    assert till.balance == 0


def history(seed: int) -> None:
    """Live three weeks of one account with a rough gateway, and compare with its truth."""
    dice = random.Random(seed)
    now = START
    with clock.at(now):
        till = Till("rough", str(seed))
    for step in range(dice.randrange(3, 9)):
        now += timedelta(minutes=dice.randrange(1, 2000))
        with clock.at(now):
            _move(till, dice, step)
    for _ in range(12):
        now += timedelta(days=2)
        with clock.at(now):
            till.hear()
            _ask(till)
    assert till.balance == till.truth, seed
    assert not list(breaches())
    paid = till.peer.captures()
    assert len({c.key.rpartition("-")[0] for c in paid}) == len(paid), seed
    credited = Payment.objects.exclude(credited_on=None).aggregate(sum=Sum("amount_minor"))["sum"]
    assert (credited or 0) == sum(c.minor for c in paid)


def _move(till: Till, dice: random.Random, step: int) -> None:
    what = dice.randrange(7)
    if what < 3:
        StoredMethod.objects.update(state=StoredMethod.State.USABLE)  # the client saw to it
        till.pay(dice.randrange(1, 100_00), key=f"p{dice.randrange(step + 1)}")
    elif what == 3:
        _ask(till)
    elif what == 4:
        till.hear()
    elif what == 5:
        _dispute(till, dice)
    else:
        credited = Payment.objects.filter(state=Payment.State.CREDITED).first()
        if credited and not paying.in_flight(till.account):
            left = credited.amount_minor - credited.refunded_minor
            with suppress(BillingError):  # in dispute
                returning.refund(credited, dice.randrange(1, left + 1), "asked for")


def _dispute(till: Till, dice: random.Random) -> None:
    """Let the client's bank take a payment back of which nothing was given back, or lose it.

    Only where both is told of sooner or later: nobody can ask about a dispute.
    """
    for event in GatewayEvent.objects.filter(kind=base.EventKind.CAPTURED)[: dice.randrange(3)]:
        told = [
            till.peer.faults.notices(f"{kind}/{attempt.key}")
            for kind in (base.EventKind.DISPUTED, base.EventKind.DISPUTE_WON)
            for attempt in event.payment.attempts.filter(gateway_id=event.gateway_id)
        ]
        refunds = event.payment.attempts.filter(action=Attempt.Action.REFUND)
        if all(told) and not refunds.exists() and event.gateway_id not in till.disputed:
            till.disputed.add(event.gateway_id)
            till.peer.dispute(clock.now(), event.gateway_id)
            if dice.randrange(2):
                till.peer.dispute(clock.now(), event.gateway_id, won=True)


def _ask(till: Till) -> None:
    for attempt in list(paying.unanswered()):
        by = returning if attempt.action == Attempt.Action.REFUND else paying
        by.ask(attempt)


def histories(seeds: range) -> None:
    """Live one history after the other, each in a folder and rows of its own."""
    home = settings.HOME
    for seed in seeds:
        settings.HOME = home / str(seed)
        with transaction.atomic():
            history(seed)
            transaction.set_rollback(True)


@pytest.mark.parametrize("block", range(6))
def test_no_history_charges_twice_or_loses_money(block):
    histories(range(10 * block, 10 * block + 10))


@pytest.mark.long
@pytest.mark.parametrize("block", range(100))
def test_no_history_of_ten_thousand_charges_twice_or_loses_money(block):
    histories(range(100 * block, 100 * block + 100))


def test_long_names_of_a_gateway_are_never_taken_for_each_other():
    same = "x" * 120
    keys = {gateway_events.named(f"surplus card {same}{end}") for end in ("a", "b")}
    assert len(keys) == 2
    assert max(map(len, keys)) == 120
    assert gateway_events.named("surplus card pi_1") == "surplus card pi_1"
