"""A day's billing: who is renewed, what it costs, what is written of it; on both engines."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import OperationalError, transaction

from billclock.billing import engine as sql
from billclock.billing import ledger, orders, pricing
from billclock.billing.catalog import AddOn, Discount, Price
from billclock.billing.charges import ChargeKind
from billclock.billing.clients import Account, ClientGroup
from billclock.billing.daily import chunks, run
from billclock.billing.daily.due import Scope
from billclock.billing.daily.funding import Renewal, decide
from billclock.billing.errors import BillingError, LimitError
from billclock.billing.invoices import Invoice
from billclock.billing.notifications import Notice
from billclock.billing.progress import JobRun, Parked, Watermark
from billclock.billing.provider import TaxRate
from billclock.billing.services import Outcome, Service, Verdict
from billclock.billing.verdicts import FOR_USE, next_sequence
from tests.billing.company import TODAY, House, assert_books_agree, balance, live, tiles

pytestmark = pytest.mark.usefixtures("engine")


def bill(house: House, on: date = TODAY, **plan: object) -> dict[str, int]:
    return dict(run.bill(house.provider, on, run.Plan(**plan)).counts)


def test_a_due_service_is_charged_taxed_and_paid_for_another_month():
    house = House()
    account = house.account(50_00)
    service = house.service(account)
    bill(house)
    service.refresh_from_db()
    charge = live(service)[-1]
    assert (charge.net_minor, charge.tax_minor) == (10_00, 1_90)
    assert (charge.period_start, charge.period_end) == (TODAY, date(2026, 12, 20))
    assert service.paid_until == date(2026, 12, 20)
    assert balance(account) == 50_00 - 11_90
    verdict = Verdict.objects.get(service=service)
    assert (verdict.outcome, verdict.need_minor, verdict.available_minor) == (1, 11_90, 50_00)
    assert Notice.objects.get(kind="renewed").account_id == account.pk
    assert_books_agree()


def test_what_has_not_ended_is_left_alone():
    house = House()
    service = house.service(house.account(50_00), paid_until=TODAY + timedelta(days=1))
    assert bill(house).get("renewed", 0) == 0
    assert not Verdict.objects.filter(service=service).exists()


def test_a_service_without_money_is_told_of_once_and_stays_due():
    house = House()
    account = house.account(5_00)
    service = house.service(account)
    for day in range(3):
        bill(house, TODAY + timedelta(days=day))
    service.refresh_from_db()
    assert (service.paid_until, service.unfunded_since) == (TODAY, TODAY)
    assert list(Verdict.objects.values_list("outcome", flat=True)) == [Outcome.UNFUNDED] * 3
    assert Notice.objects.filter(kind="not_renewed").count() == 1
    assert balance(account) == 5_00


def test_money_goes_by_priority_and_one_that_is_too_dear_blocks_no_other():
    house = House()
    dear = house.product("dear", {1: 40_00}, type=house.type("first", priority=9))
    account = house.account(25_00)
    services = [house.service(account, dear), house.service(account), house.service(account)]
    bill(house)
    outcomes = [Verdict.objects.get(service=service).outcome for service in services]
    assert outcomes == [Outcome.UNFUNDED, Outcome.RENEWED, Outcome.RENEWED]
    assert balance(account) == 25_00 - 2 * 11_90


def test_deciding_is_greedy_in_the_given_order():
    renewals = [Renewal(1, service, need) for service, need in enumerate((50, 60, 30, 20))]
    assert [refused.service for refused in decide(renewals, 100)] == [1]
    assert [refused.service for refused in decide(renewals, 0)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("kind", "limit", "overdue", "renewed"),
    [
        (Account.Kind.CREDIT, 11_90, False, True),
        (Account.Kind.CREDIT, 11_89, False, False),
        (Account.Kind.CREDIT, 50_00, True, False),
        (Account.Kind.POSTPAID, 0, False, True),
    ],
)
def test_credit_counts_up_to_its_limit_and_not_while_a_debt_is_overdue(
    kind, limit, overdue, renewed
):
    house = House()
    account = house.account(0, kind, limit)
    if overdue:
        Invoice.objects.create(
            key="old", company=house.company, account=account, currency="EUR", number="1",
            state=Invoice.State.ISSUED, due_on=TODAY - timedelta(days=1),
        )  # fmt: skip
    service = house.service(account)
    bill(house)
    assert (Verdict.objects.get(service=service).outcome == Outcome.RENEWED) is renewed
    assert_books_agree()


def test_a_calendar_service_renews_to_the_first():
    house = House()
    service = house.service(house.account(500_00), "calendar", date(2026, 12, 1))
    bill(house, date(2026, 12, 1))
    assert tiles(service)[-1].end == date(2027, 1, 1)
    assert live(service)[-1].net_minor == 30_00


def test_daily_shares_add_up_to_the_month_s_price():
    house = House()
    service = house.service(house.account(500_00), "daily", date(2026, 12, 1))
    for day in range(31):
        bill(house, date(2026, 12, 1) + timedelta(days=day))
    charged = [charge for charge in live(service) if charge.kind == ChargeKind.DAILY]
    assert len(charged) == 31
    assert sum(charge.net_minor for charge in charged) == 30_00
    assert_books_agree()


def test_hours_of_a_day_are_those_of_the_provider_s_clock():
    house = House(zone="Europe/Berlin")
    service = house.service(house.account(500_00), "hourly", date(2027, 3, 27), months=0)
    for day in range(3):
        bill(house, date(2027, 3, 27) + timedelta(days=day))
    hours = [charge.quantity for charge in live(service) if charge.kind == ChargeKind.HOURLY]
    assert hours == [24, 23, 24]
    assert [c.net_minor for c in live(service) if c.kind == ChargeKind.HOURLY] == [24, 23, 24]


def test_a_year_s_price_may_be_recognised_by_months():
    house = House()
    account = house.account(500_00)
    service = house.service(account, "yearly-by-months")
    counts = bill(house)
    charged = [charge for charge in live(service) if charge.on == TODAY]
    assert (counts["renewed"], counts["charges"]) == (1, 12)
    assert {charge.net_minor for charge in charged} == {10_00}
    assert service.__class__.objects.get(pk=service.pk).paid_until == date(2027, 11, 20)
    assert_books_agree()


def test_of_several_discounts_the_largest_counts_alone():
    house = House()
    group = ClientGroup.objects.create(provider=house.provider, name="friends")
    account = house.account(500_00, group=group)
    long_ago = date(2020, 1, 1)
    Discount.objects.create(name="all", ppm=50_000, valid_from=long_ago)
    Discount.objects.create(name="friends", ppm=100_000, group=group, valid_from=long_ago)
    Discount.objects.create(name="own", ppm=200_000, account=account, valid_from=TODAY)
    service = house.service(account, discount_ppm=150_000)
    bill(house)
    charge = live(service)[-1]
    assert (charge.list_minor, charge.discount_minor, charge.net_minor) == (10_00, 2_00, 8_00)


def test_a_discount_of_its_own_ends():
    house = House()
    service = house.service(house.account(500_00), discount_ppm=500_000, discount_until=TODAY)
    bill(house)
    assert live(service)[-1].discount_minor == 0


def test_gross_prices_contain_their_tax_and_reverse_charge_takes_none():
    house = House()
    house.company.prices_gross = True
    house.company.save()
    here, abroad = house.account(500_00), house.account(500_00)
    Account.objects.filter(pk=abroad.pk).update(reverse_charge=True)
    services = [house.service(here), house.service(abroad)]
    bill(house)
    figures = [(live(s)[-1].net_minor, live(s)[-1].tax_minor) for s in services]
    assert figures == [(8_40, 1_60), (10_00, 0)]


def test_a_new_price_holds_for_existing_services_from_its_own_day():
    house = House()
    house.price(house.products["monthly"], 12_00, since=TODAY).delete()
    Price.objects.create(
        product=house.products["monthly"], currency_id="EUR", months=1, amount_minor=12_00,
        valid_from=TODAY, valid_from_existing=TODAY + timedelta(days=30),
    )  # fmt: skip
    service = house.service(house.account(500_00))
    bill(house)
    bill(house, date(2026, 12, 20))
    assert [charge.net_minor for charge in live(service)[1:]] == [10_00, 12_00]


def test_a_price_too_large_for_sql_is_reckoned_in_python():
    house = House(tax_ppm=190_000)
    huge = 5 * 10**15
    product = house.product("huge", {1: huge})
    account = house.account(0, Account.Kind.POSTPAID)
    service = house.service(account, product, discount_ppm=100_001)
    bill(house)
    charge = live(service)[-1]
    assert charge.list_minor == huge
    assert charge.discount_minor == huge * 100_001 // 1_000_000
    assert charge.tax_minor == round((huge - charge.discount_minor) * 19 / 100)
    assert_books_agree()


def test_ordered_add_ons_are_charged_with_the_period_beyond_what_is_included():
    house = House()
    addon = house.addon(house.products["monthly"], unit=2_00, included=1)
    service = house.service(house.account(500_00))
    service.addons.create(addon=addon, quantity=4)
    bill(house)
    charge = service.charges.get(addon=addon.pk)
    assert (charge.quantity, charge.net_minor, charge.kind) == (3, 6_00, ChargeKind.ADDON)
    assert_books_agree()


def test_use_over_what_is_included_is_charged_each_day_and_a_peak_once_a_period():
    house = House()
    product = house.products["monthly"]
    traffic = house.addon(
        product, "traffic", over_micro=500_000, billing=AddOn.Billing.USED, included=10
    )
    disk = house.addon(product, "disk", over_micro=1_000_000, billing=AddOn.Billing.PEAK)
    service = house.service(house.account(500_00))
    service.addons.create(addon=traffic, used=12)
    service.addons.create(addon=disk, used=3, peak=7)
    for day in range(3):
        bill(house, TODAY + timedelta(days=day))
    over = service.charges.filter(kind=ChargeKind.OVERAGE)
    assert [c.net_minor for c in over.filter(addon=traffic.pk)] == [1_00, 1_00, 1_00]
    assert [c.net_minor for c in over.filter(addon=disk.pk)] == [7_00]
    assert service.addons.get(addon=disk).peak == 3
    assert_books_agree()


def test_a_rehearsal_says_what_would_be_and_changes_nothing():
    house = House()
    account = house.account(50_00)
    house.service(account)
    assert bill(house, rehearsal=True)["renewed"] == 1
    assert balance(account) == 50_00
    assert not JobRun.objects.exists()
    assert not Verdict.objects.exists()


def test_a_decision_asked_for_is_numbered_behind_the_runs_and_before_that_on_use():
    house = House()
    traffic = house.addon(
        house.products["monthly"], "traffic", over_micro=500_000, billing=AddOn.Billing.USED
    )
    service = house.service(house.account(50_00))
    service.addons.create(addon=traffic, used=2)
    bill(house)
    assert list(service.verdicts.values_list("sequence", flat=True)) == [0, FOR_USE]
    assert next_sequence([service.pk], TODAY) == 1
    orders.renew(service, on=TODAY)
    assert sorted(service.verdicts.values_list("sequence", flat=True)) == [0, 1, FOR_USE]


def test_a_date_that_is_done_is_done():
    house = House()
    account = house.account(50_00)
    house.service(account)
    bill(house)
    bill(house)
    assert balance(account) == 50_00 - 11_90
    assert Watermark.objects.get().on == TODAY


def test_an_account_that_cannot_be_billed_is_parked_and_the_others_are_not_held_up():
    house = House()
    accounts = [house.account(50_00) for _ in range(8)]
    services = [house.service(account) for account in accounts]
    odd = services[3]
    odd.charges.create(
        account=odd.account, kind=1, period_start=TODAY, period_end=TODAY, list_minor=0,
        net_minor=0, on=TODAY,
    )  # fmt: skip
    counts = bill(house)
    assert (counts["renewed"], counts["parked"]) == (7, 1)
    assert Parked.objects.get().account_id == odd.account_id
    assert balance(odd.account) == 50_00


def test_a_held_service_and_one_that_nobody_renews_are_not_charged():
    house = House()
    held = house.service(house.account(50_00), held_until=TODAY + timedelta(days=5))
    let_go = house.service(house.account(50_00), auto_renew=False)
    bill(house)
    assert not held.verdicts.exists()
    assert let_go.verdicts.get().outcome == Outcome.NO_AUTO_RENEWAL


def test_a_product_without_a_price_is_said_to_have_none():
    house = House()
    service = house.service(house.account(50_00), months=3)
    Price.objects.filter(months=3).delete()
    bill(house)
    assert service.verdicts.get().outcome == Outcome.NOT_PRICED


def test_what_costs_nothing_is_renewed_though_its_account_owes():
    house = House()
    free = house.product("free", {1: 0})
    account = house.account()
    house.pay(account, -5_00)
    services = [house.service(account), house.service(account, free)]
    counts = bill(house)
    assert (counts["renewed"], counts["unfunded"]) == (1, 1)
    outcomes = [Verdict.objects.get(service=service).outcome for service in services]
    assert outcomes == [Outcome.UNFUNDED, Outcome.RENEWED]
    assert balance(account) == -5_00
    alone = house.account()
    house.pay(alone, -1)
    house.service(alone, free)
    assert bill(house, TODAY)["unfunded"] == 1  # the one before; the free one is renewed


def test_what_was_switched_off_before_its_account_was_locked_is_not_renewed():
    house = House()
    account = house.account(50_00)
    wanted, off = house.service(account), house.service(account, auto_renew=False)
    pricing.lay_out(house.provider, TODAY)
    scope = Scope(house.provider, TODAY, account.pk, account.pk, (wanted.pk, off.pk))
    assert chunks.charge(scope, None).counts["renewed"] == 1
    off.refresh_from_db()
    assert off.paid_until == TODAY


def test_a_service_behind_by_several_periods_catches_up_at_once():
    house = House()
    service = house.service(house.account(500_00), paid_until=date(2026, 8, 31))
    Service.objects.filter(pk=service.pk).update(anchor_day=31)
    bill(house)
    ends = [period.end for period in tiles(service)]
    assert ends == [date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31), date(2026, 11, 30)]
    assert_books_agree()


def test_currencies_without_and_with_three_decimals():
    for currency in ("JPY", "KWD"):
        house = House(code=currency.lower(), currency=currency)
        service = house.service(house.account(500_00))
        bill(house)
        assert live(service)[-1].total_minor == 11_90
        assert ledger.account(ledger.Kind.TAX, f"{house.company.code}/DE", currency).pk


@pytest.mark.parametrize(("amount", "stops"), [(100_00, True), (0, True), (25_00, False)])
def test_a_price_beyond_belief_stops_the_run_until_somebody_allows_it(amount, stops):
    house = House()
    for _ in range(12):
        house.service(house.account(5000_00))
    house.price(house.products["monthly"], amount, since=TODAY)
    if stops:
        with pytest.raises(LimitError, match="beyond belief"):
            bill(house)
        assert not Verdict.objects.exists()
    assert bill(house, confirmed=True)["renewed"] == 12


def test_a_price_entered_late_for_days_that_were_billed_is_still_compared():
    house = House()
    for _ in range(12):
        house.service(house.account(5000_00))
    bill(house, TODAY - timedelta(days=1))
    house.price(house.products["monthly"], 100_00, since=TODAY - timedelta(days=9))
    with pytest.raises(LimitError, match="beyond belief"):
        bill(house)


def test_a_tax_rate_beyond_belief_stops_the_run():
    house = House()
    house.service(house.account(50_00))
    TaxRate.objects.create(area="DE", ppm=1_900_000, valid_from=TODAY)
    with pytest.raises(LimitError, match="tax of DE"):
        bill(house)


def test_sqlite_refuses_several_workers(engine):
    if engine == "sqlite":
        with pytest.raises(BillingError, match="2 workers cannot bill on SQLite"):
            bill(House(), workers=2)


def test_prices_that_another_session_laid_out_are_not_billed_by(engine):
    """As PgBouncer gives one client's session to the next one, transaction by transaction."""
    if engine == "sqlite":
        return
    house = House()
    service = house.service(house.account(50_00))
    pricing.lay_out(house.provider, TODAY)
    scope = Scope(house.provider, TODAY, service.account_id, service.account_id)
    for tampering in ("UPDATE session_stamp SET mark = 'theirs'", "DROP TABLE session_stamp"):
        sql.execute(tampering)
        with pytest.raises(OperationalError, match="another session"), transaction.atomic():
            chunks.charge(scope, None)
    assert not service.verdicts.exists()
