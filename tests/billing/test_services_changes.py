"""Changing and closing services in mid-period: shares, tiles, what comes back, what is refused."""

from datetime import date, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billclock import clock
from billclock.billing import changing, orders, stopping
from billclock.billing.catalog import AddOn, Cycle, ProductType
from billclock.billing.charges import Charge, ChargeKind, Reversal
from billclock.billing.errors import BillingError, NotEnoughMoneyError
from billclock.billing.notifications import Notice
from billclock.billing.orders import Wish
from billclock.billing.services import Reason, Service, Status, Verdict
from tests.billing.company import House, assert_books_agree, balance, live, noon, tiles

pytestmark = pytest.mark.usefixtures("engine")

ORDERED = date(2026, 11, 1)
MIDDLE = date(2026, 11, 16)
"""Half of November's thirty days are over."""


@pytest.fixture
def house() -> House:
    made = House()
    made.product("big", prices={1: 30_00, 12: 300_00})
    made.product("small", prices={1: 5_00})
    return made


def ordered(
    house: House, product: str = "monthly", money: int = 500_00, **given: object
) -> Service:
    on = given.pop("on", ORDERED)
    with clock.at(noon(on)):  # type: ignore[arg-type]
        return orders.order(
            house.account(money),
            Wish(house.products[product], **given),  # type: ignore[arg-type]
            on=on,  # type: ignore[arg-type]
        )


def changed(house: House, service: Service, product: str | None = None, **given: object) -> Service:
    on = given.pop("on", MIDDLE)
    with clock.at(noon(on)):  # type: ignore[arg-type]
        return changing.change(
            service, on=on, by="ada", product=house.products[product] if product else None,
            **given,  # type: ignore[arg-type]
        )  # fmt: skip


def test_an_upgrade_costs_the_difference_of_the_days_to_come(house: House):
    service = ordered(house)
    had = balance(service.account)
    service = changed(house, service, "big")
    assert balance(service.account) == had - (15_00 - 5_00) * 119 // 100
    used, to_come = live(service)
    assert (used.net_minor, used.period_end, used.generation) == (5_00, MIDDLE, 1)
    assert (to_come.net_minor, to_come.period_end) == (15_00, date(2026, 12, 1))
    assert to_come.price == house.products["big"].prices.get(months=1)
    reversal = Reversal.objects.get()
    assert (reversal.charge.net_minor, reversal.by) == (10_00, "ada")
    assert service.operations.filter(action="change").count() == 1
    assert_books_agree()


def test_a_downgrade_gives_the_difference_back(house: House):
    service = ordered(house, "big")
    had = balance(service.account)
    service = changed(house, service, "small")
    assert balance(service.account) == had + (15_00 - 2_50) * 119 // 100
    service = orders.renew(service, on=date(2026, 12, 1))
    assert live(service)[-1].net_minor == 5_00
    assert_books_agree()


def test_an_upgrade_that_cannot_be_paid_names_what_is_missing(house: House):
    service = ordered(house, money=20_00)
    with pytest.raises(NotEnoughMoneyError) as caught:
        changed(house, service, "big")
    assert (caught.value.amount, caught.value.have) == (11_90, 8_10)
    service.refresh_from_db()
    assert service.product == house.products["monthly"]
    assert not Reversal.objects.exists()
    assert_books_agree()


def test_a_change_on_the_first_day_is_as_if_ordered_so(house: House):
    service = changed(house, ordered(house), "big", on=ORDERED)
    assert [charge.net_minor for charge in live(service)] == [30_00]
    assert_books_agree()


def test_several_changes_in_a_period_tile_it(house: House):
    service = ordered(house)
    for on, product in ((7, "big"), (13, "small"), (22, "monthly"), (22, "big")):
        service = changed(house, service, product, on=date(2026, 11, on))
    assert [charge.period_start.day for charge in live(service)] == [1, 7, 13, 22]
    assert [charge.net_minor for charge in live(service)] == [2_00, 6_00, 1_50, 9_00]
    assert service.generation == 4
    assert_books_agree()


def test_periods_paid_ahead_are_changed_as_well(house: House):
    service = ordered(house)
    service = orders.renew(service, on=ORDERED)
    assert service.paid_until == date(2027, 1, 1)
    service = changed(house, service, "big")
    assert [charge.net_minor for charge in live(service)] == [5_00, 15_00, 30_00]
    assert_books_agree()


def test_a_year_recognised_by_months_is_changed_month_by_month(house: House):
    kind = ProductType.objects.get(code="registry")
    house.product("registry-plus", prices={12: 240_00}, type=kind)
    service = ordered(house, "yearly-by-months", months=12)
    service = changed(house, service, "registry-plus")
    costs = [charge.net_minor for charge in live(service)]
    assert costs == [5_00, 10_00, *[20_00] * 11]
    assert_books_agree()


def test_another_length_of_period_counts_from_the_next_renewal(house: House):
    service = ordered(house)
    had = balance(service.account)
    service = changed(house, service, months=12)
    assert balance(service.account) == had
    assert not service.operations.filter(action="change").exists()
    service = orders.renew(service, on=date(2026, 12, 1))
    assert service.paid_until == date(2027, 12, 1)
    assert_books_agree()


def test_days_of_a_length_the_new_product_lacks_are_priced_by_its_own(house: House):
    service = ordered(house, months=12)
    service = changed(house, service, "small", months=1, on=date(2027, 9, 16))
    new = [
        charge for charge in live(service) if charge.price == house.products["small"].prices.get()
    ]
    assert [charge.net_minor for charge in new] == [2_50, 5_00]
    assert new[-1].period_end == service.paid_until == date(2027, 11, 1)
    assert service.months == 1
    assert_books_agree()


@pytest.mark.parametrize(
    ("start", "to", "until", "anchor"),
    [
        ("monthly", "daily", date(2026, 11, 17), 16),
        ("monthly", "calendar", date(2027, 1, 1), 1),
        ("daily", "monthly", date(2026, 12, 16), 16),
        ("calendar", "hourly", date(2026, 11, 17), 16),
        ("hourly", "daily", date(2026, 11, 17), 16),
    ],
)
def test_another_way_of_billing_begins_on_the_day_of_the_change(
    house: House, start: str, to: str, until: date, anchor: int
):
    months = {"hourly": 0}
    service = ordered(house, start, months=months.get(start, 1))
    while service.paid_until <= MIDDLE:
        service = orders.renew(service, on=service.paid_until)
    service = changed(house, service, to, months=months.get(to, 1))
    assert (service.paid_until, service.anchor_day) == (until, anchor)
    assert service.product.code == f"acme-{to}"
    assert_books_agree()


def test_more_of_an_addon_costs_its_days_to_come(house: House):
    product = house.products["monthly"]
    disk = house.addon(product, "disk", unit=2_00)
    service = ordered(house, addons={"disk": 3})
    had = balance(service.account)
    service = changed(house, service, addons={"disk": 6})
    assert balance(service.account) == had - 3_00 * 119 // 100
    added = [charge for charge in live(service) if charge.addon == disk.pk]
    assert [(charge.quantity, charge.net_minor) for charge in added] == [(3, 3_00), (6, 6_00)]
    assert service.addons.get().quantity == 6
    service = changed(house, service, addons={"disk": 0}, on=date(2026, 11, 21))
    assert balance(service.account) == had - 3_57 + 4_76
    assert [c.period_end for c in live(service) if c.addon == disk.pk][-1] == date(2026, 11, 21)
    assert_books_agree()


def test_addons_go_along_to_a_product_that_has_them(house: House):
    for name in ("monthly", "big"):
        house.addon(house.products[name], "disk", unit=1_00)
    house.addon(house.products["monthly"], "ip", unit=1_00)
    service = ordered(house, addons={"disk": 2, "ip": 1})
    service = changed(house, service, "big")
    assert dict(service.addons.values_list("addon__code", "quantity")) == {"disk": 2}
    assert service.addons.get().addon.product == house.products["big"]
    assert_books_agree()


def test_what_is_not_paid_is_changed_without_money(house: House):
    service = house.service(house.account(0), paid_until=date(2026, 11, 10))
    service = changed(house, service, "small")
    assert not Reversal.objects.exists()
    house.pay(service.account, 6_00)
    service = orders.renew(service, on=MIDDLE)
    assert live(service)[-1].net_minor == 5_00
    assert_books_agree()


def test_a_change_to_something_else_is_refused(house: House):
    house.product("domain", prices={1: 1_00}, type=house.type("domains"))
    service = ordered(house)
    with pytest.raises(BillingError, match="cannot become acme-domain"):
        changed(house, service, "domain")
    with pytest.raises(BillingError, match="no price in EUR for 3 months"):
        changed(house, service, "big", months=3)
    with pytest.raises(BillingError, match="no add-on 'cores'"):
        changed(house, service, addons={"cores": 2})
    changing.close(service, on=MIDDLE, why="done")
    with pytest.raises(BillingError, match="is deleted and cannot be changed"):
        changed(house, service, "big")
    assert_books_agree()


def test_a_change_to_the_same_changes_nothing(house: House):
    service = ordered(house)
    before = Charge.objects.count()
    service = changed(house, service, "monthly")
    assert Charge.objects.count() == before
    assert service.operations.count() == 1


def test_a_pause_in_paid_time_stays_where_it_is(house: House):
    service = ordered(house)
    verdict = Verdict.objects.create(service=service, on=ORDERED, outcome=2)
    stopping.suspend(service, Reason.MONEY, on=date(2026, 11, 3), verdict=verdict)
    stopping.lift(service, Reason.MONEY, on=date(2026, 11, 8), why="a mistake of ours")
    service.refresh_from_db()
    assert service.paid_until == date(2026, 12, 6)
    service = orders.renew(service, on=ORDERED)
    service = changed(house, service, "big")
    paused = [charge for charge in live(service) if charge.kind == ChargeKind.PAUSE]
    assert [(c.period_start, c.period_end) for c in paused] == [
        (date(2026, 12, 1), date(2026, 12, 6))
    ]
    assert [c.net_minor for c in live(service)] == [5_00, 15_00, 0, 30_00]
    assert_books_agree()


def test_closing_gives_the_unused_days_back(house: House):
    service = ordered(house, "big")
    had = balance(service.account)
    service = changing.close(service, on=MIDDLE, why="moved", by="ada")
    assert balance(service.account) == had + 15_00 * 119 // 100
    assert service.status == Status.DELETED
    assert (service.closed_on, service.paid_until) == (MIDDLE, MIDDLE)
    assert [charge.net_minor for charge in live(service)] == [15_00]
    assert Notice.objects.get(kind="closed").subject == service.pk
    assert_books_agree()


def test_a_type_may_keep_what_is_not_used(house: House):
    ProductType.objects.update(returns_unused=False)
    service = ordered(house)
    had = balance(service.account)
    service = changing.close(service, on=MIDDLE, why="moved")
    assert balance(service.account) == had
    assert service.paid_until == date(2026, 12, 1)
    assert_books_agree()


def test_staff_may_decide_what_comes_back(house: House):
    ProductType.objects.update(returns_unused=False)
    service = ordered(house)
    had = balance(service.account)
    changing.close(service, on=MIDDLE, why="our fault", returns=True)
    assert balance(service.account) > had
    assert_books_agree()


@pytest.mark.parametrize(("product", "months"), [("daily", 1), ("hourly", 0)])
def test_a_day_that_has_begun_is_used(house: House, product: str, months: int):
    service = ordered(house, product, months=months)
    had = balance(service.account)
    service = changing.close(service, on=ORDERED, why="only tried")
    assert balance(service.account) == had
    assert service.paid_until == ORDERED + timedelta(days=1)
    assert_books_agree()


def test_set_up_does_not_come_back(house: House):
    product = house.product("server", prices={1: 30_00}, setup=99_00)
    house.addon(product, "licence", unit=7_00, billing=AddOn.Billing.ONCE)
    service = ordered(house, "server", addons={"licence": 1})
    service = changing.close(service, on=ORDERED, why="changed my mind")
    assert balance(service.account) == 500_00 - (99_00 + 7_00) * 119 // 100
    assert {charge.kind for charge in live(service)} == {ChargeKind.SETUP}


def test_more_of_what_is_paid_once_is_paid_by_a_change_too(house: House):
    product = house.products["monthly"]
    house.addon(product, "licence", unit=7_00, billing=AddOn.Billing.ONCE, included=1)
    service = ordered(house)
    had = balance(service.account)
    service = changed(house, service, addons={"licence": 3})
    assert balance(service.account) == had - 2 * 7_00 * 119 // 100
    service = changed(house, service, addons={"licence": 2})
    assert balance(service.account) == had - 2 * 7_00 * 119 // 100
    assert [c.quantity for c in live(service) if c.kind == ChargeKind.SETUP] == [2]
    assert_books_agree()


def test_what_is_paid_once_and_cannot_be_paid_is_not_had(house: House):
    house.addon(house.products["monthly"], "licence", unit=7_00, billing=AddOn.Billing.ONCE)
    service = ordered(house, money=12_00)
    with pytest.raises(NotEnoughMoneyError):
        changed(house, service, addons={"licence": 1})
    assert not service.addons.exists()
    assert_books_agree()


def test_a_closed_service_stays_closed(house: House):
    service = ordered(house)
    changing.close(service, on=MIDDLE, why="done")
    with pytest.raises(BillingError, match="is deleted and cannot be closed"):
        changing.close(service, on=MIDDLE, why="again")


def test_closing_ends_suspensions(house: House):
    service = ordered(house)
    stopping.suspend(service, Reason.STAFF, on=ORDERED, by="bob")
    service = changing.close(service, on=MIDDLE, why="done")
    assert service.stopped_for == 0
    assert service.suspensions.get().lifted_on == MIDDLE


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    price=st.integers(1, 99_999),
    other=st.integers(1, 99_999),
    days=st.lists(st.integers(0, 29), min_size=1, max_size=5),
    gross=st.booleans(),
    ppm=st.integers(0, 300_000),
)
def test_any_changes_and_a_close_keep_the_books(
    engine: str, price: int, other: int, days: list[int], gross: bool, ppm: int
):
    """Whatever the prices: the tiles stay whole, and who closes at once has it all back."""
    with transaction.atomic():
        house = House(tax_ppm=ppm)
        house.company.prices_gross = gross
        house.company.save()
        one = house.product("one", prices={1: price}, cycle=Cycle.PERIODIC)
        two = house.product("two", prices={1: other}, cycle=Cycle.PERIODIC)
        service = orders.order(house.account(10_000_00), Wish(one), on=ORDERED)
        for number, day in enumerate(sorted(days)):
            service = changing.change(
                service, on=ORDERED + timedelta(days=day), by="x", product=(two, one)[number % 2]
            )
        assert_books_agree()
        assert tiles(service)[0].start == ORDERED
        changing.close(service, on=ORDERED + timedelta(days=max(days)), why="x")
        assert_books_agree()
        if max(days) == 0:
            assert balance(service.account) == 10_000_00
        transaction.set_rollback(True)
