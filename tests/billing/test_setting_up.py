"""A company set up by acts: what is kept, what is refused and at which field."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from billclock import clock
from billclock.billing import founding, orders, price_lists, progress, rebates, stocking
from billclock.billing.catalog import AddOn, Cycle, Discount, Price, PromoCode
from billclock.billing.clients import Account
from billclock.billing.currencies import Currency
from billclock.billing.errors import BillingError, DetailsError, PluginSettingsError
from billclock.billing.orders import Wish
from billclock.billing.price_lists import Figures, Place
from billclock.billing.provider import Closing, Provider, TaxRate
from tests.billing.company import TODAY, House

pytestmark = pytest.mark.django_db
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def noon():
    with clock.at(datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC)):
        yield


def details(**other: Any) -> dict[str, Any]:
    return {"code": "north", "name": "North", "currency": "EUR", **other}


def faults(error: pytest.ExceptionInfo[DetailsError]) -> list[str]:
    return sorted(error.value.faults)


def test_a_provider_takes_its_currency_up() -> None:
    made = founding.open_provider(**details(currency="kwd", zone="Asia/Tokyo", language="ru"))
    assert (made.currency_id, made.zone, made.grace_days) == ("KWD", "Asia/Tokyo", 3)
    assert Currency.objects.get().exponent == 3


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"currency": "XYZ"}, "currency"),
        ({"zone": "Europe/Berlim"}, "zone"),
        ({"language": "tlh"}, "language"),
        ({"low_money_days": [400]}, "low_money_days"),
        ({"holidays": ["2027-02-30"]}, "holidays"),
        ({"quiet_from": datetime(2026, 1, 1, 22).time()}, "quiet_until"),
        ({"most_suspended_ppm": 1_000_001}, "most_suspended_ppm"),
        ({"code": "not a slug"}, "code"),
        ({"code": "x" * 41}, "code"),
        ({"name": ""}, "name"),
        ({"notice_email": "nobody"}, "notice_email"),
    ],
)
def test_what_is_wrong_with_a_provider_is_told_by_field(wrong: Any, field: str) -> None:
    with pytest.raises(DetailsError) as refused:
        founding.open_provider(**details(**wrong))
    assert faults(refused) == [field]
    assert not Provider.objects.exists()
    assert not Currency.objects.exists()


def test_a_near_zone_is_proposed_and_a_taken_code_refused() -> None:
    founding.open_provider(**details())
    with pytest.raises(DetailsError, match="Europe/Berlin"):
        founding.open_provider(**details(code="south", zone="Europe/Berlim"))
    with pytest.raises(DetailsError, match="Another one has this"):
        founding.open_provider(**details())


def test_a_provider_with_accounts_keeps_its_currency() -> None:
    house = House()
    changed = founding.change_provider(house.provider, currency="USD")
    assert changed.currency_id == "USD"
    house.account()
    with pytest.raises(DetailsError) as refused:
        founding.change_provider(house.provider, currency="EUR")
    assert faults(refused) == ["currency"]


def test_a_company_has_numbers_banks_can_read() -> None:
    provider = founding.open_provider(**details())
    facts = {"code": "n", "name": "North GmbH", "country": "DE", "closing": Closing.PAID}
    bank = {"iban": "DE02120300000000202051", "bic": "BYLADEM1001"}
    assert founding.open_company(provider, **facts, bank=bank).bank == bank
    wrong = {"code": "m", "country": "QX", "number_template": "{year}", "closing": "soon",
             "bank": {"iban": "DE02120300000000202052", "bic": "BY"}}  # fmt: skip
    with pytest.raises(DetailsError) as refused:
        founding.open_company(provider, **{**facts, **wrong})
    assert faults(refused) == ["bic", "closing", "country", "iban", "number_template"]


def test_prices_do_not_come_to_contain_the_tax_once_they_are_billed() -> None:
    house = House()
    assert founding.change_company(house.company, prices_gross=True).prices_gross
    house.service(house.account())
    with pytest.raises(DetailsError) as refused:
        founding.change_company(house.company, prices_gross=False)
    assert faults(refused) == ["prices_gross"]


def test_a_tax_changes_from_a_day_on_that_is_not_charged_yet() -> None:
    house = House()
    account = house.account(100_00)
    Account.objects.update(tax_area="DE")
    orders.order(account, Wish(house.products["monthly"]), on=TODAY)
    with pytest.raises(DetailsError, match="choose a day behind it"):
        founding.set_tax("DE", ppm=200_000, valid_from=TODAY)
    founding.set_tax("DE", ppm=200_000, valid_from=TOMORROW)
    founding.set_tax("FR", ppm=200_000, valid_from=date(2020, 1, 1))
    assert TaxRate.objects.valid(TOMORROW).get(area="DE").ppm == 200_000
    with pytest.raises(BillingError, match="in charges already"):
        founding.take_back_tax(TaxRate.objects.get(area="DE", ppm=190_000))
    founding.take_back_tax(TaxRate.objects.get(area="DE", ppm=200_000))
    assert TaxRate.objects.valid(TOMORROW).get(area="DE").ppm == 190_000


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"area": "Germany"}, "area"),
        ({"ppm": 1_000_001}, "ppm"),
        ({"valid_from": date(1, 1, 1)}, "valid_from"),
        ({"valid_from": date(9999, 12, 31)}, "valid_from"),
    ],
)
def test_an_odd_tax_is_refused(wrong: Any, field: str) -> None:
    with pytest.raises(DetailsError) as refused:
        founding.set_tax(**{"area": "DE", "ppm": 190_000, "valid_from": TODAY, **wrong})
    assert faults(refused) == [field]


def test_a_module_has_the_settings_of_its_plugin() -> None:
    made = stocking.add_module("simulated", {"faults": "calm"}, code="panel")
    assert made.settings == {"seed": "1", "faults": "calm"}
    with pytest.raises(PluginSettingsError) as refused:
        stocking.change_module(made, {"faults": "wild"}, code="panel")
    assert list(refused.value.faults) == ["faults"]
    with pytest.raises(DetailsError, match="manual"):
        stocking.add_module("none", {}, code="other")


def test_a_product_with_services_keeps_how_it_is_billed() -> None:
    house, other = House(), House(code="other", tax_ppm=0)
    sold = house.products["monthly"]
    stocking.change_product(sold, name="Web", grace_days=5)
    with pytest.raises(DetailsError) as refused:
        stocking.change_product(sold, company=other.company, prorata_day=40)
    assert faults(refused) == ["company", "prorata_day"]
    house.service(house.account(), sold)
    with pytest.raises(DetailsError) as refused:
        stocking.change_product(sold, cycle=Cycle.DAILY)
    assert faults(refused) == ["cycle"]
    stocking.offer(sold, orderable=False)
    sold.refresh_from_db()
    assert (sold.name, sold.grace_days, sold.orderable) == ("Web", 5, False)


def test_an_addon_has_numbers_to_choose_from_within_its_limits() -> None:
    sold = House().products["monthly"]
    facts: dict[str, Any] = {"code": "ip", "name": "IP", "billing": AddOn.Billing.ORDERED}
    made = stocking.add_addon(sold, **facts, included=1, most=8, choices=[1, 4, 8])
    with pytest.raises(DetailsError) as refused:
        stocking.change_addon(made, billing=AddOn.Billing.ORDERED, included=1, most=4,
                              choices=[1, 8])  # fmt: skip
    assert faults(refused) == ["choices"]
    with pytest.raises(DetailsError, match="There is one like this"):
        stocking.add_addon(sold, **facts)
    with pytest.raises(DetailsError) as refused:
        stocking.add_addon(sold, code="x", name="x", billing=AddOn.Billing.USED, included=-1,
                           most=-2, choices=[1])  # fmt: skip
    assert faults(refused) == ["choices", "included", "most"]


def place(house: House, product: str = "monthly", months: int = 1, **other: Any) -> Place:
    return Place(house.products[product], other.pop("currency", "EUR"), months, **other)


def test_a_new_price_counts_for_orders_at_once_and_later_for_those_there_are() -> None:
    house = House()
    later = TODAY + timedelta(days=60)
    made = price_lists.set_price(
        place(house), Figures(12_00), valid_from=TODAY, valid_from_existing=later
    )
    mine = Price.objects.filter(product=made.product, months=1)
    assert mine.valid(TODAY, renewal=False).get().amount_minor == 12_00
    assert mine.valid(TODAY).get().amount_minor == 10_00
    assert mine.valid(later).get().amount_minor == 12_00


def test_a_first_price_may_be_valid_from_long_ago_and_takes_its_currency_up() -> None:
    house = House()
    price_lists.set_price(place(house, currency="JPY"), Figures(1500), valid_from=date(2020, 1, 1))
    assert Currency.objects.filter(code="JPY").exists()


def test_no_price_reaches_back_to_what_is_billed() -> None:
    house = House()
    where = place(house)
    with pytest.raises(DetailsError) as refused:
        price_lists.set_price(where, Figures(11_00), valid_from=TODAY - timedelta(days=1))
    assert faults(refused) == ["valid_from"]
    run = progress.begin("billdaily", house.provider, TODAY)
    progress.finish(run, {})
    with pytest.raises(DetailsError) as refused:
        price_lists.set_price(where, Figures(11_00), valid_from=TODAY)
    assert faults(refused) == ["valid_from_existing"]
    price_lists.set_price(where, Figures(11_00), valid_from=TODAY, valid_from_existing=TOMORROW)


def test_a_price_is_not_overtaken_by_an_older_one() -> None:
    where = place(House())
    far = TODAY + timedelta(days=90)
    first = price_lists.set_price(
        where, Figures(12_00), valid_from=TOMORROW, valid_from_existing=far
    )
    for days in (2, 1):
        with pytest.raises(DetailsError):
            price_lists.set_price(
                where, Figures(13_00), valid_from=TODAY + timedelta(days=days),
                valid_from_existing=far - timedelta(days=1),
            )  # fmt: skip
    with pytest.raises(DetailsError) as refused:
        price_lists.set_price(where, Figures(9_00), valid_from=TODAY,
                              valid_from_existing=far + timedelta(days=1))  # fmt: skip
    assert faults(refused) == ["valid_from_existing"]
    price_lists.take_back(first)
    price_lists.set_price(where, Figures(13_00), valid_from=TODAY, valid_from_existing=far)


def test_a_price_by_which_something_was_charged_stays() -> None:
    house = House()
    orders.order(house.account(100_00), Wish(house.products["monthly"]), on=TODAY)
    with pytest.raises(BillingError, match="charged by this price already"):
        price_lists.take_back(house.products["monthly"].prices.get(months=1))


def test_a_price_beyond_belief_has_to_be_meant() -> None:
    where = place(House())
    with pytest.raises(DetailsError) as refused:
        price_lists.set_price(where, Figures(1000_00), valid_from=TOMORROW)
    assert faults(refused) == ["meant"]
    price_lists.set_price(where, Figures(1000_00), valid_from=TOMORROW, meant=True)


@pytest.mark.parametrize(
    ("product", "months", "figures", "field"),
    [
        ("hourly", 1, Figures(unit_micro=1), "months"),
        ("hourly", 0, Figures(1), "amount_minor"),
        ("daily", 3, Figures(1), "months"),
        ("monthly", 0, Figures(1), "months"),
        ("monthly", 121, Figures(1), "months"),
        ("monthly", 1, Figures(10_00, unit_micro=5), "unit_micro"),
        ("monthly", 1, Figures(-1), "amount_minor"),
        ("monthly", 1, Figures(2**63), "amount_minor"),
    ],
)
def test_a_price_has_the_figures_of_its_cycle(
    product: str, months: int, figures: Figures, field: str
) -> None:
    house = House()
    with pytest.raises(DetailsError) as refused:
        price_lists.set_price(place(house, product, months), figures, valid_from=TOMORROW)
    assert faults(refused) == [field]


def test_addons_are_priced_by_their_kind() -> None:
    house = House()
    sold = house.products["monthly"]
    kinds = {kind: stocking.add_addon(sold, code=kind.name, name=kind.name, billing=kind)
             for kind in AddOn.Billing}  # fmt: skip
    for kind, addon in kinds.items():
        where = place(house, addon=addon)
        measured = kind in stocking.MEASURED
        right = Figures(unit_micro=5) if measured else Figures(5, setup_minor=1)
        wrong = Figures(5, setup_minor=1) if measured else Figures(unit_micro=5)
        with pytest.raises(DetailsError):
            price_lists.set_price(where, wrong, valid_from=TODAY)
        if kind == AddOn.Billing.FREE:
            with pytest.raises(DetailsError, match="free"):
                price_lists.set_price(where, right, valid_from=TODAY)
        else:
            price_lists.set_price(where, right, valid_from=TODAY)
    other = place(house, "daily", addon=kinds[AddOn.Billing.ONCE])
    with pytest.raises(DetailsError, match="another product"):
        price_lists.set_price(other, Figures(5), valid_from=TODAY)


def test_a_discount_begins_today_at_the_earliest_and_only_its_end_changes() -> None:
    account = House().account()
    facts: dict[str, Any] = {"name": "Friends", "account": account, "ppm": 100_000}
    made = rebates.give_discount(**facts, valid_from=TODAY)
    with pytest.raises(DetailsError) as refused:
        rebates.give_discount(**{**facts, "ppm": 0}, valid_from=TODAY - timedelta(days=1),
                              valid_until=TODAY - timedelta(days=1))  # fmt: skip
    assert faults(refused) == ["ppm", "valid_from", "valid_until"]
    rebates.change_discount(made, name="Best friends", valid_until=TOMORROW)
    with pytest.raises(BillingError, match="has begun"):
        rebates.take_back_discount(made)
    with clock.at(datetime(2027, 6, 1, tzinfo=UTC)), pytest.raises(DetailsError):
        rebates.change_discount(made, name="Best friends", valid_until=None)
    later = rebates.give_discount(**facts, valid_from=TOMORROW)
    rebates.take_back_discount(later)
    assert Discount.objects.get().name == "Best friends"


def test_a_promo_code_is_not_offered_less_often_than_it_was_used() -> None:
    provider = House().provider
    facts: dict[str, Any] = {"ppm": 500_000, "valid_from": TODAY}
    made = rebates.offer_code(provider, code="SPRING", periods=2, most_uses=5, **facts)
    PromoCode.objects.update(uses=4)
    with pytest.raises(DetailsError) as refused:
        rebates.change_code(made, most_uses=3, **facts)
    assert faults(refused) == ["most_uses"]
    with pytest.raises(DetailsError) as refused:
        rebates.offer_code(provider, code="A B", periods=0, **{**facts, "ppm": 1_000_001})
    assert faults(refused) == ["code", "periods", "ppm"]
