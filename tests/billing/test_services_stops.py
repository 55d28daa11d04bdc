"""Stopping services for a set of reasons, letting them run again, pauses, holds, the switch."""

from datetime import date, timedelta

import pytest

from billclock import clock
from billclock.billing import orders, overdue, stopping
from billclock.billing.catalog import Product, ProductType
from billclock.billing.charges import Charge, ChargeKind
from billclock.billing.clients import Account
from billclock.billing.daily.run import Plan, bill
from billclock.billing.errors import BillingError, NotEnoughMoneyError
from billclock.billing.notifications import Notice, notify
from billclock.billing.provider import Provider
from billclock.billing.services import (
    Operation,
    Outcome,
    Reason,
    RenewalSwitch,
    Service,
    Status,
    Suspension,
    Verdict,
)
from billclock.outbox.models import Message
from tests.billing.company import TODAY, House, assert_books_agree, balance, live, noon

pytestmark = pytest.mark.usefixtures("engine")

GRACE = 5
STOPPED = TODAY + timedelta(days=GRACE)
PAID = STOPPED + timedelta(days=20)


@pytest.fixture
def house() -> House:
    return House()


def unfunded(house: House, product: str = "monthly", **given: object) -> Service:
    """Give a service that ended today and found no money."""
    service = house.service(house.account(0), product, **given)
    bill(house.provider, TODAY, Plan())
    service.refresh_from_db()
    assert service.unfunded_since == TODAY
    return service


def stopped(house: House, product: str = "monthly", **given: object) -> Service:
    """Give a service that was stopped for money GRACE days after its end."""
    service = unfunded(house, product, **given)
    stopping.suspend(service, Reason.MONEY, on=STOPPED, verdict=service.verdicts.get())
    service.refresh_from_db()
    return service


def test_the_first_reason_stops_and_the_last_one_lifted_lets_run(house: House):
    service = house.service(house.account(100_00))
    service.paid_until = date(2027, 1, 1)
    service.product.module = None
    service.product.save()
    stopping.suspend(service, Reason.STAFF, on=TODAY, by="ada")
    stopping.suspend(service, Reason.ABUSE, on=TODAY, by="bob")
    service.refresh_from_db()
    assert (service.status, service.stopped_for) == (Status.STOPPED, Reason.STAFF | Reason.ABUSE)
    assert stopping.lift(service, Reason.STAFF, on=TODAY, why="cleared")
    service.refresh_from_db()
    assert service.status == Status.STOPPED
    assert stopping.lift(service, Reason.ABUSE, on=TODAY, why="cleared")
    service.refresh_from_db()
    assert (service.status, service.stopped_for) == (Status.ACTIVE, 0)


def test_a_module_stops_it_once_for_any_number_of_reasons(house: House):
    service = house.service(house.account())
    first = stopping.suspend(service, Reason.STAFF, on=TODAY)
    assert stopping.suspend(service, Reason.STAFF, on=TODAY) == first
    stopping.suspend(service, Reason.CLIENT, on=TODAY)
    assert Operation.objects.get().action == "suspend"
    service.refresh_from_db()
    assert service.status == Status.IN_PROGRESS


def test_lifting_what_was_not_there_does_nothing(house: House):
    service = house.service(house.account())
    assert not stopping.lift(service, Reason.ABUSE, on=TODAY, why="none")
    assert not Operation.objects.exists()


def test_people_are_told_of_each_reason_and_of_the_end(house: House):
    service = house.service(house.account())
    stopping.suspend(service, Reason.STAFF, on=TODAY)
    stopping.suspend(service, Reason.ABUSE, on=TODAY)
    told = Notice.objects.filter(kind="suspended", subject=service.pk)
    assert {notice.threshold for notice in told} == {Reason.STAFF, Reason.ABUSE}
    for reason in (Reason.STAFF, Reason.ABUSE):
        stopping.lift(service, reason, on=TODAY, why="over")
    assert Notice.objects.filter(kind="resumed", subject=service.pk).count() == 1


def test_what_is_to_be_closed_is_asked_for_without_naming_each(house):
    Provider.objects.update(deletes_suspended=True)
    Product.objects.update(deletion_days=5)
    found = []
    for _ in range(3):
        service = house.service(house.account(), stopped_for=Reason.MONEY)
        stop = service.suspensions.create(reason=Reason.MONEY, on=TODAY)
        notice = notify(
            service.account, "suspended", subject=service.pk, period=TODAY, threshold=1, on=TODAY,
            facts={"why": "test"},
        )  # fmt: skip
        Message.objects.filter(dedupe_key=notice.message).update(sent_at=noon(TODAY))
        found.append(stop.pk)
        provider = Provider.objects.get()
        asked = overdue.to_close(provider, TODAY + timedelta(days=5))
        assert [one.pk for one in asked] == found
        assert len(asked.query.sql_with_params()[1]) < 60
        assert not overdue.to_close(provider, TODAY + timedelta(days=4)).exists()


@pytest.mark.parametrize("reason", [Reason.MONEY, Reason.ADDON, Reason.EXPIRED])
def test_what_billing_finds_needs_its_verdict(house: House, reason: Reason):
    service = house.service(house.account())
    other = house.service(house.account())
    verdict = Verdict.objects.create(service=other, on=TODAY, outcome=Outcome.UNFUNDED)
    for wrong in (None, verdict):
        with pytest.raises(BillingError, match=f"no verdict to stop service {service.number}"):
            stopping.suspend(service, reason, on=TODAY, verdict=wrong)
    assert not Suspension.objects.exists()


def test_a_postpaid_account_is_not_stopped_for_money(house: House):
    service = house.service(house.account(kind=Account.Kind.POSTPAID))
    verdict = Verdict.objects.create(service=service, on=TODAY, outcome=Outcome.UNFUNDED)
    with pytest.raises(BillingError, match="postpaid account, which is not stopped for money"):
        stopping.suspend(service, Reason.MONEY, on=TODAY, verdict=verdict)


def test_only_open_services_are_stopped(house: House):
    service = house.service(house.account(), status=Status.DELETED)
    with pytest.raises(BillingError, match="is deleted"):
        stopping.suspend(service, Reason.STAFF, on=TODAY)


def test_time_that_it_stood_is_not_billed_and_its_grace_is(house: House):
    service = stopped(house)
    house.pay(service.account, 11_90)
    service = orders.renew(service, on=PAID)
    pause, period = live(service)[1:]
    assert (pause.kind, pause.total_minor, pause.quantity) == (ChargeKind.PAUSE, 0, 20)
    assert (pause.period_start, pause.period_end) == (TODAY, TODAY + timedelta(days=20))
    assert period.period_start == PAID - timedelta(days=GRACE)
    assert service.anchor_day == period.period_start.day == 10
    assert (period.period_end, service.paid_until) == (date(2027, 1, 10), date(2027, 1, 10))
    assert (service.stopped_for, service.unfunded_since) == (0, None)
    assert balance(service.account) == 0
    assert_books_agree()


def test_a_calendar_service_goes_on_to_the_first(house: House):
    service = stopped(house, "calendar", paid_until=TODAY)
    house.pay(service.account, 100_00)
    service = orders.renew(service, on=PAID)
    assert service.anchor_day == 1
    assert service.paid_until == date(2027, 1, 1)
    assert live(service)[-1].net_minor == 21_29  # 10 to 31 December
    assert_books_agree()


@pytest.mark.parametrize(("product", "months"), [("daily", 1), ("hourly", 0)])
def test_a_service_billed_by_the_day_pays_its_grace_and_today(
    house: House, product: str, months: int
):
    service = stopped(house, product, months=months)
    house.pay(service.account, 100_00)
    service = orders.renew(service, on=PAID)
    assert service.paid_until == PAID + timedelta(days=1)
    assert len([c for c in live(service) if c.kind != ChargeKind.PAUSE]) == 1 + GRACE + 1
    assert_books_agree()


def test_too_little_money_changes_nothing(house: House):
    service = stopped(house)
    house.pay(service.account, 11_89)
    with pytest.raises(NotEnoughMoneyError) as caught:
        orders.renew(service, on=PAID)
    assert (caught.value.amount, caught.value.have) == (11_90, 11_89)
    service.refresh_from_db()
    assert (service.stopped_for, service.paid_until) == (Reason.MONEY, TODAY)
    assert Charge.objects.filter(kind=ChargeKind.PAUSE).count() == 0
    assert Operation.objects.count() == 1
    assert_books_agree()


def test_a_type_may_bill_the_time_it_stood(house: House):
    ProductType.objects.update(bills_suspended=True)
    service = stopped(house)
    house.pay(service.account, 11_90)
    service = orders.renew(service, on=PAID)
    assert service.paid_until == date(2026, 12, 20)
    assert not Charge.objects.filter(kind=ChargeKind.PAUSE).exists()
    assert_books_agree()


def test_a_stop_of_no_whole_day_moves_nothing(house: House):
    service = stopped(house)
    house.pay(service.account, 11_90)
    service = orders.renew(service, on=STOPPED)
    assert service.paid_until == date(2026, 12, 20)
    assert_books_agree()


def test_other_reasons_stay_when_the_money_came(house: House):
    service = stopped(house)
    stopping.suspend(service, Reason.ABUSE, on=STOPPED)
    house.pay(service.account, 50_00)
    service = orders.renew(service, on=PAID)
    assert service.stopped_for == Reason.ABUSE
    assert service.paid_until > PAID
    assert not Operation.objects.filter(action="resume").exists()


def test_reasons_that_took_turns_are_one_pause(house: House):
    service = stopped(house)
    verdict = service.verdicts.get()
    later = STOPPED + timedelta(days=4)
    stopping.suspend(service, Reason.EXPIRED, on=later, verdict=verdict)
    stopping.lift(service, Reason.MONEY, on=later + timedelta(days=2), why="debt forgiven")
    assert not Charge.objects.filter(kind=ChargeKind.PAUSE).exists()
    house.pay(service.account, 11_90)
    orders.renew(service, on=PAID)
    assert Charge.objects.get(kind=ChargeKind.PAUSE).quantity == 20
    assert_books_agree()


def test_a_lift_by_staff_lets_billing_decide_anew(house: House):
    service = stopped(house)
    with clock.at(noon(PAID)):
        stopping.lift(service, Reason.MONEY, on=PAID, why="he promised")
    service.refresh_from_db()
    assert service.unfunded_since == PAID
    assert service.verdicts.filter(on=PAID, outcome=Outcome.UNFUNDED).exists()
    assert Notice.objects.filter(kind="not_renewed", period=PAID).exists()
    assert_books_agree()


def test_a_lift_by_staff_renews_what_can_pay(house: House):
    service = stopped(house)
    house.pay(service.account, 11_90)
    stopping.lift(service, Reason.MONEY, on=PAID, why="paid in cash")
    service.refresh_from_db()
    assert service.paid_until == date(2027, 1, 10)
    assert_books_agree()


def test_what_is_not_renewed_by_itself_is_not_renewed_by_a_lift(house: House):
    service = house.service(house.account(100_00), auto_renew=False)
    bill(house.provider, TODAY, Plan())
    verdict = service.verdicts.get()
    assert verdict.outcome == Outcome.NO_AUTO_RENEWAL
    stopping.suspend(service, Reason.EXPIRED, on=STOPPED, verdict=verdict)
    stopping.lift(service, Reason.EXPIRED, on=PAID, why="he wants a look at his data")
    assert balance(service.account) == 100_00
    assert service.verdicts.get(on=PAID).outcome == Outcome.NO_AUTO_RENEWAL
    service = orders.renew(service, on=PAID)
    assert service.paid_until > PAID
    assert_books_agree()


def test_opposite_operations_drop_each_other(house: House):
    service = stopped(house)
    house.pay(service.account, 11_90)
    service = orders.renew(service, on=PAID)
    operation = Operation.objects.get()
    assert (operation.action, operation.state) == ("suspend", "dropped")
    assert service.status == Status.ACTIVE


def test_a_held_service_is_left_alone_and_decided_on_when_the_hold_ends(house: House):
    service = house.service(house.account(0))
    stopping.hold(service, TODAY + timedelta(days=9), on=TODAY)
    bill(house.provider, TODAY, Plan())
    assert not service.verdicts.exists()
    stopping.hold(service, None, on=TODAY)
    assert service.verdicts.get().outcome == Outcome.UNFUNDED
    assert_books_agree()


def test_who_switched_the_renewal_is_recorded(house: House):
    service = house.service(house.account(0))
    assert stopping.set_auto_renew(service, on=True, by="ada") is None
    made = stopping.set_auto_renew(service, on=False, by="ada", why="moves away")
    assert made == RenewalSwitch.objects.get(on=False, by="ada", why="moves away")
    service.refresh_from_db()
    assert not service.auto_renew
