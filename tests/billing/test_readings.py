"""Readings of use: what is taken, what is refused, and what is charged of it; on both engines."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from billclock import clock
from billclock.billing import changing, orders, readings
from billclock.billing.catalog import AddOn
from billclock.billing.charges import ChargeKind
from billclock.billing.daily import run
from billclock.billing.errors import BillingError
from billclock.billing.services import Outcome, Reading, Service
from billclock.billing.verifying import breaches
from tests.billing.company import TODAY, House, assert_books_agree, balance, noon

pytestmark = pytest.mark.usefixtures("engine")

END = date(2026, 12, 20)


def sold(billing: AddOn.Billing, money: int = 500_00, **given: object) -> tuple[House, Service]:
    """Give a service whose add-on "disk" costs 1.00 a unit beyond what is included."""
    house = House(tax_ppm=0)
    house.addon(house.products["monthly"], over_micro=1_000_000, billing=billing, included=10)
    return house, house.service(house.account(money), **given)


def read(service: Service, amount: int, on: date, hour: int = 12) -> Reading:
    at = datetime(on.year, on.month, on.day, hour, tzinfo=UTC)
    with clock.at(at + timedelta(minutes=1)):
        return readings.record(service.number, "disk", amount, at)


def bill(house: House, *days: date) -> None:
    for day in days:
        with clock.at(noon(day)):
            run.bill(house.provider, day, run.Plan())


def span(first: date, last: date) -> list[date]:
    return [first + timedelta(days=day) for day in range((last - first).days + 1)]


def charged(service: Service) -> list[tuple[date, int]]:
    found = service.charges.filter(kind=ChargeKind.OVERAGE).order_by("period_start")
    return list(found.values_list("period_start", "net_minor"))


def test_a_reading_is_held_and_the_same_again_is_the_one_that_is_there():
    _, service = sold(AddOn.Billing.USED)
    first = read(service, 12, TODAY)
    assert read(service, 12, TODAY) == first
    held = service.addons.get()
    assert (held.used, held.read_at, held.peak) == (12, first.at, 12)
    read(service, 7, TODAY, 13)
    held.refresh_from_db()
    assert (held.used, held.peak) == (7, 12)


@pytest.mark.parametrize(
    ("amount", "hour", "why"),
    [
        (-1, 13, "-1 cannot be in use"),
        (10**12 + 1, 13, "cannot be in use"),
        (5, 11, "before the last reading"),
        (5, 12, "was read at 2026-11-20T12:00:00.00:00 already, as 12"),
    ],
)
def test_what_cannot_be_a_reading_is_refused_and_changes_nothing(amount, hour, why):
    _, service = sold(AddOn.Billing.USED)
    read(service, 12, TODAY)
    with pytest.raises(BillingError, match=why):
        read(service, amount, TODAY, hour)
    assert service.addons.get().used == 12
    assert Reading.objects.count() == 1


def test_an_unknown_service_add_on_or_a_moment_to_come_is_refused():
    house, service = sold(AddOn.Billing.USED)
    house.provider.zone = "America/New_York"
    house.provider.save()
    with clock.at(noon(TODAY)):
        for given, why in (
            (("nobody", "disk", 1), "there is no service nobody"),
            ((service.number, "ram", 1), "there are: disk"),
            ((service.number, "disk", 1, noon(TODAY + timedelta(days=1))), "yet to come"),
            ((service.number, "disk", 1, datetime(1, 1, 1, tzinfo=UTC)), "before any meter"),
        ):
            with pytest.raises(BillingError, match=why):
                readings.record(*given)


def test_a_closed_service_is_not_read():
    _, service = sold(AddOn.Billing.USED)
    changing.close(service, on=TODAY, why="test")
    Service.objects.filter(pk=service.pk).update(status=4)
    with pytest.raises(BillingError, match="is closed"):
        read(service, 1, TODAY)


def test_a_day_is_charged_by_the_level_at_which_it_began_whenever_it_is_billed():
    house, daily = sold(AddOn.Billing.USED)
    late = house.service(house.account(500_00))
    days = span(TODAY, TODAY + timedelta(days=4))
    for service in (daily, late):
        read(service, 12, TODAY)
    bill(house, *days[:3])
    read(daily, 15, days[2])
    read(daily, 3, days[3])
    bill(house, *days[3:])
    assert charged(daily) == [(days[1], 2_00), (days[2], 2_00), (days[3], 5_00)]
    assert [on for on, _ in charged(late)] == days[1:]
    assert_books_agree()


def test_days_that_were_missed_are_charged_as_if_they_had_not_been():
    house, service = sold(AddOn.Billing.USED)
    days = span(TODAY, TODAY + timedelta(days=4))
    for day, amount in zip(days, (12, 15, 3, 20, 9), strict=True):
        read(service, amount, day)
    bill(house, *days)
    assert charged(service) == [(days[1], 2_00), (days[2], 5_00), (days[4], 10_00)]


def test_a_peak_is_charged_once_at_its_periods_end_and_begins_again():
    house, service = sold(AddOn.Billing.PEAK)
    bill(house, TODAY)
    read(service, 17, TODAY + timedelta(days=3))
    read(service, 11, TODAY + timedelta(days=9))
    bill(house, *span(TODAY + timedelta(days=1), END))
    assert charged(service) == [(END, 7_00)]
    held = service.addons.get()
    assert (held.peak, held.peak_from, held.peak_until) == (11, END, date(2027, 1, 20))
    assert_books_agree()


def test_readings_of_the_next_period_do_not_raise_a_peak_that_waits_to_be_charged():
    house, service = sold(AddOn.Billing.PEAK)
    bill(house, TODAY)
    read(service, 13, TODAY + timedelta(days=3))
    read(service, 40, END + timedelta(days=1))
    bill(house, *span(TODAY + timedelta(days=1), END + timedelta(days=2)))
    assert charged(service) == [(END, 3_00)]
    assert service.addons.get().peak == 40


def test_a_late_reading_of_a_closed_period_is_but_the_level_at_which_the_next_begins():
    house, service = sold(AddOn.Billing.PEAK)
    bill(house, TODAY)
    read(service, 13, TODAY + timedelta(days=3))
    bill(house, *span(TODAY + timedelta(days=1), END))
    read(service, 50, END - timedelta(days=1), 22)
    read(service, 11, END - timedelta(days=1), 23)
    assert charged(service) == [(END, 3_00)]
    assert service.addons.get().peak == 11


@pytest.mark.parametrize("renewed", ["not by itself", "for lack of money", "early"])
def test_a_peak_is_charged_whether_its_service_is_renewed_that_day_or_not(renewed):
    money = 14_00 if renewed == "for lack of money" else 500_00
    house, service = sold(AddOn.Billing.PEAK, money)
    bill(house, TODAY)
    service.refresh_from_db()
    read(service, 14, TODAY + timedelta(days=3))
    bill(house, TODAY + timedelta(days=1))
    if renewed == "not by itself":
        Service.objects.update(auto_renew=False)
    if renewed == "early":
        orders.renew(service, on=TODAY + timedelta(days=5))
        orders.renew(service, on=TODAY + timedelta(days=5))
    bill(house, *span(TODAY + timedelta(days=2), END + timedelta(days=2)))
    assert charged(service) == [(END, 4_00)]
    ends = date(2027, 1, 20) if renewed == "early" else None
    assert service.addons.get().peak_until == ends
    assert_books_agree()
    assert list(breaches()) == []


def test_a_peak_of_a_service_that_was_closed_is_charged_with_the_next_run():
    house, service = sold(AddOn.Billing.PEAK)
    bill(house, TODAY)
    read(service, 14, TODAY + timedelta(days=3))
    closed_on = TODAY + timedelta(days=5)
    service.refresh_from_db()
    changing.close(service, on=closed_on, why="test")
    Service.objects.filter(pk=service.pk).update(status=4)
    bill(house, *span(TODAY + timedelta(days=1), END + timedelta(days=1)))
    assert charged(service) == [(closed_on, 4_00)]
    assert service.addons.get().peak == 0


def test_a_last_peak_that_cannot_be_paid_is_told_in_a_verdict_and_goes():
    house, service = sold(AddOn.Billing.PEAK, 10_00)
    bill(house, TODAY)
    read(service, 14, TODAY + timedelta(days=3))
    Service.objects.update(auto_renew=False)
    bill(house, *span(TODAY + timedelta(days=1), END + timedelta(days=3)))
    service.refresh_from_db()
    assert (charged(service), service.unfunded_since) == ([], None)
    unpaid = service.verdicts.get(outcome=Outcome.UNFUNDED)
    assert (unpaid.on, unpaid.need_minor) == (END, 4_00)
    assert balance(service.account) == 0


def test_use_of_a_held_service_is_left_alone():
    house, service = sold(AddOn.Billing.USED, held_until=TODAY + timedelta(days=9))
    Service.objects.update(paid_until=END)
    read(service, 14, TODAY)
    bill(house, TODAY + timedelta(days=1))
    assert charged(service) == []


def test_readings_that_nothing_needs_go_in_batches_and_change_no_charge(settings) -> None:
    settings.KEEP_READINGS = 20
    house, service = sold(AddOn.Billing.USED)
    days = span(TODAY, TODAY + timedelta(days=39))
    amounts = [8 + place % 7 for place in range(len(days))]
    for on, amount in zip(days, amounts, strict=True):
        read(service, amount, on)
        bill(house, on)
        if on.day % 10 == 0:
            with clock.at(noon(on)):
                readings.prune(batches=20, most=3)
    beyond = [
        (on, (amount - 10) * 1_00)
        for on, amount in zip(days[1:], amounts[:-1], strict=True)
        if amount > 10
    ]
    assert charged(service) == beyond
    with clock.at(noon(days[-1])):
        readings.prune(batches=20, most=3)
    kept = list(service.readings.order_by("on").values_list("on", flat=True))
    assert kept == days[18:]  # of the days before, the last level alone


def test_an_open_peak_and_dates_that_are_not_billed_keep_their_readings(settings) -> None:
    settings.KEEP_READINGS = 5
    house, service = sold(AddOn.Billing.PEAK)
    bill(house, TODAY)
    for on in span(TODAY, TODAY + timedelta(days=19)):
        read(service, 20 if on.day % 2 else 1, on)
    service.addons.update(peak_from=TODAY + timedelta(days=4))
    with clock.at(noon(TODAY + timedelta(days=20))):
        assert readings.prune() == 0  # nothing was billed since the first date
        bill(house, *span(TODAY + timedelta(days=1), TODAY + timedelta(days=19)))
        assert readings.prune() == 3
    kept = sorted(service.readings.values_list("on", flat=True))
    assert kept == span(TODAY + timedelta(days=3), TODAY + timedelta(days=19))
