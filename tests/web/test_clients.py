"""Clients on screen: their forms, an account's page with the column of its time, its statement."""

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils.formats import date_format

from billclock import clock
from billclock.accounts.models import AuditRow, Role
from billclock.billing import orders, stopping
from billclock.billing.clients import Account, Client, ClientGroup, Contact, Payer
from billclock.billing.notifications import Subscription
from billclock.billing.services import Outcome, Reason, Verdict
from billclock.web import client_story
from tests.billing.company import TODAY, House, noon

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Browser]
HOSTILE = "<script>alert(1)</script>\u202e"


@pytest.fixture
def house() -> House:
    return House()


def text(browser: Browser, path: str, status: int = 200) -> str:
    answer = browser.get(path)
    assert answer.status_code == status, path
    return answer.content.decode()


async def whole(answer: Any) -> bytes:
    return b"".join([part async for part in answer])


def lived(house: House, money: int = 100_00) -> Account:
    """Give an account that something of each kind happened to."""
    account = house.account(money)
    with clock.at(noon(TODAY)):
        service = orders.order(account, orders.Wish(house.products["monthly"]), on=TODAY)
        verdict = Verdict.objects.create(
            service=service, on=TODAY, sequence=1, outcome=Outcome.UNFUNDED, need_minor=11_90,
            available_minor=5_00,
        )  # fmt: skip
        stopping.suspend(service, Reason.MONEY, on=TODAY, verdict=verdict)
        stopping.lift(service, Reason.MONEY, on=TODAY + timedelta(days=1), why="it was paid")
    return account


def test_a_client_is_registered_changed_and_closed(house: House, signed_in: SignedIn) -> None:
    browser = signed_in(Role.ROOT)
    given = {"name": HOSTILE, "kind": "2", "country": "FR"}
    answer = browser.post("/clients/new", given, follow=True)
    row = Client.objects.get()
    assert (row.number, row.kind, row.country) == (f"C{row.pk}", 2, "FR")
    shown = answer.content.decode()
    assert "<script>alert" not in shown
    assert "\u202e" not in shown
    browser.post(f"/clients/{row.pk}/edit", {**given, "name": "Nord", "number": ""})
    row.refresh_from_db()
    assert (row.name, row.number) == ("Nord", f"C{row.pk}")
    one = {"one": f"close:{row.pk}", "confirmed": "1", "back": row.pk}
    browser.post("/clients/act", one)
    row.refresh_from_db()
    assert row.closed
    assert "Open an account" not in text(browser, f"/clients/{row.pk}")
    assert set(AuditRow.objects.values_list("act", flat=True)) >= {
        "clients.create", "clients.change", "clients.close",
    }  # fmt: skip


def test_what_is_wrong_with_a_client_stands_at_the_field(signed_in: SignedIn) -> None:
    answer = signed_in(Role.ROOT).post("/clients/new", {"name": "A", "kind": "1", "number": "a b"})
    assert answer.status_code == 422
    assert "Give letters, digits and" in answer.content.decode()
    assert not Client.objects.exists()


def test_a_client_with_money_is_not_closed_and_it_says_why(
    house: House, signed_in: SignedIn
) -> None:
    client = house.account(500).client
    one = {"one": f"close:{client.pk}", "confirmed": "1", "back": client.pk}
    answer = signed_in(Role.ROOT).post("/clients/act", one, follow=True)
    assert "has money or debts" in answer.content.decode()
    assert not Client.objects.get().closed


def test_an_account_is_opened_and_its_terms_changed(house: House, signed_in: SignedIn) -> None:
    browser, client = signed_in(Role.ROOT), house.client()
    payer = Payer.objects.create(client=client, name="Nord SARL", country="FR")
    assert "Nord SARL" in text(browser, f"/client-accounts/new?client={client.number}")
    given: dict[str, Any] = {
        "client": client.number, "company": house.company.pk, "currency": "EUR", "kind": "2",
        "limit": "50.00", "credit_due_days": "14", "payer": payer.pk,
    }  # fmt: skip
    answer = browser.post("/client-accounts/new", given)
    assert answer.status_code == 302, answer.content.decode()
    account = Account.objects.select_related("funds").get()
    assert (account.funds.floor_minor, account.tax_area) == (-50_00, "FR")
    browser.post(f"/client-accounts/{account.pk}/edit", {**given, "limit": "20", "payer": ""})
    account = Account.objects.select_related("funds").get()
    assert (account.funds.floor_minor, account.tax_area, account.payer) == (-20_00, "DE", None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"limit": ""}, "how far below zero"),
        ({"limit": "1,000.005"}, "1,000.005"),
        ({"client": "nobody"}, "no client of this number"),
        ({"client": "\0"}, ""),
        ({"currency": "XXX"}, ""),
        ({"credit_due_days": "-1"}, ""),
    ],
)
def test_what_is_wrong_with_an_account_is_told(
    house: House, signed_in: SignedIn, given: dict[str, str], said: str
) -> None:
    usual = {
        "client": house.client().number, "company": house.company.pk, "currency": "EUR",
        "kind": "2", "limit": "5", "credit_due_days": "14",
    }  # fmt: skip
    answer = signed_in(Role.ROOT).post("/client-accounts/new", {**usual, **given})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Account.objects.exists()


def test_a_contact_is_added_with_his_letters(house: House, signed_in: SignedIn) -> None:
    browser, client = signed_in(Role.ROOT), house.client()
    given = {
        "client": client.number, "name": "Eve", "email": "eve@example.com", "language": "ru",
        "phone": "030 901820", "letters": ["renewed"], "sms": "on",
    }  # fmt: skip
    assert browser.post("/contacts/new", given).status_code == 302
    contact = Contact.objects.get(name="Eve")
    assert (contact.phone, contact.language, contact.sms) == ("+4930901820", "ru", True)
    assert Subscription.objects.filter(contact=contact, on=True).count() == 0
    shown = browser.get(f"/contacts/{contact.pk}/edit").content.decode()
    assert shown.count('name="letters"') > 5
    assert shown.count("checked") == 2
    answer = browser.post("/contacts/new", {**given, "phone": "12"})
    assert (answer.status_code, "No number is dialled" in answer.content.decode()) == (422, True)
    remove = {"one": f"remove:{contact.pk}", "confirmed": "1"}
    browser.post("/contacts/act", remove)
    assert not Contact.objects.filter(name="Eve").exists()


def test_a_payers_number_is_confirmed_and_the_tax_follows(
    house: House, signed_in: SignedIn
) -> None:
    browser, account = signed_in(Role.ROOT), house.account()
    given = {"client": account.client.number, "kind": "2", "name": "Nord", "country": "FR"}
    answer = browser.post("/payers/new", {**given, "tax_number": "FR41303265045"})
    assert (answer.status_code, Payer.objects.count()) == (422, 0)
    browser.post("/payers/new", {**given, "tax_number": "FR40303265045"})
    payer = Payer.objects.get()
    Account.objects.update(payer=payer)
    browser.post("/payers/act", {"one": f"confirm:{payer.pk}", "confirmed": "1"})
    assert Account.objects.get().reverse_charge
    assert "reverse charge" in text(browser, f"/client-accounts/{account.pk}")


def test_a_group_is_made_and_deleted(house: House, signed_in: SignedIn) -> None:
    browser = signed_in(Role.ROOT)
    browser.post("/client-groups/new", {"provider": house.provider.pk, "name": "Partners"})
    group = ClientGroup.objects.get()
    browser.post("/client-groups/act", {"one": f"delete:{group.pk}", "confirmed": "1"})
    assert not ClientGroup.objects.exists()


def test_an_account_tells_its_time_in_one_column(house: House, signed_in: SignedIn) -> None:
    account = lived(house)
    with clock.at(noon(TODAY + timedelta(days=1))):
        shown = text(signed_in(Role.VIEWER), f"/client-accounts/{account.pk}")
    told = [
        "Balance from before the books", "10.00 and €1.90 tax",
        "it needed €11.90, there were €5.00", "short by €6.90", "stopped", "it was paid",
        "Letter: A service was stopped",
        "November 2026", "€88.10 may still be spent", "for the whole month to come",
    ]  # fmt: skip
    assert [word for word in told if word not in shown] == []


def test_the_column_is_paged_without_loss_or_repeat(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = lived(house)
    house.pay(account, 5)
    whole = [line.place for line in client_story.page(account, "", None)]
    monkeypatch.setattr(client_story, "A_PAGE", 2)
    seen, place = [], None
    while True:
        lines = client_story.page(account, "", place)
        seen += [line.place for line in lines[:2]]
        if len(lines) <= 2:
            break
        place = client_story.read(client_story.written(lines[1].place))
    assert seen == whole == sorted(whole, reverse=True)
    kinds = [client_story.page(account, kind, None) for kind in ("money", "services", "letters")]
    monkeypatch.setattr(client_story, "A_PAGE", 100)
    assert all(kinds)


@pytest.mark.parametrize(
    "before", ["x", "2026-11-20.1", "2026-11-20.a.b", "9999-12-31.99.-5", "." * 9]
)
def test_a_place_that_is_none_is_the_beginning(
    house: House, signed_in: SignedIn, before: str
) -> None:
    account, browser = lived(house), signed_in(Role.VIEWER)
    for kind in ("", "money", "nonsense"):
        path = f"/client-accounts/{account.pk}?show={kind}&before={before}"
        assert "November 2026" in text(browser, path)


def test_charges_by_the_day_are_one_line_a_month(house: House) -> None:
    account = house.account(100_00)
    with clock.at(noon(TODAY)):
        service = orders.order(account, orders.Wish(house.products["daily"]), on=TODAY)
    last = next(line for line in client_story.page(account, "money", None) if line.fold)
    days = [replace(last, key=n, on=TODAY - timedelta(days=n)) for n in range(3)]
    (line,) = client_story.folded(days)
    assert (line.change, line.on) == (3 * (last.change or 0), TODAY)
    assert "3 charges" in line.why
    assert service.number in line.title
    assert list(client_story.folded(days[:1])) == days[:1]


def test_an_accounts_page_has_a_fixed_number_of_queries(house: House, signed_in: SignedIn) -> None:
    account, browser = lived(house, 400_00), signed_in(Role.VIEWER)
    counts = []
    for _more in range(2):
        with clock.at(noon(TODAY)):
            browser.get(f"/client-accounts/{account.pk}")
            with CaptureQueriesContext(connection) as asked:
                browser.get(f"/client-accounts/{account.pk}")
            counts.append(len(asked))
            orders.order(account, orders.Wish(house.products["monthly"]), on=TODAY)
            orders.order(account, orders.Wish(house.products["calendar"]), on=TODAY)
            house.pay(account, 100)
    assert counts[0] == counts[1]


def test_what_cannot_be_paid_is_told_before_it_happens(house: House, signed_in: SignedIn) -> None:
    account = house.account(5_00)
    house.service(account, paid_until=TODAY + timedelta(days=3))
    with clock.at(noon(TODAY)):
        browser = signed_in(Role.VIEWER)
        shown = text(browser, f"/client-accounts/{account.pk}")
    assert "Not covered" in shown
    assert "€6.90 are missing" in shown
    assert "in 3 days" in shown
    story = shown.partition("To come, if nothing is paid")[2]
    at_the_earliest = date_format(TODAY + timedelta(days=3 + house.provider.grace_days), "D j M")
    stopped, short = (
        story.index(f'<span class="d">{at_the_earliest}</span>'),
        story.index("No money"),
    )
    assert stopped < short < story.index("Now")  # the farthest first
    assert "short by €6.90" in story
    with clock.at(noon(TODAY)):
        letters = text(browser, f"/client-accounts/{account.pk}?show=letters")
    assert "To come" not in letters


def test_a_statement_opens_moves_and_closes(house: House, signed_in: SignedIn) -> None:
    account = house.account()
    house.pay(account, 100_00, on=date(2026, 10, 5))
    house.pay(account, -30_00, on=date(2026, 11, 2))
    house.pay(account, 7_00, on=date(2026, 12, 1))
    browser, path = signed_in(Role.VIEWER), f"/client-accounts/{account.pk}/statement"
    shown = text(browser, f"{path}?since=2026-11-01&until=2026-11-30")
    assert shown.count("€100.00") == 2  # above the lines, and as the first of them
    assert shown.count("€70.00") == 3
    assert "€77.00" not in shown
    answer = browser.get(f"{path}.csv?since=2026-10-01&until=2026-12-31")
    rows = list(csv.reader(StringIO(async_to_sync(whole)(answer).decode())))
    assert [row[0] for row in rows[1:]] == [
        "2026-09-30", "2026-10-05", "2026-11-02", "2026-12-01", "2026-12-31",
    ]  # fmt: skip
    assert [row[4] for row in rows[1:]] == ["0.00", "100.00", "70.00", "77.00", "77.00"]
    assert [row[3] for row in rows[2:5]] == ["100.00", "-30.00", "7.00"]


def test_a_charge_and_its_tax_are_one_line_of_a_statement(
    house: House, signed_in: SignedIn
) -> None:
    account = lived(house)
    path = f"/client-accounts/{account.pk}/statement?since={TODAY}&until={TODAY}"
    shown = text(signed_in(Role.VIEWER), path)
    assert "-€11.90" in shown
    assert "Tax:" not in shown
    assert shown.count("€88.10") == 4  # moved, closed, after the last line, and once more below


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("since=2026-11-30&until=2026-11-01", 422),
        ("since=1800-01-01&until=2026-11-01", 422),
        ("since=0001-01-01&until=0001-01-02", 422),
        ("since=9999-12-31&until=9999-12-31", 200),
        ("since=x&until=%00", 422),
        ("", 200),
    ],
)
def test_a_statement_of_odd_days_is_told(
    house: House, signed_in: SignedIn, asked: str, status: int
) -> None:
    account, browser = house.account(100), signed_in(Role.VIEWER)
    text(browser, f"/client-accounts/{account.pk}/statement?{asked}", status)
    as_file = browser.get(f"/client-accounts/{account.pk}/statement.csv?{asked}")
    assert as_file.status_code == (404 if status == 422 else 200)
    text(browser, "/client-accounts/999999/statement", 404)
    text(browser, "/client-accounts/x/statement", 404)


@pytest.mark.parametrize("section", ["clients", "contacts", "payers", "client-groups"])
def test_a_list_has_a_fixed_number_of_queries(
    house: House, signed_in: SignedIn, section: str
) -> None:
    browser, counts = signed_in(Role.VIEWER), []
    for n in range(2):
        client = house.client()
        Payer.objects.create(client=client, name="X")
        ClientGroup.objects.create(provider=house.provider, name=str(n))
        browser.get(f"/{section}")
        with CaptureQueriesContext(connection) as asked:
            browser.get(f"/{section}")
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_an_account_is_chosen_by_a_part_of_its_clients_name(
    house: House, signed_in: SignedIn
) -> None:
    nord, sued = house.account(), house.account()
    for account, name in ((nord, "Nordlicht"), (sued, "Südwind")):
        Client.objects.filter(pk=account.client_id).update(name=name)
    browser, address = signed_in(Role.ROOT), "/invoices/draft"
    refused = browser.post(address, {"account": "lich", "token": "x"}).content.decode()
    assert "Which one is meant?" in refused
    assert f'value="{nord.number}"' in refused
    assert "Nothing can stand on it" not in refused  # a part of a name is never taken for one
    picked = {"account": "lich", "account_typed": "lich", "account_picked": nord.number}
    assert "Nothing can stand on it" in browser.post(address, picked).content.decode()
    typed_anew = {**picked, "account": "nobody"}
    assert "no account of this number" in browser.post(address, typed_anew).content.decode()
    found = browser.get("/client-accounts/choices", {"q": "SÜD"}).content.decode()
    assert sued.number in found
    assert nord.number not in found
