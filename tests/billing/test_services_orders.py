"""Ordering and renewing services: prices, discounts, tax, money, and what is written of it."""

from datetime import UTC, date, datetime

import pytest

from billclock import clock
from billclock.billing import orders
from billclock.billing.catalog import AddOn, Cycle, Discount, Product, PromoCode
from billclock.billing.charges import Charge, ChargeKind
from billclock.billing.clients import Account, ClientGroup
from billclock.billing.errors import BillingError, NotEnoughMoneyError
from billclock.billing.ledger import Transfer
from billclock.billing.orders import Wish
from billclock.billing.services import Operation, Outcome, Service, Status, Verdict
from tests.billing.company import LONG_AGO, TODAY, House, assert_books_agree, balance, live, noon

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def house() -> House:
    return House()


def ordered(house: House, account: Account, product: str = "monthly", **given: object) -> Service:
    on = given.pop("on", TODAY)
    with clock.at(noon(on)):  # type: ignore[arg-type]
        return orders.order(account, Wish(house.products[product], **given), on=on)  # type: ignore[arg-type]


def test_an_order_is_paid_at_once_and_handed_to_its_module(house: House):
    account = house.account(50_00)
    service = ordered(house, account, name="site.example", parameters={"os": "debian"})
    assert balance(account) == 50_00 - 11_90
    (charge,) = live(service)
    assert (charge.kind, charge.net_minor, charge.tax_minor) == (ChargeKind.PERIOD, 10_00, 1_90)
    assert (charge.period_start, charge.period_end) == (TODAY, date(2026, 12, 20))
    assert (service.paid_until, service.anchor_day) == (date(2026, 12, 20), 20)
    assert service.status == Status.IN_PROGRESS
    operation = service.operations.get()
    assert (operation.action, operation.state, operation.module) == ("open", "queued", house.module)
    assert service.number == f"S{service.pk}"
    assert_books_agree()


def test_without_a_module_a_service_runs_at_once(house: House):
    house.products["monthly"].module = None
    house.products["monthly"].save()
    service = ordered(house, house.account(50_00))
    assert service.status == Status.ACTIVE
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    ("product", "on", "months", "cost", "until"),
    [
        ("monthly", date(2027, 1, 31), 1, 11_90, date(2027, 2, 28)),
        ("monthly", date(2026, 11, 20), 12, 119_00, date(2027, 11, 20)),
        ("calendar", date(2026, 7, 12), 1, 23_03, date(2026, 8, 1)),
        ("calendar", date(2026, 7, 17), 1, 52_98, date(2026, 9, 1)),
        ("calendar", date(2026, 7, 1), 1, 35_70, date(2026, 8, 1)),
        ("daily", date(2026, 11, 20), 1, 1_19, date(2026, 11, 21)),
        ("hourly", date(2026, 11, 21), 0, 14, date(2026, 11, 22)),
        ("yearly-by-months", date(2026, 11, 20), 12, 142_80, date(2027, 11, 20)),
    ],
)
def test_the_first_period_of_each_cycle(
    house: House, product: str, on: date, months: int, cost: int, until: date
):
    account = house.account(500_00)
    service = ordered(house, account, product, months=months, on=on)
    assert balance(account) == 500_00 - cost
    assert service.paid_until == until
    assert_books_agree()


def test_an_hour_that_is_over_costs_nothing(house: House):
    account = house.account(50_00)
    evening = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)
    with clock.at(evening):
        orders.order(account, Wish(house.products["hourly"], months=0), on=TODAY)
    assert Charge.objects.get().quantity == 2


def test_a_year_is_recognised_month_by_month(house: House):
    service = ordered(house, house.account(500_00), "yearly-by-months", months=12)
    charges = live(service)
    assert [charge.net_minor for charge in charges] == [10_00] * 12
    assert charges[-1].period_end == service.paid_until


def test_the_next_renewal_bills_on_from_what_was_ordered(house: House):
    account = house.account(500_00)
    service = ordered(house, account, on=date(2027, 1, 31))
    for until in (date(2027, 3, 31), date(2027, 4, 30)):
        service = orders.renew(service, on=service.paid_until)
        assert service.paid_until == until
    assert_books_agree()


def test_new_and_existing_services_have_their_own_prices(house: House):
    product = house.products["monthly"]
    house.price(product, 20_00, since=date(2026, 11, 1), valid_from_existing=date(2027, 2, 1))
    account = house.account(500_00)
    service = ordered(house, account)
    for on in (date(2026, 12, 20), date(2027, 1, 20), date(2027, 2, 20)):
        service = orders.renew(service, on=on)
    assert [charge.net_minor for charge in live(service)] == [20_00, 10_00, 10_00, 20_00]


def test_set_up_is_paid_once_and_not_discounted(house: House):
    product = house.product("dedicated", prices={1: 100_00}, setup=50_00)
    Discount.objects.create(name="all", ppm=500_000, valid_from=LONG_AGO)
    account = house.account(500_00)
    service = ordered(house, account, "dedicated")
    by_kind = {charge.kind: charge for charge in live(service)}
    assert by_kind[ChargeKind.SETUP].net_minor == 50_00
    assert by_kind[ChargeKind.PERIOD].net_minor == 50_00
    assert by_kind[ChargeKind.PERIOD].discount_minor == 50_00
    orders.renew(service, on=service.paid_until)
    assert Charge.objects.filter(kind=ChargeKind.SETUP).count() == 1
    assert product.prices.get().setup_minor == 50_00
    assert_books_agree()


def test_addons_are_charged_beyond_what_is_included(house: House):
    product = house.products["monthly"]
    disk = house.addon(product, "disk", unit=2_00, included=5, most=100)
    house.addon(product, "licence", unit=7_00, billing=AddOn.Billing.ONCE)
    house.addon(product, "traffic", billing=AddOn.Billing.USED, included=10)
    account = house.account(500_00)
    service = ordered(house, account, addons={"disk": 8, "licence": 1})
    charged = {(charge.kind, charge.addon): charge for charge in live(service)}
    assert charged[ChargeKind.ADDON, disk.pk].net_minor == 6_00
    assert charged[ChargeKind.ADDON, disk.pk].quantity == 3
    assert {c.net_minor for c in live(service) if c.kind == ChargeKind.SETUP} == {7_00}
    quantities = dict(service.addons.values_list("addon__code", "quantity"))
    assert quantities == {"disk": 8, "licence": 1, "traffic": 10}
    service = orders.renew(service, on=service.paid_until)
    assert sum(charge.net_minor for charge in live(service)) == 10_00 + 6_00 + 7_00 + 16_00
    assert_books_agree()


@pytest.mark.parametrize(
    ("addons", "why"),
    [
        ({"disc": 1}, "no add-on 'disc'; there are: disk"),
        ({"disk": -1}, "cannot be had; order 0 to 50"),
        ({"disk": 51}, "cannot be had; order 0 to 50"),
    ],
)
def test_addons_that_cannot_be_had_are_named(house: House, addons: dict[str, int], why: str):
    house.addon(house.products["monthly"], "disk", most=50)
    account = house.account(500_00)
    with pytest.raises(BillingError, match=why):
        ordered(house, account, addons=addons)
    assert not Service.objects.exists()


def test_an_addon_with_choices_is_had_as_they_say(house: House):
    house.addon(house.products["monthly"], "ip", choices=[0, 1, 4])
    account = house.account(500_00)
    with pytest.raises(BillingError, match="ip: 2 is not offered; choose of 0, 1, 4"):
        ordered(house, account, addons={"ip": 2})
    ordered(house, account, addons={"ip": 4})


def test_what_is_missing_is_named_and_nothing_is_left(house: House):
    account = house.account(11_89)
    with pytest.raises(NotEnoughMoneyError, match=r"cannot pay 11.90 EUR") as caught:
        ordered(house, account)
    assert (caught.value.amount, caught.value.have) == (11_90, 11_89)
    assert not Service.objects.exists()
    assert not Charge.objects.exists()
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    ("kind", "limit", "blocked", "can"),
    [
        (Account.Kind.CREDIT, 20_00, False, True),
        (Account.Kind.CREDIT, 11_89, False, False),
        (Account.Kind.CREDIT, 20_00, True, False),
        (Account.Kind.POSTPAID, 0, False, True),
        (Account.Kind.PREPAID, 0, False, False),
    ],
)
def test_a_credit_limit_counts_unless_it_is_blocked(
    house: House, kind: Account.Kind, limit: int, blocked: bool, can: bool
):
    account = house.account(0, kind=kind, limit=limit)
    account.credit_blocked = blocked
    account.save()
    if can:
        ordered(house, account)
        assert balance(account) == -11_90
    else:
        with pytest.raises(NotEnoughMoneyError):
            ordered(house, account)
    assert_books_agree()


def test_the_largest_discount_counts_alone(house: House):
    group = ClientGroup.objects.create(provider=house.provider, name="friends")
    account = house.account(500_00, group=group)
    Discount.objects.create(name="group", group=group, ppm=100_000, valid_from=LONG_AGO)
    Discount.objects.create(name="own", account=account, ppm=300_000, valid_from=LONG_AGO)
    Discount.objects.create(name="over", ppm=900_000, valid_from=LONG_AGO, valid_until=TODAY)
    other = house.type("domains")
    Discount.objects.create(name="elsewhere", type=other, ppm=900_000, valid_from=LONG_AGO)
    service = ordered(house, account)
    (charge,) = live(service)
    assert (charge.list_minor, charge.discount_minor, charge.net_minor) == (10_00, 3_00, 7_00)
    service = orders.renew(service, on=service.paid_until)
    assert live(service)[1].net_minor == 7_00


def test_gross_prices_contain_their_tax(house: House):
    house.company.prices_gross = True
    house.company.save()
    account = house.account(50_00)
    (charge,) = live(ordered(house, account))
    assert (charge.net_minor, charge.tax_minor) == (8_40, 1_60)
    assert balance(account) == 40_00
    assert_books_agree()


def test_a_turned_over_tax_is_not_taken(house: House):
    account = house.account(50_00)
    account.reverse_charge = True
    account.save()
    (charge,) = live(ordered(house, account))
    assert (charge.tax_minor, charge.tax_rate) == (0, None)
    assert Transfer.objects.filter(source=charge.pk, cause__in=(1, 2)).count() == 1


def promo(house: House, **given: object) -> PromoCode:
    facts = {"code": "HELLO", "provider": house.provider, "ppm": 500_000, "valid_from": LONG_AGO}
    return PromoCode.objects.create(**{**facts, **given})


def test_a_promo_code_counts_for_its_periods_and_its_uses(house: House):
    promo(house, periods=2, most_uses=1)
    account = house.account(500_00)
    service = ordered(house, account, promo="HELLO")
    for _ in range(2):
        service = orders.renew(service, on=service.paid_until)
    assert [charge.net_minor for charge in live(service)] == [5_00, 5_00, 10_00]
    assert PromoCode.objects.get().uses == 1
    with pytest.raises(BillingError, match="'HELLO' is used up"):
        ordered(house, account, promo="HELLO")
    assert Service.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"code": "OTHER"}, "there is no promo code 'HELLO'"),
        ({"valid_from": date(2026, 11, 21)}, "does not count on 2026-11-20"),
        ({"valid_until": TODAY}, "does not count on 2026-11-20"),
    ],
)
def test_a_promo_code_that_does_not_count_says_so(house: House, given: dict[str, object], why: str):
    promo(house, **given)
    with pytest.raises(BillingError, match=why):
        ordered(house, house.account(500_00), promo="HELLO")


def test_what_is_not_sold_says_what_is(house: House):
    account = house.account(500_00)
    with pytest.raises(BillingError, match=r"for 2 months.*it has one for 1, 3, 12 months"):
        ordered(house, account, months=2)
    Product.objects.filter(pk=house.products["daily"].pk).update(orderable=False)
    house.products["daily"].refresh_from_db()
    with pytest.raises(BillingError, match="cannot be ordered any more"):
        ordered(house, account, "daily")
    other = House(code="rival")
    with pytest.raises(BillingError, match="not sold by acme"):
        orders.order(account, Wish(other.products["monthly"]), on=TODAY)


def test_a_price_too_large_for_the_books_is_refused(house: House):
    house.product("moon", prices={1: 2**62}, cycle=Cycle.PERIODIC)
    account = house.account(1, kind=Account.Kind.POSTPAID)
    with pytest.raises(BillingError):
        ordered(house, account, "moon", addons={}, months=1)
    assert not Service.objects.exists()


def test_a_renewal_by_hand_before_the_end_adds_a_period(house: House):
    account = house.account(50_00)
    service = house.service(account, paid_until=date(2026, 12, 1))
    service = orders.renew(service, on=TODAY)
    assert service.paid_until == date(2027, 1, 1)
    assert Verdict.objects.get().outcome == Outcome.RENEWED
    assert_books_agree()


def test_a_renewal_by_hand_after_an_unfunded_morning_has_its_own_verdict(house: House):
    account = house.account(0)
    service = house.service(account)
    with pytest.raises(NotEnoughMoneyError, match=r"cannot pay 11.90 EUR: it has 0.00 EUR"):
        orders.renew(service, on=TODAY)
    assert not Verdict.objects.exists()
    Verdict.objects.create(service=service, on=TODAY, outcome=Outcome.UNFUNDED, need_minor=11_90)
    house.pay(account, 12_00)
    orders.renew(service, on=TODAY)
    said = Verdict.objects.order_by("sequence").values_list("outcome", "sequence")
    assert list(said) == [(Outcome.UNFUNDED, 0), (Outcome.RENEWED, 1)]


def test_a_renewal_says_why_it_cannot_be(house: House):
    account = house.account(500_00)
    unpriced = house.service(account, months=7)
    with pytest.raises(BillingError, match="no price in EUR for 7 months"):
        orders.renew(unpriced, on=TODAY)
    held = house.service(account, held_until=date(2027, 1, 1))
    with pytest.raises(BillingError, match="held until 2027-01-01; end the hold first"):
        orders.renew(held, on=TODAY)
    gone = house.service(account, status=Status.DELETED)
    with pytest.raises(BillingError, match="is deleted; order a new one"):
        orders.renew(gone, on=TODAY)
    assert balance(account) == 500_00


def test_an_addon_by_the_hour_costs_its_units_and_hours(house: House):
    product = house.products["hourly"]
    cores = house.addon(product, "cores", over_micro=20_000)
    account = house.account(500_00)
    service = ordered(house, account, "hourly", months=0, addons={"cores": 3})
    service = orders.renew(service, on=service.paid_until)
    costs = [charge.net_minor for charge in live(service) if charge.addon == cores.pk]
    assert costs == [12 * 3 * 2, 24 * 3 * 2]
    assert_books_agree()
