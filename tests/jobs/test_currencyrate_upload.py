"""currencyrate.upload: what the sources give is stored once a day, and only if believable."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from billclock import clock
from billclock.billing import currencies
from billclock.billing.currencies import Pair, Rate
from billclock.jobs import registry
from billclock.jobs.report import Exit, Report
from tests.billing.bank import CBR_DAILY, DAILY, FILES, HISTORY, Bank

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

NAME = "currencyrate.upload"
EUR_USD = Pair("EUR", "USD")
FRIDAY, SUNDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 22), date(2026, 11, 23)
FILE = str(FILES / "eurofxref-daily.xml")


@pytest.fixture(autouse=True)
def friday_evening():
    with clock.at(datetime(2026, 11, 20, 18, tzinfo=UTC)):
        yield


def upload(plid: str = "EUR/USD", on: date = FRIDAY, source: str = FILE, **how) -> Report:
    run = {name: how.pop(name) for name in ("dry_run", "confirm", "explain") if name in how}
    options = {"plid": plid, "source": source, **how}
    return registry.perform(NAME, on=on, options=options, **run)


def values(pair: Pair = EUR_USD) -> dict[date, Decimal]:
    return {rate.on: rate.value for rate in Rate.objects.of(pair).current()}


def test_the_articles_pair_is_uploaded_from_a_file():
    report = upload("153/50")
    assert report.exit_code == Exit.DONE
    assert values(Pair("USD", "EUR")) == {FRIDAY: Decimal("0.922339051835")}
    assert "USD/EUR: 1 rate stored from" in report.text()


def test_a_second_run_changes_nothing_and_asks_nobody(banks: Bank):
    banks.files["/daily"] = DAILY
    upload(source=f"{banks.url}/daily")
    before = list(Rate.objects.values())
    again = upload(source=f"{banks.url}/daily")
    assert (again.exit_code, again.done, again.unchanged) == (Exit.DONE, 0, 1)
    assert list(Rate.objects.values()) == before
    assert banks.asked == ["/daily"]


def test_roubles_come_through_the_bank_of_russias_file():
    report = upload("USD/RUB", on=date(2026, 11, 21), source=str(FILES / "XML_daily.xml"))
    assert report.exit_code == Exit.DONE
    assert values(Pair("USD", "RUB")) == {date(2026, 11, 21): Decimal("79.5621")}


def test_missing_days_are_fetched_and_weekends_have_none(banks: Bank):
    banks.files["/eurofxref-hist-90d.xml"] = HISTORY
    currencies.enter(EUR_USD, date(2026, 11, 12), Decimal("1.08"))
    report = upload(source=f"ecb@{banks.url}/")
    assert report.done == 6
    assert sorted(values()) == [date(2026, 11, day) for day in (12, 13, 16, 17, 18, 19, 20)]


def test_on_a_sunday_fridays_rate_still_holds(banks: Bank):
    banks.files |= {"/eurofxref-daily.xml": DAILY, "/eurofxref-hist-90d.xml": HISTORY}
    upload(source=f"ecb@{banks.url}/")
    with clock.at(datetime(2026, 11, 22, 18, tzinfo=UTC)):
        report = upload(on=SUNDAY, source=f"ecb@{banks.url}/")
    assert (report.exit_code, report.done, report.unchanged) == (Exit.DONE, 0, 1)
    assert "nothing new; 1.0842 of 2026-11-20 still holds" in report.text()
    assert currencies.rate(EUR_USD, SUNDAY).on == FRIDAY


def test_the_first_upload_on_a_sunday_takes_fridays_rate():
    assert upload(on=SUNDAY).done == 1
    assert list(values()) == [FRIDAY]


def test_a_formula_is_applied_and_both_figures_are_kept():
    upload(formula="*1.05")
    rate = currencies.rate(EUR_USD, FRIDAY)
    assert (rate.quoted, rate.value, rate.formula) == (
        Decimal("1.0842"),
        Decimal("1.13841"),
        "*1.05",
    )


def test_a_manual_rate_is_only_replaced_when_told_to():
    currencies.enter(EUR_USD, FRIDAY, Decimal("1.1"))
    assert upload().unchanged == 1
    assert values() == {FRIDAY: Decimal("1.1")}
    assert upload(replace="on").done == 1
    assert values() == {FRIDAY: Decimal("1.0842")}
    assert Rate.objects.filter(manual=True).count() == 1


def test_an_absurd_change_leaves_yesterdays_rate_until_it_is_confirmed():
    currencies.enter(EUR_USD, date(2026, 11, 19), Decimal("0.9"))
    report = upload()
    assert report.exit_code == Exit.FAILED
    assert "0.9 -> 1.0842 (+20.47 %)" in report.failed["EUR/USD"]
    assert "--confirm" in report.failed["EUR/USD"]
    assert currencies.rate(EUR_USD, FRIDAY).value == Decimal("0.9")
    assert upload(confirm=True).exit_code == Exit.DONE
    assert currencies.rate(EUR_USD, FRIDAY).value == Decimal("1.0842")


def test_the_guard_is_a_setting_of_the_pair():
    currencies.enter(EUR_USD, date(2026, 11, 19), Decimal("1.02"))
    currencies.configure(EUR_USD, source=FILE, formula="", guard=5)
    assert upload().exit_code == Exit.FAILED
    currencies.configure(EUR_USD, source=FILE, formula="", guard=10)
    assert upload().exit_code == Exit.DONE


def test_a_dry_run_says_what_would_be_stored_and_stores_nothing():
    currencies.enter(EUR_USD, date(2026, 11, 19), Decimal("1.08"))
    report = upload(dry_run=True)
    assert "1 rate would be stored" in report.text()
    assert "2026-11-20: 1.08 -> 1.0842 (+0.39 %)" in report.text()
    assert list(values()) == [date(2026, 11, 19)]


def test_one_pairs_failure_leaves_the_others_alone():
    report = upload("EUR/USD,EUR/KWD,XYZ/USD,GBP/USD")
    assert report.exit_code == Exit.FAILED
    assert set(report.failed) == {"EUR/KWD", "XYZ/USD"}
    assert "no rate of EUR/KWD in it" in report.failed["EUR/KWD"]
    assert report.done == 2


def test_without_a_pair_all_that_have_settings_are_uploaded():
    currencies.configure(EUR_USD, source=FILE, formula="", guard=20)
    currencies.configure(Pair("GBP", "EUR"), source=FILE, formula="*2", guard=20)
    assert registry.perform(NAME, on=FRIDAY).done == 2


def test_without_a_pair_and_without_settings_the_mend_is_told():
    report = registry.perform(NAME, on=FRIDAY)
    assert report.exit_code == Exit.FAILED
    assert "name one, such as plid=153/50" in report.text()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/status/500", "500"),
        ("/page", "no known format of rates, it begins '<html>"),
        ("/future", "only rates of days to come, from 2026-11-20 on"),
        ("/old", "its last rates are of 2026-11-20, 31 days old"),
        ("/zero", "not a rate above zero"),
    ],
)
def test_a_bad_source_fails_loudly_and_leaves_yesterdays_rate(banks: Bank, path: str, said: str):
    yesterday = currencies.enter(EUR_USD, date(2026, 11, 1), Decimal("1.07"))
    banks.files["/page"] = b"<html><body>Under maintenance</body></html>"
    banks.files["/future"] = banks.files["/old"] = DAILY
    banks.files["/zero"] = DAILY.replace(b"'1.0842'", b"'0'")
    on = {"/future": date(2026, 11, 19), "/old": date(2026, 12, 21)}.get(path, FRIDAY)
    report = upload(source=f"{banks.url}{path}", on=on)
    assert report.exit_code == Exit.FAILED
    assert said in report.failed["EUR/USD"]
    assert list(Rate.objects.all()) == [yesterday]


def test_days_to_come_wait_for_their_day(banks: Bank):
    banks.files["/history"] = HISTORY
    upload(source=f"{banks.url}/history", on=date(2026, 11, 18))
    assert list(values()) == [date(2026, 11, 18)]


def test_tomorrows_rates_of_the_bank_of_russia_are_not_todays(banks: Bank):
    banks.files["/daily"] = CBR_DAILY
    report = upload("USD/RUB", source=f"{banks.url}/daily")
    assert "from 2026-11-21 on" in report.failed["USD/RUB"]


def test_a_rate_is_explained_from_what_is_stored():
    upload(formula="*1.05")
    report = upload(explain="EUR/USD", on=SUNDAY)
    assert report.exit_code == Exit.DONE
    assert "on 2026-11-22 holds 1.13841, the rate of 2026-11-20" in report.text()
    assert "published as 1.0842, formula *1.05" in report.text()


def test_the_absence_of_a_rate_is_explained():
    report = upload(explain="EUR/USD")
    assert "no rate of EUR/USD is known for 2026-11-20" in report.text()
    assert "uploaded from ecb" in report.text()
