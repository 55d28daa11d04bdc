"""Currencies, pairs and rates on the screen: taken up, set, entered by hand, uploaded, drawn."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from billclock import clock
from billclock.accounts.models import AuditRow, Role
from billclock.billing import currencies
from billclock.billing.currencies import Currency, Pair, Rate, RatePair
from billclock.web.kit import chart
from tests.billing.bank import FILES
from tests.web.conftest import proven

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]

USD_EUR = Pair("USD", "EUR")
FRIDAY = date(2026, 11, 20)
FILE = str(FILES / "eurofxref-daily.xml")


@pytest.fixture(autouse=True)
def friday_evening():
    with clock.at(datetime(2026, 11, 20, 18, tzinfo=UTC)):
        yield


@pytest.fixture
def browser(signed_in: SignedIn) -> Client:
    """A root user who has just shown who he is."""
    return proven(signed_in())


@pytest.fixture
def known() -> RatePair:
    """Dollars in euros from the file of the European Central Bank, with rates of two weeks."""
    for day in range(14):
        on = FRIDAY - timedelta(days=day + 1)
        currencies.enter(USD_EUR, on, Decimal("0.92") + Decimal(day) / 1000)
    return currencies.configure(USD_EUR, source=FILE, formula="", guard=20)


def texts(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_a_currency_of_the_standard_is_taken_up(browser: Client) -> None:
    answer = browser.post("/currencies/new", {"code": "kwd", "symbol": "", "panel_id": "77"})
    assert answer.headers["Location"] == "/currencies/KWD"
    made = Currency.objects.get()
    assert (made.exponent, made.number, made.panel_id, made.symbol) == (3, 414, 77, "KWD")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"code": "XYZ"}, "code"),
        ({"code": "KWD", "panel_id": "50"}, "panel_id"),
        ({"code": "KWD", "panel_id": "0"}, "panel_id"),
        ({"code": ""}, "code"),
        ({"code": "EUR"}, "__all__"),
    ],
)
def test_what_is_wrong_with_a_currency_is_said_at_its_field(
    browser: Client, typed: dict[str, str], field: str
) -> None:
    currencies.take_up("EUR")
    answer = browser.post("/currencies/new", typed)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert Currency.objects.count() == 1


def test_a_currency_is_used_no_longer_and_again(browser: Client) -> None:
    currencies.take_up("EUR")
    browser.post("/currencies/act", {"act": "leave", "entry": ["EUR"], "confirmed": "yes"})
    assert not Currency.objects.get().active
    again = browser.post("/currencies/act", {"act": "leave", "entry": ["EUR"], "confirmed": "1"},
                         follow=True)  # fmt: skip
    assert texts(again)[-1] == "EUR: It is not in use."
    browser.post("/currencies/act", {"one": "use:EUR"})
    assert Currency.objects.get().active


def test_a_currencys_page_has_its_pairs_rates_and_a_drawing(
    browser: Client, known: RatePair
) -> None:
    page = browser.get("/currencies/EUR").content.decode()
    assert "Euro" in page
    assert f'href="/rate-pairs/{known.pk}"' in page
    assert "USD/EUR: 14 rates, lowest 0.92, highest 0.933, last 0.92" in page
    assert browser.get("/currencies/USD", headers={"accept-language": "ru"}).status_code == 200


def test_a_currency_without_rates_has_no_drawing_and_says_what_to_do(browser: Client) -> None:
    currencies.take_up("JPY")
    page = browser.get("/currencies/JPY").content.decode()
    assert "upload rates, or enter one by hand" in page
    assert '<svg class="chart' not in page


def test_a_rate_is_entered_by_hand_and_supersedes_the_days(
    browser: Client, known: RatePair
) -> None:
    typed = {"currency": "usd", "target": "50", "value": "0.93", "on": "2026-11-19"}
    answer = browser.post("/rates/new", typed, headers={"accept-language": "ru"})
    assert answer.status_code == 302, answer.context["form"].errors
    made = Rate.objects.of(USD_EUR).current().get(on="2026-11-19")
    assert (made.value, made.manual) == (Decimal("0.93"), True)
    rows = browser.get("/rates?pair=USD/EUR&kind=superseded").context["lines"]
    assert [row.name for row in rows] == ["USD/EUR, 19 Nov 2026"]
    assert (
        AuditRow.objects.get(act="rates.create").subject == f"rates/{made.pk}: USD/EUR, 19 Nov 2026"
    )


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"value": "0"}, "value"),
        ({"value": "-1"}, "value"),
        ({"value": "NaN"}, "value"),
        ({"value": "1e30"}, "value"),
        ({"value": "abc"}, "value"),
        ({"currency": "XYZ"}, "currency"),
        ({"target": "USD"}, "currency"),
        ({"on": "2026-02-30"}, "on"),
        ({"value": "9.3"}, "value"),
    ],
)
def test_what_is_no_rate_or_an_unlikely_one_is_refused_at_its_field(
    browser: Client, known: RatePair, changed: dict[str, str], field: str
) -> None:
    typed = {"currency": "USD", "target": "EUR", "value": "0.93", "on": "2026-11-20", **changed}
    before = Rate.objects.count()
    answer = browser.post("/rates/new", typed)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert Rate.objects.count() == before


def test_an_unlikely_rate_is_taken_once_somebody_is_sure(browser: Client, known: RatePair) -> None:
    typed = {"currency": "USD", "target": "EUR", "value": "9.3", "on": "2026-11-20"}
    refused = browser.post("/rates/new", typed)
    assert "+910.9 % from 0.92, the rate of 2026-11-19" in str(refused.context["form"].errors)
    assert browser.post("/rates/new", {**typed, "sure": "on"}).status_code == 302
    assert currencies.rate(USD_EUR, FRIDAY).value == Decimal("9.3")


def test_where_rates_come_from_is_set_and_changed(browser: Client) -> None:
    typed = {"currency": "USD", "target": "EUR", "source": "ecb", "formula": "", "guard": "20"}
    browser.post("/rate-pairs/new", typed)
    made = RatePair.objects.get()
    twice = browser.post("/rate-pairs/new", typed)
    assert "USD/EUR has settings already" in str(twice.context["form"].errors)
    changed = {**typed, "currency": "GBP", "formula": "*1.02", "guard": "5"}
    browser.post(f"/rate-pairs/{made.pk}/edit", changed)
    made.refresh_from_db()
    assert (str(made.pair), made.formula, made.guard) == ("USD/EUR", "*1.02", 5)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"source": "nowhere"}, "source"),
        ({"formula": "**2"}, "formula"),
        ({"guard": "-1"}, "guard"),
        ({"guard": "99999"}, "guard"),
        ({"currency": "XYZ"}, "currency"),
    ],
)
def test_settings_that_cannot_be_are_refused_at_their_field(
    browser: Client, changed: dict[str, str], field: str
) -> None:
    typed = {"currency": "USD", "target": "EUR", "source": "ecb", "guard": "20", **changed}
    answer = browser.post("/rate-pairs/new", typed)
    assert list(answer.context["form"].errors) == [field]
    assert not RatePair.objects.exists()


def test_rates_are_uploaded_at_once_by_the_job(browser: Client, known: RatePair) -> None:
    sent = {"act": "upload", "entry": [known.pk], "back": str(known.pk), "confirmed": "yes"}
    done = browser.post("/rate-pairs/act", sent, follow=True)
    assert "USD/EUR: 1 rate stored from" in texts(done)[0]
    assert currencies.rate(USD_EUR, FRIDAY).value == Decimal("0.922339051835")
    again = browser.post("/rate-pairs/act", sent, follow=True)
    assert "is known for 2026-11-20" in texts(again)[0]
    assert AuditRow.objects.filter(act="rate-pairs.upload").count() == 2


def test_an_upload_that_fails_says_why_and_stores_nothing(browser: Client, known: RatePair) -> None:
    currencies.configure(USD_EUR, source="/nowhere/rates.xml", formula="", guard=20)
    before = Rate.objects.count()
    sent = {"act": "upload", "entry": [known.pk], "confirmed": "yes"}
    answer = browser.post("/rate-pairs/act", sent)
    assert "/nowhere/rates.xml" in str(answer.context["form"].non_field_errors())
    assert Rate.objects.count() == before
    assert not AuditRow.objects.filter(act="rate-pairs.upload").exists()


def test_a_change_beyond_the_guard_waits_for_a_tick(browser: Client, known: RatePair) -> None:
    currencies.configure(USD_EUR, source=FILE, formula="*3", guard=20)
    sent = {"act": "upload-all", "confirmed": "yes"}
    held = browser.post("/rate-pairs/act", sent)
    assert "held back, a change of over 20 %" in str(held.context["form"].non_field_errors())
    done = browser.post("/rate-pairs/act", {**sent, "confirm": "on"}, follow=True)
    assert "1 rate stored" in texts(done)[0]


def test_a_pair_says_how_its_rates_stand(browser: Client, known: RatePair) -> None:
    currencies.configure(Pair("GBP", "EUR"), source="ecb", formula="", guard=20)
    old = currencies.enter(Pair("CHF", "EUR"), date(2026, 1, 5), Decimal("1.05"))
    currencies.configure(Pair("CHF", "EUR"), source="ecb", formula="", guard=20)
    assert old.manual
    page = browser.get("/rate-pairs").content.decode()
    for word in ("up to date", "out of date", "no rate yet"):
        assert page.count(word) == 1, word


@pytest.mark.parametrize("wanted", ["month", "quarter", "year", "all", "nonsense", ""])
def test_a_drawing_begins_with_the_rate_its_range_begins_with(
    browser: Client, known: RatePair, wanted: str
) -> None:
    currencies.enter(USD_EUR, date(2024, 1, 5), Decimal("0.5"))
    page = browser.get(f"/rate-pairs/{known.pk}?range={wanted}")
    assert page.status_code == 200
    shown = next(one for one in page.context["panels"] if one["panel"].name == "history")
    assert "lowest 0.5," in shown["label"]


def test_a_drawing_of_very_many_days_is_thinned_and_keeps_its_extremes() -> None:
    first = date(2000, 1, 1)
    points = [(first + timedelta(days=n), 1.0 + n % 7) for n in range(9000)]
    points[4321] = (points[4321][0], 100.0)
    drawn = chart.line(points, first, points[-1][0])
    assert drawn.path.count("L") <= chart.MOST_POINTS + 2
    assert " 8.0L" in drawn.path  # the highest, at the top


@pytest.mark.parametrize("values", [[1.0], [0.0], [5.0, 5.0], [1e-9, 2e-9], [0.0, 1e12], [-3.0, 3]])
def test_a_drawing_holds_whatever_its_values_are(values: list[float]) -> None:
    points = [(FRIDAY + timedelta(days=n), value) for n, value in enumerate(values)]
    drawn = chart.line(points, FRIDAY, FRIDAY + timedelta(days=len(values) - 1))
    assert 2 <= len(drawn.axes.rows) <= 12
    downs = [float(part.split()[1]) for part in drawn.path[1:].split("L")]
    assert all(chart.TOP - 0.1 <= down <= drawn.axes.base + 0.1 for down in downs)


def test_a_viewer_sees_rates_and_changes_none(signed_in: SignedIn, known: RatePair) -> None:
    browser = signed_in(Role.VIEWER)
    for path in ("/currencies", "/currencies/EUR", "/rate-pairs", "/rates", "/rates/csv"):
        assert browser.get(path).status_code == 200
    page = browser.get(f"/rate-pairs/{known.pk}").content.decode()
    assert "upload" not in page.split("<main")[1].split("</h1>")[1].split("</div>")[0]
    for path in ("/rates/new", "/rate-pairs/new", f"/rate-pairs/{known.pk}/edit"):
        assert browser.get(path).status_code == 403


@pytest.mark.parametrize("path", ["/currencies", "/rate-pairs", "/rates", "/currencies/EUR"])
def test_pages_take_a_fixed_number_of_queries(
    browser: Client, known: RatePair, path: str, django_assert_max_num_queries
) -> None:
    browser.get(path)
    with django_assert_max_num_queries(12) as first:
        browser.get(path)
    for code in ("GBP", "CHF", "JPY"):
        currencies.enter(Pair(code, "EUR"), FRIDAY, Decimal("1.5"))
        currencies.configure(Pair(code, "EUR"), source="ecb", formula="", guard=20)
    with django_assert_max_num_queries(len(first.captured_queries)):
        browser.get(path)


SOURCE = "https://shop:WORD@rates.example.org/daily?key=TOKEN"


def test_what_is_secret_in_a_source_is_for_who_may_change_it(
    browser: Client, signed_in: SignedIn
) -> None:
    typed = {"currency": "USD", "target": "EUR", "source": SOURCE, "guard": "20"}
    assert browser.post("/rate-pairs/new", typed).status_code == 302
    made = RatePair.objects.get()
    form = browser.get(f"/rate-pairs/{made.pk}/edit").content.decode()
    assert "TOKEN" in form, "who may change it sees what there is to change"
    reader = signed_in(Role.VIEWER, "sam")
    asked = {"func": "currencyrate.upload", "plid": "USD/EUR", "out": "json"}
    for answer in (
        reader.get("/rate-pairs"),
        reader.get(f"/rate-pairs/{made.pk}"),
        reader.get("/billmgr", asked),
    ):
        text = answer.content.decode()
        assert "rates.example.org/daily" in text
        assert "WORD" not in text
        assert "TOKEN" not in text
    guessed = reader.get("/rate-pairs?q=TOKEN").content.decode()
    assert "rates.example.org" not in guessed, "nor is it found letter by letter"
    noted = AuditRow.objects.get(act="rate-pairs.create").after
    assert "source: https://rates.example.org/daily\n" in noted
