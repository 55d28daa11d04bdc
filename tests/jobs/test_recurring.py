"""recurring: renewals from stored methods, once; declines by their schedule; nothing needless."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from billclock import clock
from billclock.billing import declining, paying, returning
from billclock.billing.ledger import Transfer
from billclock.billing.models import Service
from billclock.billing.notifications import Notice
from billclock.billing.payment_methods.declines import DeclineClass
from billclock.billing.payment_methods.simulated.faults import Call, Fault
from billclock.billing.payments import Attempt, Payment, StoredMethod
from billclock.billing.services import Reason, Status
from billclock.billing.verifying import breaches
from billclock.jobs import holding, registry
from billclock.jobs.report import Exit, Report
from tests.billing.tills import Till, scripted

ON = date(2026, 11, 20)
DAY = timedelta(days=1)
NEEDED = 11_90  # a month of the product "monthly", with its tax


@pytest.fixture(autouse=True)
def _night(engine, settings, tmp_path, monkeypatch):
    settings.HOME = tmp_path
    monkeypatch.setenv("TZ", "UTC")
    with clock.at(one_past_midnight(ON)), scripted():
        yield
        assert not list(breaches())


def one_past_midnight(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 0, 1, tzinfo=UTC)


@pytest.fixture
def till() -> Till:
    return Till()


@pytest.fixture
def service(till: Till) -> Service:
    return till.house.service(till.account, paid_until=ON, stored_method=till.stored)


def declining_card(till: Till, service: Service, how: DeclineClass) -> StoredMethod:
    """Let a service be paid from a card that is always declined so."""
    card = till.card(how)
    Service.objects.filter(pk=service.pk).update(stored_method=card)
    return card


def run(on: date = ON, **how) -> Report:
    with clock.at(one_past_midnight(on)):
        return registry.perform("recurring", on=on, **how)


def tries() -> list[date]:
    """Give the days on which a card was charged."""
    made = Attempt.objects.filter(action=Attempt.Action.CHARGE).order_by("created_at")
    return [attempt.created_at.date() for attempt in made]


def test_a_renewal_is_paid_and_renewed_before_the_days_billing(till: Till, service: Service):
    report = run()
    assert (report.done, report.exit_code) == (1, Exit.DONE)
    assert "11.90" in report.text()
    assert "1 services renewed" in report.text()
    service.refresh_from_db()
    assert service.paid_until == date(2026, 12, 20)
    assert till.truth == NEEDED
    assert till.balance == 0
    assert report.figures == {"taken": {"EUR": NEEDED}}


def test_a_second_run_of_the_day_takes_nothing(till: Till, service: Service):
    run()
    assert run().done == 0
    assert till.truth == NEEDED


def test_what_the_account_has_is_used_first_and_the_least_amount_kept(till: Till, service: Service):
    till.house.pay(till.account, 11_00)
    till.method.least_minor = 5_00
    till.method.save()
    run()
    assert till.truth == 5_00
    assert till.balance == 4_10


def test_an_account_with_enough_is_not_charged(till: Till, service: Service):
    till.house.pay(till.account, NEEDED)
    report = run()
    assert (report.done, till.truth) == (0, 0)


@pytest.mark.parametrize(
    "given",
    [
        {"auto_renew": False},
        {"held_until": ON + DAY},
        {"stored_method": None},
        {"status": Status.DELETED},
    ],
)
def test_what_is_not_to_be_renewed_is_not_paid(till: Till, service: Service, given: dict):
    Service.objects.filter(pk=service.pk).update(**given)
    assert run().done == 0
    assert till.truth == 0


def test_two_cards_of_an_account_each_pay_for_their_services(till: Till, service: Service):
    other = till.card()
    till.house.service(till.account, "calendar", paid_until=ON, stored_method=other)
    report = run()
    assert report.done == 2
    assert Service.objects.filter(paid_until__gt=ON).count() == 2
    assert till.balance == 0


@pytest.mark.parametrize(
    ("how", "days"),
    [
        (DeclineClass.INSUFFICIENT_FUNDS, [0, 3, 8, 15]),
        (DeclineClass.TEMPORARY, [0, 1, 2, 5]),
        (DeclineClass.LIMIT, [0, 2, 8, 15]),
        (DeclineClass.AUTHENTICATION_REQUIRED, [0]),
        (DeclineClass.EXPIRED_CARD, [0]),
    ],
)
def test_declines_are_tried_by_their_schedule_and_then_no_more(
    till: Till, service: Service, how: DeclineClass, days: list[int]
):
    card = declining_card(till, service, how)
    for day in range(40):
        run(ON + day * DAY)
    assert tries() == [ON + day * DAY for day in days]
    payment = Payment.objects.get()
    assert (payment.state, payment.next_try_on) == (Payment.State.CANCELLED, None)
    told = Notice.objects.filter(kind="top_up_failed")
    assert told.count() == len(days)
    card.refresh_from_db()
    failed = how == DeclineClass.EXPIRED_CARD
    assert (card.state == StoredMethod.State.FAILED) == failed


def test_days_without_a_run_are_one_try_and_then_the_schedule(till: Till, service: Service):
    declining_card(till, service, DeclineClass.INSUFFICIENT_FUNDS)
    for day in (0, 12, 13, 14, 15, 16, 17):
        run(ON + day * DAY)
    assert tries() == [ON + day * DAY for day in (0, 12, 13, 15)]


def test_a_retry_that_succeeds_renews(till: Till, service: Service):
    till.script(Call(decline=DeclineClass.TEMPORARY))
    run()
    report = run(ON + DAY)
    assert report.done == 1
    service.refresh_from_db()
    assert service.paid_until > ON + DAY
    assert till.truth == NEEDED


def test_a_retry_that_is_not_needed_any_more_is_given_up(till: Till, service: Service):
    till.script(Call(decline=DeclineClass.TEMPORARY))
    run()
    till.house.pay(till.account, NEEDED)
    report = run(ON + DAY)
    assert "given up" in report.text()
    assert till.truth == 0
    assert Payment.objects.get().state == Payment.State.CANCELLED


def test_a_retry_takes_no_more_than_is_missing_by_now(till: Till, service: Service):
    till.script(Call(decline=DeclineClass.TEMPORARY))
    run()
    till.house.pay(till.account, 10_00)
    run(ON + DAY)
    assert till.truth == 1_90


def test_a_card_that_is_gone_is_not_tried_and_the_next_one_is(till: Till, service: Service):
    declining_card(till, service, DeclineClass.INSUFFICIENT_FUNDS)
    run()
    Service.objects.update(stored_method=till.stored)
    report = run(ON + DAY)
    assert report.done == 1
    assert till.truth == NEEDED
    run(ON + 3 * DAY)
    assert till.truth == NEEDED
    assert Payment.objects.filter(state=Payment.State.CANCELLED).count() == 1


def test_what_was_given_up_begins_no_new_payment_and_what_is_due_later_does(
    till: Till, service: Service
):
    declining_card(till, service, DeclineClass.AUTHENTICATION_REQUIRED)
    run()
    card = Service.objects.get().stored_method
    later = till.house.service(till.account, paid_until=ON + 2 * DAY, stored_method=card)
    run(ON + DAY)
    assert tries() == [ON]
    run(later.paid_until)
    assert tries() == [ON, later.paid_until]


def test_a_service_stopped_for_money_is_still_paid_for(till: Till, service: Service):
    till.script(Call(decline=DeclineClass.TEMPORARY))
    run()
    Service.objects.update(stopped_for=Reason.MONEY, status=Status.STOPPED)
    service.suspensions.create(reason=Reason.STAFF, on=ON, lifted_on=ON)
    assert run(ON + DAY).done == 1
    assert till.balance == NEEDED  # autosuspend lets it run again, and renews it
    Service.objects.update(stopped_for=0, status=Status.ACTIVE)


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.LOST_REQUEST])
def test_a_lost_answer_is_asked_about_before_anything_else_is_tried(
    till: Till, service: Service, fault: Fault
):
    till.script(Call(fault))
    report = run()
    assert "not decided" in report.text()
    assert run().unchanged == 0  # in flight: left alone
    assert len(tries()) == 1
    report = run(ON + DAY)
    assert "asked about 1" in report.text()
    assert till.truth == NEEDED
    assert Service.objects.get().paid_until > ON + DAY
    assert len(tries()) == (1 if fault is Fault.LOST_ANSWER else 2)


def test_a_gateway_that_is_down_is_tried_again_the_day_after(till: Till, service: Service):
    till.script(Call(Fault.DOWN))
    report = run()
    assert f"not taken, next try on {ON + DAY}" in report.text()
    assert run(ON + DAY).done == 1
    assert till.truth == NEEDED


def test_a_refund_whose_answer_was_lost_is_asked_about(till: Till):
    paid = till.pay()
    till.script(Call(Fault.LOST_ANSWER))
    refund = returning.refund(paid, 20_00, "asked for")
    assert refund.state == Attempt.State.UNKNOWN
    run(ON + DAY)
    refund.refresh_from_db()
    assert refund.state == Attempt.State.CAPTURED
    assert till.balance == till.truth == 30_00


def test_the_networks_bounds_hold_for_a_card_and_amount(till: Till, service: Service):
    till.script(Call(decline=DeclineClass.TEMPORARY))
    run()
    payment = Payment.objects.get()
    for number in range(14):
        key = f"other-{number}"
        other = paying.request(till.account, till.method, NEEDED, key=key, stored=till.stored)
        till.script(Call(decline=DeclineClass.AUTHENTICATION_REQUIRED))
        paying.charge(other)
    report = run(ON + DAY)
    assert f"{payment.number}: the card networks allow no further try" in report.text()
    assert till.truth == 0
    declining.give_up(payment)


def test_a_rehearsal_says_what_it_would_take_and_writes_nothing(till: Till, service: Service):
    till.script(Call(decline=DeclineClass.TEMPORARY))
    other = till.house.service(till.house.account(), paid_until=ON)
    report = run(dry_run=True)
    assert f"{till.account.number}: " in report.text()
    assert report.figures == {"taken": {"EUR": NEEDED}}
    assert not Payment.objects.exists()
    run()
    before = list(Payment.objects.values()), Transfer.objects.count()
    report = run(ON + DAY, dry_run=True)
    assert "once more" in report.text()
    assert (list(Payment.objects.values()), Transfer.objects.count()) == before
    other.refresh_from_db()
    assert other.paid_until == ON


def test_nothing_is_taken_ahead_of_its_day(till: Till):
    till.house.service(till.account, paid_until=ON + 10 * DAY, stored_method=till.stored)
    assert run().done == 0
    report = registry.perform("recurring", on=ON + 20 * DAY)
    assert report.exit_code == Exit.FAILED
    assert "not yet there" in report.text()
    assert till.truth == 0


def test_of_two_runs_at_once_one_does_it(till: Till, service: Service, settings):
    with holding.held(settings.HOME / "locks", "recurring", ""):
        assert run().exit_code == Exit.BUSY
    assert till.truth == 0
    assert run().done == 1


def test_explain_tells_each_try_and_the_next(till: Till, service: Service):
    till.script(Call(decline=DeclineClass.INSUFFICIENT_FUNDS))
    run()
    text = run(explain=Payment.objects.get().number).text()
    assert "11.90" in text
    assert "declined (insufficient_funds)" in text
    assert f"the next try is on {ON + 3 * DAY}" in text
    assert run(explain="nobody").exit_code == Exit.FAILED


def test_one_accounts_failure_does_not_keep_others_from_being_renewed(till: Till, service: Service):
    bad = till.house.account()
    card = StoredMethod.objects.create(
        client=bad.client, method=till.method, state=StoredMethod.State.USABLE,
        changed_at=clock.now(), setup_key="gone", token="card_999",
    )  # fmt: skip
    till.house.service(bad, paid_until=ON, stored_method=card)
    report = run()
    assert report.done == 1
    assert till.truth == NEEDED


def test_a_gateway_that_answers_nothing_fails_the_run_and_is_named(till: Till, service: Service):
    till.house.service(till.account, "calendar", paid_until=ON, stored_method=till.card())
    till.script(Call(Fault.DOWN), Call(Fault.DOWN))
    report = run()
    assert report.exit_code == Exit.FAILED
    assert "none of 2 requests was answered" in report.failed["card"]
    assert "failed: card: none of 2 requests" in report.text()


def test_one_lost_request_beside_an_answer_is_no_dead_gateway(till: Till, service: Service):
    till.house.service(till.account, "calendar", paid_until=ON, stored_method=till.card())
    till.script(Call(Fault.DOWN))
    assert run().exit_code == Exit.DONE
