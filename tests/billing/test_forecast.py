"""How long money lasts: by hand, by set, and the rules of top-ups."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billclock import clock
from billclock.billing import forecast
from billclock.billing.catalog import AddOn, Cycle, Discount
from billclock.billing.clients import Account, Client
from billclock.billing.forecast import Coming, TopUp, crossed, money_ends, top_up
from billclock.billing.ledger import Cause, Kind, Transfer
from billclock.billing.ledger import account as ledger_account
from billclock.billing.payments import PaymentMethod, StoredMethod
from billclock.billing.services import Reason, ServiceAddOn, Status
from tests.billing.shop import LONG_AGO, Shop

ON = date(2027, 3, 1)
DAY = timedelta(days=1)


# on values


def test_money_ends_with_the_first_charge_it_does_not_cover():
    coming = [Coming(ON + 3 * DAY, 60), Coming(ON + 9 * DAY, 60)]
    assert money_ends(119, coming, ON) == ON + 9 * DAY
    assert money_ends(120, coming, ON) is None
    assert money_ends(59, coming, ON) == ON + 3 * DAY


def test_what_was_due_before_counts_today():
    assert money_ends(5, [Coming(ON - 40 * DAY, 6)], ON) == ON


def test_daily_charges_add_up_from_their_day_on():
    coming = [Coming(ON + 2 * DAY, 10, daily=True), Coming(ON + 4 * DAY, 5)]
    assert money_ends(20, coming, ON) == ON + 4 * DAY
    assert money_ends(24, coming, ON) == ON + 4 * DAY
    assert money_ends(35, coming, ON) == ON + 5 * DAY


def test_money_without_charges_does_not_end():
    assert money_ends(0, [], ON) is None
    assert money_ends(0, [Coming(ON, 0)], ON) is None
    assert money_ends(0, [Coming(forecast.horizon(ON), 1)], ON) is None


charges = st.builds(
    Coming,
    st.integers(-5, 40).map(lambda n: ON + n * DAY),
    st.integers(0, 50),
    st.booleans(),
)


@given(st.integers(-50, 500), st.lists(charges, max_size=8))
def test_money_ends_as_day_by_day_subtraction_says(spendable, coming):
    left, expected = spendable, None
    for day in (ON + n * DAY for n in range((forecast.horizon(ON) - ON).days)):
        left -= sum(
            c.amount for c in coming if (max(c.on, ON) <= day if c.daily else max(c.on, ON) == day)
        )
        if left < 0:
            expected = day
            break
    assert money_ends(spendable, coming, ON) == expected


@given(st.integers(0, 500), st.lists(charges, max_size=8), st.integers(1, 100))
def test_more_money_never_ends_sooner(spendable, coming, more):
    now, then = (money_ends(money, coming, ON) for money in (spendable, spendable + more))
    assert then is None or (now is not None and now <= then)


@pytest.mark.parametrize(
    ("days", "expected"),
    [(11, None), (10, (10, [])), (7, (10, [])), (5, (5, [10])), (0, (0, [1, 5, 10]))],
)
def test_thresholds_are_crossed_not_met(days, expected):
    assert crossed(days, [10, 5, 1, 0]) == expected


def test_without_thresholds_nothing_is_crossed():
    assert crossed(0, []) is None


@pytest.mark.parametrize(
    ("missing", "taken", "most", "least", "expected"),
    [
        (140, 0, None, 0, 140),  # service 150, balance 10: the panel's example
        (140, 9999, None, 0, 140),
        (140, 0, 500, 200, 200),
        (140, 360, 500, 0, 140),
        (140, 361, 500, 0, 139),
        (140, 400, 500, 100, 100),
        (140, 401, 500, 100, 0),
        (140, 500, 500, 0, 0),
        (140, 700, 500, 0, 0),
        (50, 0, 150, 200, 0),
        (140, 0, 0, 0, 0),
    ],
)
def test_top_ups_keep_to_limit_and_least_amount(missing, taken, most, least, expected):
    answer = top_up(missing, taken=taken, most=most, least=least)
    assert answer.amount == expected
    assert bool(answer.why_not) == (expected == 0)


@given(*(st.integers(0, 10**6) for _ in range(4)))
def test_a_top_up_never_breaks_its_bounds(missing, taken, most, least):
    answer = top_up(missing, taken=taken, most=most, least=least)
    assert answer == TopUp(0, answer.why_not) or least <= answer.amount <= most - taken
    assert top_up(missing, taken=taken, most=None, least=least).amount >= missing


@pytest.mark.parametrize(
    ("on", "first"),
    [
        (date(2027, 5, 23), date(2027, 4, 24)),  # the panel's example
        (date(2027, 3, 31), date(2027, 3, 1)),
        (date(2027, 1, 1), date(2026, 12, 2)),
    ],
)
def test_the_month_of_a_limit_slides(on, first):
    assert forecast.month_back(on) == first


# by set


@pytest.fixture
def shop(engine: str) -> Shop:
    with clock.at(datetime(2027, 3, 1, 1, tzinfo=UTC)):
        return Shop()


def short(shop: Shop, on: date = ON, **how) -> dict[int, tuple[date, int]]:
    found = forecast.short(shop.provider, on, **how)
    return {outlook.account: (outlook.ends_on, outlook.missing) for outlook in found}


def test_who_can_pay_the_month_is_left_alone(shop: Shop):
    product = shop.sold(1000)
    for balance in (999, 1000, 1001):
        shop.service(shop.account(balance=balance), product, ON + 5 * DAY)
    (account,) = Account.objects.filter(funds__balance_minor=999)
    assert short(shop) == {account.pk: (ON + 5 * DAY, 1)}


def test_what_ends_after_the_month_does_not_count(shop: Shop):
    account, product = shop.account(), shop.sold(1000)
    shop.service(account, product, date(2027, 4, 1))
    assert short(shop) == {}
    shop.service(account, product, date(2027, 3, 31))
    assert short(shop) == {account.pk: (date(2027, 3, 31), 1000)}


def test_services_of_an_account_add_up_in_the_order_of_their_dates(shop: Shop):
    account = shop.account(balance=1500)
    shop.service(account, shop.sold(1000), ON + 9 * DAY)
    shop.service(account, shop.sold(700), ON + 4 * DAY)
    assert short(shop) == {account.pk: (ON + 9 * DAY, 200)}


def test_daily_and_hourly_services_count_each_day(shop: Shop):
    daily, hourly = shop.account(balance=300), shop.account(balance=300)
    shop.service(daily, shop.sold(3100, cycle=Cycle.DAILY), ON)
    shop.service(hourly, shop.sold(50_000, cycle=Cycle.HOURLY), ON)  # 1.20 a day
    assert short(shop) == {
        daily.pk: (ON + 3 * DAY, 3100 - 300),
        hourly.pk: (ON + 2 * DAY, 31 * 120 - 300),
    }


@pytest.mark.parametrize(
    "given",
    [
        {"auto_renew": False},
        {"status": Status.DELETED},
        {"status": Status.ORDERED},
        {"stopped_for": Reason.MONEY, "status": Status.STOPPED},
        {"held_until": date(2028, 1, 1)},
    ],
)
def test_what_billing_would_not_renew_does_not_count(shop: Shop, given: dict):
    shop.service(shop.account(), shop.sold(1000), ON, **given)
    assert short(shop) == {}


def test_what_a_stored_method_pays_does_not_count(shop: Shop):
    account = shop.account()
    method = PaymentMethod.objects.create(
        code="card", name="Card", plugin="simulated", provider=shop.provider, currency_id="EUR"
    )
    stored = StoredMethod.objects.create(
        client=account.client, method=method, state=StoredMethod.State.USABLE, setup_key="k",
        changed_at=datetime(2027, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    shop.service(account, shop.sold(1000), ON, stored_method=stored)
    assert short(shop) == {}


def test_discounts_taxes_and_add_ons_count_as_billing_counts_them(shop: Shop):
    product = shop.sold(1000)
    extra = AddOn.objects.create(product=product, code="ip", name="IP", included=1)
    shop.price(product, 200, addon=extra.pk)
    account = shop.account()
    service = shop.service(account, product, ON)
    ServiceAddOn.objects.create(service=service, addon=extra, quantity=3)
    Discount.objects.create(name="d", ppm=100_000, valid_from=LONG_AGO, type=shop.type)
    assert short(shop) == {account.pk: (ON, 900 + 360)}


def test_a_credit_limit_is_money_too_unless_it_is_blocked(shop: Shop):
    product = shop.sold(1000)
    open_one, blocked = (shop.account(kind=Account.Kind.CREDIT, limit=1000) for _ in range(2))
    postpaid = shop.account(kind=Account.Kind.POSTPAID)
    Account.objects.filter(pk=blocked.pk).update(credit_blocked=True)
    for account in (open_one, blocked, postpaid):
        shop.service(account, product, ON)
    assert short(shop) == {blocked.pk: (ON, 1000)}


def test_another_providers_accounts_are_not_looked_at(shop: Shop):
    other = Shop("other")
    account = other.account()
    other.service(account, other.sold(1000), ON)
    assert short(shop) == {}
    assert short(other) == {account.pk: (ON, 1000)}


@pytest.mark.parametrize("chunk", [1, 2, 7, 1000])
def test_the_size_of_chunks_does_not_matter(shop: Shop, chunk: int):
    product = shop.sold(1000)
    accounts = [shop.account(balance=n * 500) for n in range(6)]
    for n, account in enumerate(accounts):
        for k in range(1 + n % 3):
            shop.service(account, product, ON + (3 * n + k) * DAY)
    assert short(shop, chunk=chunk) == short(shop, chunk=10**6)
    assert len(short(shop)) > 2


def test_an_account_alone_is_seen_as_in_the_set(shop: Shop):
    account = shop.account(balance=300)
    periodic = shop.service(account, shop.sold(1000), ON + 4 * DAY)
    daily = shop.service(account, shop.sold(3100, cycle=Cycle.DAILY), ON)
    coming = forecast.of_account(account, ON)
    assert coming == [
        (daily.pk, Coming(ON, 100, daily=True)),
        (periodic.pk, Coming(ON + 4 * DAY, 1000)),
    ]
    (outlook,) = forecast.short(shop.provider, ON)
    assert forecast.outlook(account, ON) == outlook
    assert outlook.ends_on == money_ends(300, [charge for _, charge in coming], ON)


def test_a_forecast_is_since_money_last_came(shop: Shop):
    account = shop.account()
    Client.objects.update(registered_on=date(2027, 1, 15))
    shop.service(account, shop.sold(1000), ON)
    assert [outlook.since for outlook in forecast.short(shop.provider, ON)] == [date(2027, 1, 15)]
    clearing = ledger_account(Kind.CLEARING, "card", "EUR")
    for day, cause in ((7, Cause.PAYMENT), (9, Cause.CHARGE)):
        debit, credit = clearing, account.funds
        if cause == Cause.CHARGE:
            debit, credit = account.funds, clearing
        Transfer.objects.create(
            debit=debit, credit=credit, amount_minor=1, currency="EUR", on=date(2027, 2, day),
            cause=cause, source=day, posted_at=datetime(2027, 2, day, tzinfo=UTC),
        )  # fmt: skip
    assert [outlook.since for outlook in forecast.short(shop.provider, ON)] == [date(2027, 2, 7)]


def test_credit_is_near_its_limit_at_a_fifth(shop: Shop):
    accounts = [
        shop.account(kind=Account.Kind.CREDIT, limit=1000, balance=balance)
        for balance in (0, -799, -800, -1000, -1200)
    ]
    shop.account(balance=-5)
    shop.account(kind=Account.Kind.POSTPAID, balance=-5)
    found = {owing.account: owing.left for owing in forecast.owing(shop.provider, ON)}
    assert found == {accounts[2].pk: 200, accounts[3].pk: 0, accounts[4].pk: -200}
