"""Currencies are found by code and number; rates are dated, exact, and never lost."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection

from billclock import clock
from billclock.billing import currencies
from billclock.billing.currencies import Currency, Pair, Rate
from billclock.billing.errors import (
    BillingError,
    FormulaError,
    NoRateError,
    PairError,
    SourceError,
    UnknownCurrencyError,
)
from billclock.billing.rates.judging import Decision, Offer, Verdict

pytestmark = pytest.mark.django_db

USD_EUR = Pair("USD", "EUR")
FRIDAY = date(2026, 11, 20)


def test_the_articles_numbers_are_dollar_and_euro():
    assert currencies.find_pair("153/50") == USD_EUR
    assert currencies.find_pair("USD/EUR") == USD_EUR
    assert currencies.find_pair(" usd / eur ") == USD_EUR


def test_a_currency_knows_its_decimals_and_number():
    dinar = currencies.find("KWD")
    assert (dinar.code, dinar.number, dinar.exponent, dinar.panel_id) == ("KWD", 414, 3, None)
    assert not Currency.objects.exists()


def test_a_number_set_by_hand_finds_its_currency():
    dinar = currencies.find("KWD")
    dinar.panel_id = 77
    dinar.save()
    assert currencies.find_pair("77/EUR") == Pair("KWD", "EUR")


@pytest.mark.parametrize("name", ["XYZ", "XAU", "9999", "", "US", "٣"])
def test_what_is_no_currency_is_told(name: str):
    with pytest.raises(UnknownCurrencyError, match="is no currency; give an ISO code"):
        currencies.find(name)


@pytest.mark.parametrize("text", ["USD", "USD/EUR/RUB", "USD/USD", "153/USD", ""])
def test_what_is_no_pair_is_told(text: str):
    with pytest.raises(PairError, match="give currency/target"):
        currencies.find_pair(text)


def test_the_last_rate_before_a_day_holds_on_it():
    currencies.enter(USD_EUR, FRIDAY, Decimal("0.92"))
    currencies.enter(USD_EUR, date(2026, 11, 23), Decimal("0.93"))
    assert currencies.rate(USD_EUR, date(2026, 11, 22)).value == Decimal("0.92")
    assert currencies.rate(USD_EUR, date(2026, 11, 23)).value == Decimal("0.93")
    with pytest.raises(NoRateError, match="no rate of USD/EUR is known for 2026-11-19"):
        currencies.rate(USD_EUR, date(2026, 11, 19))


def test_a_rate_is_kept_to_the_last_digit_and_as_text():
    exact = Decimal("1234567.89012345678901")
    currencies.enter(USD_EUR, FRIDAY, exact)
    assert currencies.rate(USD_EUR, FRIDAY).value == exact
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM billing_rate")
        assert cursor.fetchone() == ("1234567.89012345678901",)


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity"])
def test_a_rate_that_is_none_cannot_be_entered(value: str):
    with pytest.raises(BillingError, match="not a rate above zero"):
        currencies.enter(USD_EUR, FRIDAY, Decimal(value))
    assert not Rate.objects.exists()


def test_a_replaced_rate_stays_as_it_was():
    with clock.at(datetime(2026, 11, 20, 12, tzinfo=UTC)):
        old = currencies.enter(USD_EUR, FRIDAY, Decimal("0.92"))
        currencies.enter(USD_EUR, FRIDAY, Decimal("0.93"))
    assert currencies.rate(USD_EUR, FRIDAY).value == Decimal("0.93")
    old.refresh_from_db()
    assert (old.value, old.superseded_at) == (
        Decimal("0.92"),
        datetime(2026, 11, 20, 12, tzinfo=UTC),
    )


def test_storing_a_day_twice_stores_it_once():
    offer = Offer(FRIDAY, Decimal("0.92"), Decimal("0.92"))
    new = [Decision(offer, Verdict.NEW, None)]
    assert currencies.store(USD_EUR, new, source="ecb", formula="") == 1
    assert currencies.store(USD_EUR, new, source="ecb", formula="") == 0
    assert Rate.objects.count() == 1


def test_roubles_come_from_moscow_and_all_else_from_frankfurt():
    assert currencies.settings_of(Pair("USD", "RUB")).source == "cbr"
    assert currencies.settings_of(USD_EUR).source == "ecb"


def test_settings_of_a_pair_are_checked_before_they_are_kept():
    with pytest.raises(FormulaError):
        currencies.configure(USD_EUR, source="ecb", formula="times two", guard=20)
    with pytest.raises(SourceError):
        currencies.configure(USD_EUR, source="nowhere", formula="", guard=20)
    currencies.configure(USD_EUR, source="cbr", formula="*1.02", guard=5)
    made = currencies.settings_of(USD_EUR)
    assert (made.source, made.formula, made.guard) == ("cbr", "*1.02", 5)
