"""Services on screen: the list, one service, why it is so, what is done to it and what it costs."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.formats import date_format

from billclock import clock
from billclock.accounts.models import AuditRow, Role, User
from billclock.billing import by_hand, clients, orders, progress, stopping
from billclock.billing.catalog import PromoCode
from billclock.billing.orders import Wish
from billclock.billing.progress import Parked
from billclock.billing.services import Reason, Service, Status, Suspension
from tests.billing.company import House, assert_books_agree, balance

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]
SCRIPT = "<script>alert(1)</script>\u202e"


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    """Let no midnight come between an order and the look at it."""
    with clock.at(clock.now()):
        yield


@pytest.fixture
def house() -> House:
    made = House()
    made.product("big", prices={1: 30_00, 12: 300_00})
    return made


def ordered(
    house: House, money: int = 500_00, product: str = "monthly", **given: object
) -> Service:
    """Buy a service today, which is paid for a month."""
    account = house.account(money)
    wish = Wish(house.products[product], **given)  # type: ignore[arg-type]
    return orders.order(account, wish, on=house.provider.today())


def page(browser: Client, address: str, **query: str) -> str:
    answer = browser.get(address, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_shows_what_a_service_is_and_costs(house: House, signed_in: SignedIn) -> None:
    service = ordered(house, name="shop.example")
    stopping.suspend(service, Reason.STAFF, on=house.provider.today(), by="ada")
    shown = page(signed_in(Role.VIEWER), "/services")
    for said in (service.number, "shop.example", "Monthly", service.account.number, "€10.00",
                 "1 month", "by staff"):  # fmt: skip
        assert said in shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "2"}, "ac"),
        ({"status": "3"}, "b"),
        ({"reason": "8"}, "b"),
        ({"reason": "1"}, ""),
        ({"cycle": "4"}, "c"),
        ({"paid_until_until": "2026-12-01"}, "a"),
        ({"paid_until_since": "2026-12-02", "paid_until_until": "2027-01-01"}, "b"),
        ({"q": "b.example"}, "b"),
        ({"q": "Ada Byron"}, "abc"),
        ({"q": "nobody"}, ""),
        ({"reason": "9999", "product": "x", "sort": "-paid_until"}, ""),
    ],
    ids=str,
)
def test_filters_and_search_find_what_they_say(
    house: House, signed_in: SignedIn, query: dict[str, str], found: str
) -> None:
    account = house.account(100_00)
    days = {"a": date(2026, 12, 1), "b": date(2027, 1, 1), "c": date(2027, 2, 1)}
    for name, until in days.items():
        product = "hourly" if name == "c" else "monthly"
        made = house.service(account, product, until, name=f"{name}.example")
        if name == "b":
            Service.objects.filter(pk=made.pk).update(status=Status.STOPPED, stopped_for=8 + 4)
    shown = page(signed_in(Role.VIEWER), "/services", **query)
    assert {name for name in days if f"{name}.example" in shown.partition("<main")[2]} == set(found)


def test_a_client_is_found_in_any_case_of_any_alphabet(house: House, signed_in: SignedIn) -> None:
    service = ordered(house)
    clients.Client.objects.filter(pk=service.account.client_id).update(name="Ольга Петрова")
    browser = signed_in(Role.VIEWER)
    for address in ("/services", "/charges"):
        assert service.number in page(browser, address, q="ольга")


@pytest.mark.usefixtures("engine")
def test_list_and_page_have_a_fixed_number_of_queries(house: House, signed_in: SignedIn) -> None:
    browser = signed_in(Role.ROOT)
    service = ordered(house)
    counts: list[tuple[int, ...]] = []
    for _more in range(2):
        asked = []
        for address in ("/services", f"/services/{service.pk}", "/tasks"):
            page(browser, address)
            with CaptureQueriesContext(connection) as queries:
                page(browser, address)
            asked.append(len(queries))
        counts.append(tuple(asked))
        orders.renew(service, on=house.provider.today())
        ordered(house)
    assert counts[0] == counts[1]


def test_a_page_tells_why_with_links_to_its_records(house: House, signed_in: SignedIn) -> None:
    service = ordered(house)
    today = house.provider.today()
    made = stopping.suspend(service, Reason.ABUSE, on=today, by="ada")
    browser = signed_in(Role.VIEWER)
    shown = page(browser, f"/services/{service.pk}")
    assert f"Suspension {made.pk}</a>" in shown
    assert 'href="#panel-suspensions"' in shown
    assert "warnupdateexpiredate never ran" in shown
    wish = by_hand.Wish(by_hand.HandEntry.Sort.GOODWILL, 1_00, "sorry")
    entry, _new = by_hand.enter(service.account, wish, by="ada", key="k")
    shown = page(browser, f"/services/{service.pk}")
    assert f'href="/hand-entries/{entry.pk}">Entered by hand {entry.pk}</a>' in shown
    before = page(signed_in(Role.OPERATOR), f"/services/{service.pk}", on="2020-02-02")
    assert f"it was opened on {date_format(today, 'j M Y')} only" in before


def test_it_is_told_in_russian(house: House, signed_in: SignedIn) -> None:
    service = ordered(house)
    browser = signed_in(Role.VIEWER)
    stopping.suspend(service, Reason.STAFF, on=house.provider.today(), by="ada")
    russian = {"accept-language": "ru"}
    today = house.provider.today()
    for on, said in (
        (today, "не к оплате: оплачена до"),
        (today, "остановлена, причина: сотрудник, кем: ada"),
        (today - timedelta(days=1), "она открыта только"),
        (today + timedelta(days=99), "не тарифицировалась: стояла с"),
        (today, "нет: autoprolong_disabled_for_items ещё не запускали"),
    ):
        address = f"/services/{service.pk}?on={on}"
        assert said in browser.get(address, headers=russian).content.decode()
    listed = browser.get("/services", headers=russian).content.decode()
    assert "остановлена" in listed
    assert "сотрудником" in listed


@pytest.mark.parametrize("on", ["x", "0001-01-01", "9999-12-31", "2026-13-01", "'"])
def test_a_date_that_is_none_is_today(house: House, signed_in: SignedIn, on: str) -> None:
    service = ordered(house)
    shown = page(signed_in(Role.VIEWER), f"/services/{service.pk}", on=on)
    assert f'value="{house.provider.today()}"' in shown


@pytest.mark.usefixtures("engine")
def test_a_page_tells_what_the_next_renewal_costs(house: House, signed_in: SignedIn) -> None:
    service = ordered(house, money=20_00)
    shown = page(signed_in(Role.VIEWER), f"/services/{service.pk}")
    assert "€11.90 on" in shown
    assert "€3.80 is missing" in shown
    assert "The account has €8.10 to spend now." in shown
    Service.objects.filter(pk=service.pk).update(months=7)
    shown = page(signed_in(Role.OPERATOR), f"/services/{service.pk}")
    assert "No price is set for its period" in shown
    run = progress.begin("billdaily", house.provider, house.provider.today())
    Parked.objects.create(account=service.account, reason="odd", since=clock.now(), run=run)
    client = signed_in(Role.ROOT)
    shown = page(client, f"/services/{service.pk}")
    assert "Its account is parked" in shown
    assert "No price is set for its period" not in shown
    shown = page(client, f"/client-accounts/{service.account_id}")
    assert "parked: billing leaves it alone" in shown


def act(browser: Client, row: Service, name: str, **given: str) -> str:
    """Do an act to a service, its question answered, and give the page after it."""
    sent = {"act": name, "entry": str(row.pk), "back": str(row.pk), "confirmed": "yes", **given}
    answer = browser.post("/services/act", sent, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_staff_stops_a_service_and_lets_it_run_again(house: House, signed_in: SignedIn) -> None:
    service, browser = ordered(house), signed_in()
    act(browser, service, "suspend", reason="8", why="a fire")
    act(browser, service, "suspend", reason="4", why="")
    assert set(Suspension.objects.values_list("reason", "by")) == {
        (8, "root@example.net"), (4, "root@example.net")}  # fmt: skip
    act(browser, service, "lift", reason="8", why="it is out")
    service.refresh_from_db()
    assert service.stopped_for == Reason.ABUSE
    told = act(browser, service, "lift", reason="16", why="x")
    assert "was not stopped for this" in told
    assert AuditRow.objects.filter(act="services.suspend").count() == 2


def test_billing_alone_stops_for_money(house: House, signed_in: SignedIn) -> None:
    service = ordered(house)
    assert "Select a valid choice" in act(signed_in(), service, "suspend", reason="1", why="")
    assert not Suspension.objects.exists()


def test_a_service_is_held_and_switched(house: House, signed_in: SignedIn) -> None:
    service, browser = ordered(house), signed_in()
    act(browser, service, "hold", until="2027-01-31")
    act(browser, service, "renewal", switch="off", why="he asked")
    service.refresh_from_db()
    assert (service.held_until, service.auto_renew) == (date(2027, 1, 31), False)
    act(browser, service, "hold", until="")
    act(browser, service, "renewal", switch="on", why="")
    service.refresh_from_db()
    assert (service.held_until, service.auto_renew) == (None, True)
    switch = service.renewal_switches.first()
    assert switch is not None
    assert (switch.by, switch.why) == ("root@example.net", "he asked")


def stamped(shown: str) -> str:
    """Give the mark of what a page says will come of it."""
    return shown.partition('name="seen" value="')[2].partition('"')[0]


@pytest.mark.usefixtures("engine")
def test_a_service_is_renewed_for_the_price_that_was_shown(
    house: House, signed_in: SignedIn
) -> None:
    service, browser = ordered(house, money=40_00), signed_in()
    address = f"/services/{service.pk}/renew"
    shown = page(browser, address)
    assert "€11.90 to pay now" in shown
    assert balance(service.account) == 28_10
    browser.post(address, {"seen": stamped(shown)})
    assert balance(service.account) == 16_20
    again = browser.post(address, {"seen": stamped(shown)})
    assert "Something else would come of it now" in again.content.decode()
    assert balance(service.account) == 16_20
    assert_books_agree()


def test_a_renewal_that_cannot_be_paid_says_what_is_missing(
    house: House, signed_in: SignedIn
) -> None:
    service = ordered(house, money=12_00)
    shown = page(signed_in(), f"/services/{service.pk}/renew")
    assert f"Account {service.account.number} cannot pay €11.90: it has €0.10 to spend." in shown
    assert stamped(shown) == ""


def test_closing_shows_what_comes_back_and_gives_it(house: House, signed_in: SignedIn) -> None:
    service, browser = ordered(house), signed_in()
    address = f"/services/{service.pk}/close"
    shown = page(browser, address)
    assert "€11.90 come back" in shown
    nothing = browser.post(address, {"why": "moved", "returns": "no", "seen": stamped(shown)})
    assert "Something else would come of it now" in nothing.content.decode()
    assert "Nothing comes back" in nothing.content.decode()
    assert browser.post(address, {"returns": "", "seen": stamped(shown)}).status_code == 422
    browser.post(address, {"why": "moved", "returns": "", "seen": stamped(shown)})
    service.refresh_from_db()
    assert service.status == Status.DELETED
    assert balance(service.account) == 500_00
    noted = AuditRow.objects.get(act="services.close")
    assert noted.subject == f"services/{service.pk}: {service.number}"
    assert "why: moved" in noted.after
    assert_books_agree()


def test_an_upgrade_shows_its_difference_first(house: House, signed_in: SignedIn) -> None:
    service, browser = ordered(house), signed_in()
    address = f"/services/{service.pk}/change"
    later = clock.now() + timedelta(days=10)
    big = str(house.products["big"].pk)
    shown = browser.post(address, {"product": big, "months": "1"}).content.decode()
    assert "€23.80 to pay now" in shown
    assert "-€11.90" in shown
    with clock.at(later):
        browser.force_login(User.objects.get(email="root@example.net"))
        other = browser.post(address, {"product": big, "months": "1", "seen": stamped(shown)})
        assert "Something else would come of it now" in other.content.decode()
        browser.post(
            address, {"product": big, "months": "1", "seen": stamped(other.content.decode())}
        )
    shown = page(browser, f"/services/{service.pk}")
    assert "taken back" in shown
    assert "changed to acme-big" in shown
    service.refresh_from_db()
    assert service.product == house.products["big"]
    assert_books_agree()


def test_a_change_to_what_it_is_already_is_none(house: House, signed_in: SignedIn) -> None:
    service = ordered(house)
    given = {"product": str(service.product_id), "months": "1"}
    shown = signed_in().post(f"/services/{service.pk}/change", given).content.decode()
    assert "Nothing changes" in shown
    assert stamped(shown) == ""


def test_another_sort_of_product_is_not_offered(house: House, signed_in: SignedIn) -> None:
    service = ordered(house)
    other = house.products["yearly-by-months"]
    given = {"product": str(other.pk), "months": "12"}
    answer = signed_in().post(f"/services/{service.pk}/change", given)
    assert answer.status_code == 422


def test_an_order_is_priced_before_it_is_made(house: House, signed_in: SignedIn) -> None:
    product, account = house.products["monthly"], house.account(50_00)
    house.addon(product, "disk", included=1, most=10)
    PromoCode.objects.create(
        code="HALF", provider=house.provider, ppm=500_000, valid_from=date(2020, 1, 1)
    )
    browser = signed_in()
    first = browser.post("/services/order", {"account": account.number, "product": product.pk})
    shown = first.content.decode()
    assert "12 months · €100.00" in shown
    assert "1 is included." in shown
    assert "€11.90 to pay now" in shown
    wish = {"account": account.number, "product": str(product.pk), "months": "1", "promo": "HALF",
            "addon-disk": "3", "name": SCRIPT, "auto_renew": "on", "asked": "yes"}  # fmt: skip
    shown = browser.post("/services/order", wish).content.decode()
    assert "€7.14 to pay now" in shown
    assert "50 % off" in shown
    made = browser.post("/services/order", {**wish, "seen": stamped(shown)})
    service = Service.objects.get()
    assert made.headers["Location"] == f"/services/{service.pk}"
    assert balance(account) == 50_00 - 7_14
    for address in ("/services", f"/services/{service.pk}"):
        page_ = page(browser, address)
        assert "<script>alert" not in page_
        assert "\u202e" not in page_
    assert_books_agree()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"account": "nobody"}, "There is no account of this number."),
        ({"account": "\0"}, "Null characters are not allowed."),
        ({"product": "²"}, "Select a valid choice"),
        ({"product": "9" * 30}, "Select a valid choice"),
        ({"promo": "NONE"}, "there is no promo code"),
        ({"months": "5"}, "Select a valid choice"),
        ({"addon-disk": "-1"}, "greater than or equal to 0"),
        ({"addon-disk": "99"}, "less than or equal to 10"),
        ({"addon-disk": "9" * 40}, "less than or equal to 10"),
    ],
    ids=str,
)
def test_a_wrong_order_says_what_is_wrong(
    house: House, signed_in: SignedIn, given: dict[str, str], said: str
) -> None:
    product, account = house.products["monthly"], house.account(500_00)
    house.addon(product, "disk", included=1, most=10)
    wish = {"account": account.number, "product": str(product.pk), "months": "1", "asked": "yes"}
    answer = signed_in().post("/services/order", {**wish, **given})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Service.objects.exists()


def test_an_order_beyond_the_money_is_refused_beforehand(house: House, signed_in: SignedIn) -> None:
    account = house.account(5_00)
    wish = {"account": account.number, "product": str(house.products["monthly"].pk),
            "months": "1", "asked": "yes"}  # fmt: skip
    shown = signed_in().post("/services/order", wish).content.decode()
    assert "€6.90 is missing" in shown
    assert stamped(shown) == ""


def test_several_are_renewed_at_once_and_closed_one_by_one(
    house: House, signed_in: SignedIn
) -> None:
    rich, poor = ordered(house), ordered(house, money=12_00)
    browser = signed_in()
    both = {"entry": [str(rich.pk), str(poor.pk)]}
    browser.post("/services/act", {"act": "renew", "confirmed": "yes", **both})
    assert balance(rich.account) == 500_00 - 2 * 11_90
    assert balance(poor.account) == 10
    asked = browser.post("/services/act", {"act": "close", "confirmed": "yes", **both})
    assert asked.headers["Location"] == f"/services/{rich.pk}/close"
    assert not Service.objects.filter(status=Status.DELETED).exists()
    assert_books_agree()


def test_a_closed_service_is_left_alone(house: House, signed_in: SignedIn) -> None:
    service, browser = ordered(house), signed_in()
    shown = page(browser, f"/services/{service.pk}/close")
    browser.post(
        f"/services/{service.pk}/close", {"why": "x", "returns": "", "seen": stamped(shown)}
    )
    for question, said in (("renew", "order a new one"), ("close", "cannot be closed")):
        shown = page(browser, f"/services/{service.pk}/{question}")
        assert said in shown
        assert stamped(shown) == ""
    assert page(browser, f"/services/{service.pk}")
