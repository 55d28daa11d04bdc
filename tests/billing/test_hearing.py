"""What gateways tell in any order: late, early, twice, of others; every act on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billclock import clock
from billclock.billing import declining, following, hearing, paying, returning, storing
from billclock.billing.errors import BadNoticeError, BillingError, GatewayError, NotOfferedError
from billclock.billing.payment_methods import base
from billclock.billing.payment_methods.base import Event, EventKind, Outcome, State
from billclock.billing.payment_methods.declines import Decline, DeclineClass
from billclock.billing.payment_methods.simulated.faults import Call, Fault
from billclock.billing.payments import Attempt, GatewayEvent, Payment, PaymentMethod, StoredMethod
from billclock.billing.services import Task
from billclock.billing.verifying import breaches
from tests.billing.company import House
from tests.billing.tills import Till, bank, scripted

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _books_agree(engine, settings, tmp_path):
    settings.HOME = tmp_path
    with clock.at(START), scripted():
        yield
        assert not list(breaches())


@pytest.fixture
def till() -> Till:
    return Till()


def asked(till: Till, minor: int = 50_00, key: str = "p1") -> Payment:
    return paying.request(till.account, till.method, minor, key=key, stored=till.stored)


def sent(till: Till, **given: object) -> Attempt:
    """Give an attempt whose call is under way."""
    attempt = paying._intend(asked(till, **given), Attempt.State.SENT)
    assert attempt is not None
    return attempt


def event(kind: EventKind, name: str, **said: object) -> Event:
    facts = {"minor": 50_00, "currency": "EUR"}
    return Event(kind, name, f"n-{kind}-{name}", clock.now(), **{**facts, **said})


def captured(attempt: Attempt, name: str = "pay_1", **said: object) -> Event:
    return event(EventKind.CAPTURED, name, key=attempt.key, **said)


def state(payment: Payment) -> Payment.State:
    return Payment.State(Payment.objects.get(pk=payment.pk).state)


def test_a_notice_before_the_answer_counts_and_the_answer_no_more(till: Till):
    attempt = sent(till)
    assert hearing.tell(till.method, captured(attempt))
    paying.settle(attempt, Outcome(State.CAPTURED, "pay_1", 50_00, "EUR"))
    assert not hearing.tell(till.method, captured(attempt))
    assert till.balance == 50_00


def test_a_decline_that_comes_after_the_money_changes_nothing(till: Till):
    attempt = sent(till)
    paying.settle(attempt, Outcome(State.CAPTURED, "pay_1", 50_00, "EUR"))
    declined = event(EventKind.DECLINED, "pay_1", key=attempt.key)
    assert not hearing.tell(till.method, declined)
    assert state(attempt.payment) == Payment.State.CREDITED
    assert till.balance == 50_00


def test_money_of_an_abandoned_attempt_counts_when_it_comes_after_all(till: Till):
    attempt = sent(till)
    paying.settle(attempt, Outcome(State.ABSENT))
    assert state(attempt.payment) == Payment.State.NEW
    assert hearing.tell(till.method, captured(attempt))
    assert state(attempt.payment) == Payment.State.CREDITED
    assert till.balance == 50_00


def test_an_answer_that_says_captured_counts_though_a_decline_was_told(till: Till):
    attempt = sent(till)
    hearing.tell(till.method, event(EventKind.DECLINED, "pay_1", key=attempt.key))
    paying.settle(attempt, Outcome(State.CAPTURED, "pay_1", 50_00, "EUR"))
    assert state(attempt.payment) == Payment.State.CREDITED
    assert till.balance == 50_00


def test_late_money_beside_a_second_attempt_is_kept_as_a_payment_of_its_own(till: Till):
    first = sent(till)
    paying.settle(first, Outcome(State.ABSENT))
    second = paying._intend(first.payment, Attempt.State.SENT)
    hearing.tell(till.method, captured(first, "pay_1"))
    paying.settle(second, Outcome(State.CAPTURED, "pay_2", 50_00, "EUR"))
    assert till.balance == 100_00
    assert Payment.objects.filter(state=Payment.State.CREDITED).count() == 2
    assert "a second time" in Task.objects.get().subject


def test_a_decline_of_a_second_attempt_leaves_a_credited_payment_alone(till: Till):
    first = sent(till)
    paying.settle(first, Outcome(State.ABSENT))
    second = paying._intend(first.payment, Attempt.State.SENT)
    hearing.tell(till.method, captured(first, "pay_1"))
    paying.settle(second, Outcome(State.DECLINED, decline=Decline(DeclineClass.FRAUD)))
    payment = Payment.objects.get(pk=first.payment_id)
    assert (payment.state, payment.next_try_on) == (Payment.State.CREDITED, None)


@pytest.mark.parametrize("by", ["answer", "notice"])
def test_money_of_another_currency_waits_for_a_person(till: Till, by: str):
    attempt = sent(till)
    if by == "answer":
        paying.settle(attempt, Outcome(State.CAPTURED, "pay_1", 50_00, "USD"))
    else:
        hearing.tell(till.method, captured(attempt, currency="USD"))
    assert till.balance == 0
    assert paying.in_flight(till.account)
    assert "50.00 USD" in Task.objects.get().subject


def test_what_came_counts_and_not_what_was_asked_for(till: Till):
    attempt = sent(till)
    hearing.tell(till.method, captured(attempt, minor=49_99))
    assert till.balance == 49_99
    assert GatewayEvent.objects.get().note == "5000 were asked for"


def test_a_notice_of_one_method_does_not_settle_what_another_was_asked(till: Till):
    other = PaymentMethod.objects.create(
        code="other", name="Other", plugin="simulated", provider=House("beta").provider,
        currency_id="EUR",
    )  # fmt: skip
    payment = till.pay()
    refund = returning._intend(payment, 20_00, "asked for", None)
    hearing.tell(other, event(EventKind.REFUND_FAILED, "re_1", key=refund.key, minor=20_00))
    hearing.tell(other, captured(sent(till, key="p2")))
    refund.refresh_from_db()
    assert refund.state == Attempt.State.SENT
    assert till.balance == 30_00
    assert Task.objects.count() == 2  # both have our mark


def test_what_belongs_to_another_user_of_the_gateway_is_no_work_for_people(till: Till):
    hearing.tell(till.method, event(EventKind.CAPTURED, "pay_x", key="shop-17"))
    hearing.tell(till.method, event(EventKind.REFUNDED, "re_x", payment_id="pay_x"))
    assert GatewayEvent.objects.filter(payment=None).count() == 2
    assert not Task.objects.exists()


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 1, 0, 1), (1, 0, 1)])
@pytest.mark.parametrize(
    "kinds",
    [(EventKind.DISPUTED, EventKind.DISPUTE_WON), (EventKind.REFUNDED, EventKind.REFUND_FAILED)],
)
def test_what_left_and_came_back_moves_nothing_in_any_order(till: Till, order, kinds):
    paid = till.pay()
    name = GatewayEvent.objects.get(payment=paid).gateway_id
    for which in order:
        hearing.tell(till.method, event(kinds[which], "x_1", payment_id=name))
    assert till.balance == 50_00
    assert state(paid) == Payment.State.CREDITED


def test_a_won_dispute_gives_back_what_it_took_and_not_what_was_refunded(till: Till):
    paid = till.pay()
    name = GatewayEvent.objects.get(payment=paid).gateway_id
    returning.refund(paid, 20_00, "too much")
    hearing.tell(till.method, event(EventKind.DISPUTED, "dp_1", payment_id=name))
    assert till.balance == 0
    assert "20.00 EUR more than was paid" in Task.objects.get().text
    with pytest.raises(
        BillingError, match=r"10.00 EUR cannot be given back, 0.00 EUR of it is left"
    ):
        returning.refund(paid, 10_00, "once more")
    hearing.tell(till.method, event(EventKind.DISPUTE_WON, "dp_1", payment_id=name))
    assert till.balance == 30_00


def test_a_refund_that_a_dispute_overtakes_is_not_given_back_to_the_account(till: Till):
    paid = till.pay()
    name = GatewayEvent.objects.get(payment=paid).gateway_id
    refund = returning._intend(paid, 20_00, "asked for", None)
    hearing.tell(till.method, event(EventKind.DISPUTED, "dp_1", payment_id=name))
    returning.settle(refund, Outcome(State.ABSENT, why="it is in dispute"))
    assert till.balance == 0
    hearing.tell(till.method, event(EventKind.DISPUTE_WON, "dp_1", payment_id=name))
    assert till.balance == 50_00


def test_nothing_is_refunded_while_a_dispute_of_a_part_is_open(till: Till):
    paid = till.pay()
    name = GatewayEvent.objects.get(payment=paid).gateway_id
    hearing.tell(till.method, event(EventKind.DISPUTED, "dp_1", payment_id=name, minor=10_00))
    assert state(paid) == Payment.State.RETURNING
    with pytest.raises(BillingError, match="in dispute"):
        returning.refund(paid, 10_00, "asked for")
    assert till.balance == 40_00


def test_a_refund_of_a_payment_on_its_way_is_to_be_told_again(till: Till):
    attempt = sent(till)
    refunded = event(EventKind.REFUNDED, "re_1", payment_id="pay_1", minor=20_00)
    with pytest.raises(GatewayError, match="on its way"):
        hearing.tell(till.method, refunded)
    hearing.tell(till.method, captured(attempt))
    assert hearing.tell(till.method, refunded)
    assert till.balance == 30_00


def test_a_refund_whose_answer_was_lost_is_asked_about_and_not_given_back_on_a_dead_line(
    till: Till,
):
    paid = till.pay()
    till.script(Call(Fault.LOST_ANSWER), Call(Fault.DOWN))
    refund = returning.refund(paid, 20_00, "asked for")
    assert refund.state == Attempt.State.UNKNOWN
    with clock.at(START + HOUR):
        assert list(paying.unanswered()) == [refund]
        returning.ask(refund)  # nobody answers: nothing is known
        assert till.balance == 30_00
        returning.ask(refund)
    refund.refresh_from_db()
    assert refund.state == Attempt.State.CAPTURED
    assert till.balance == till.truth == 30_00


def test_a_refund_that_the_gateway_made_after_it_said_no_leaves_the_account(till: Till):
    paid = till.pay()
    refund = returning._intend(paid, 20_00, "asked for", None)
    returning.settle(refund, Outcome(State.ABSENT, why="no connection"))
    assert till.balance == 50_00
    hearing.tell(
        till.method, event(EventKind.REFUNDED, "re_9", key=refund.key, minor=20_00)
    )  # fmt: skip
    assert till.balance == 30_00
    refund.refresh_from_db()
    assert refund.state == Attempt.State.CAPTURED


def test_what_never_gets_an_answer_does_not_keep_others_from_being_asked(till: Till):
    attempts = [sent(till, key=f"p{number}") for number in range(3)]
    with clock.at(START + HOUR):
        Attempt.objects.filter(pk__in=[a.pk for a in attempts[:2]]).update(asked_at=clock.now())
        assert list(paying.unanswered(1)) == attempts[2:]


def test_an_attempt_that_came_to_nothing_is_tried_on_the_day_after(till: Till):
    attempt = sent(till)
    with clock.at(START + HOUR):
        paying.ask(attempt)
    payment = Payment.objects.get(pk=attempt.payment_id)
    assert payment.state == Payment.State.NEW
    assert payment.next_try_on == START.date() + timedelta(1)
    assert payment.tries == 0


def test_a_gateway_that_is_never_there_is_given_up_after_the_longest_time(till: Till):
    payment = asked(till)
    for day in range(30):
        with clock.at(START + timedelta(day)):
            till.script(Call(Fault.DOWN))
            paying.charge(payment)
    assert state(payment) == Payment.State.CANCELLED
    assert payment.attempts.count() == 17  # the first, and one a day for 16 days


def test_a_card_that_will_never_pay_is_not_tried_for_anything_else(till: Till):
    attempt = sent(till)
    paying.settle(attempt, Outcome(State.DECLINED, decline=Decline(DeclineClass.EXPIRED_CARD)))
    stored = StoredMethod.objects.get()
    assert (stored.state, stored.last_error) == (StoredMethod.State.FAILED, "expired_card")
    assert paying.charge(asked(till, key="p2")).attempts.count() == 0
    assert till.truth == 0


def test_a_page_that_cannot_be_opened_leaves_nothing_in_flight(till: Till):
    payment = paying.request(till.account, till.method, 5_00, key="p1")
    till.script(Call(Fault.DOWN))
    with pytest.raises(GatewayError):
        paying.start(payment, "https://us.example")
    assert not paying.in_flight(till.account)
    paying.start(payment, "https://us.example")
    assert till.balance == 5_00


def test_a_bank_transfer_is_open_and_nothing_of_it_is_in_flight(till: Till):
    transfer = bank(till.house)
    payment = paying.request(till.account, transfer, 5_00, key="p1")
    told = paying.start(payment, "")
    assert isinstance(told, base.Instructions)
    assert told.reference == payment.number
    assert not paying.in_flight(till.account)
    assert state(payment) == Payment.State.NEW
    paying.credit(payment, "entry-1", 5_00)
    with pytest.raises(NotOfferedError):
        returning.refund(payment, 1_00, "asked for")
    assert till.balance == 5_00


@pytest.mark.parametrize("minor", [0, -5])
def test_a_payment_is_of_something_and_by_a_method_that_fits(till: Till, minor: int):
    with pytest.raises(BillingError, match="no amount"):
        paying.request(till.account, till.method, minor, key="p1")
    stranger = House("beta")
    with pytest.raises(BillingError, match="another provider"):
        paying.request(stranger.account(), till.method, 1, key="p2")
    with pytest.raises(BillingError, match="was not stored"):
        paying.request(till.house.account(), till.method, 1, key="p3", stored=till.stored)


def test_a_payment_is_given_up_or_lowered_only_while_nothing_of_it_is_in_flight(till: Till):
    attempt = sent(till)
    assert not declining.give_up(attempt.payment)
    assert declining.lower(attempt.payment, 1_00).amount_minor == 50_00
    paying.settle(attempt, Outcome(State.ABSENT))
    assert declining.lower(attempt.payment, 1_00).amount_minor == 1_00
    assert declining.give_up(attempt.payment)
    assert paying.charge(attempt.payment).state == Payment.State.CANCELLED


@pytest.mark.parametrize(
    "said",
    [
        {"minor": 2**63},
        {"minor": -1},
        {"currency": "EURO"},
        {"payment_id": "p" * 121},
    ],
)
def test_a_signed_notice_that_cannot_be_kept_is_refused_as_such(till: Till, said: dict):
    from billclock.billing import gateway_events

    with pytest.raises(BadNoticeError):
        gateway_events.check(till.method, event(EventKind.CAPTURED, "pay_1", **said))


def test_a_setup_key_is_never_used_twice(till: Till):
    till.method.settings["page"] = "https://gateway.example"
    keys = []
    for _ in range(3):
        storing.begin(till.account, till.method, "https://us.example")
        stored = StoredMethod.objects.exclude(pk=till.stored.pk).get()
        keys.append(stored.setup_key)
        storing.settle(stored, base.StoredOutcome(State.ABSENT))
    assert len(set(keys)) == 3


def test_a_card_that_is_stored_after_it_was_forgotten_waits_for_a_person(till: Till):
    key = f"a-S7-{paying.key_of(till.pay(), 1).split('-')[-2]}"
    stored = base.Stored("card_7", "acc")
    assert hearing.tell(till.method, event(EventKind.STORED, "set_7", key=key, stored=stored))
    assert "forgotten here" in Task.objects.get().subject


def test_a_failed_card_is_stored_again_or_stays_failed(till: Till):
    StoredMethod.objects.update(state=StoredMethod.State.FAILED)
    till.method.settings["page"] = "https://gateway.example"
    storing.begin(till.account, till.method, "https://us.example", till.stored)
    stored = StoredMethod.objects.get()
    assert stored.state == StoredMethod.State.SETTING_UP_AGAIN
    with clock.at(START + 30 * HOUR):
        assert storing.resolve(stored) == StoredMethod.State.FAILED
        storing.begin(till.account, till.method, "https://us.example", till.stored)
        stored.refresh_from_db()
        till.peer.decide(clock.now(), stored.setup_id)
        till.hear()
    stored.refresh_from_db()
    assert stored.state == StoredMethod.State.USABLE


def test_money_renews_what_waited_for_it_and_nothing_that_was_switched_off(till: Till):
    on = START.date()
    found = till.house.service(till.account, paid_until=on, unfunded_since=on)
    off = till.house.service(till.account, paid_until=on, unfunded_since=on, auto_renew=False)
    till.pay()
    assert following.follow(till.account) == 1
    found.refresh_from_db()
    off.refresh_from_db()
    assert found.paid_until > on
    assert off.paid_until == on
