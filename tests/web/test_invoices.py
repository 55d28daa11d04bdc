"""Documents and charges on screen: lists, pages, drafts, credit notes, what made an amount."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billclock import clock
from billclock.accounts.models import AuditRow, Role
from billclock.billing import booking, invoicing
from billclock.billing.charges import Charge, ChargeKind
from billclock.billing.clients import Account
from billclock.billing.invoice_lines import Line
from billclock.billing.invoices import Invoice
from billclock.billing.pricing import amount
from billclock.billing.quotes import Line as Quoted
from billclock.billing.quotes import Terms
from billclock.web import charges
from tests.billing.charged import charge, reverse
from tests.billing.company import House, assert_books_agree
from tests.web.test_kit_list import whole

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]
SCRIPT = "<script>alert(1)</script>\u202e"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def account(house: House) -> Account:
    return house.account(kind=Account.Kind.POSTPAID)


def drafted(house: House, account: Account, *nets: int, note: str = "") -> Invoice:
    charges = [charge(house, account, net) for net in nets]
    key = f"k{Invoice.objects.count()}"
    return invoicing.draft(account, house.company, charges, key=key, note=note)


def issued(house: House, account: Account, *nets: int) -> Invoice:
    return invoicing.issue(drafted(house, account, *nets), house.provider.today())


def page(browser: Client, address: str, **query: str) -> str:
    answer = browser.get(address, query)
    assert answer.status_code == 200
    return answer.content.decode().partition("<main")[2]


def act(browser: Client, invoice: Invoice, name: str, **given: str) -> str:
    data = {"act": name, "entry": str(invoice.pk), "confirmed": "yes", **given}
    answer = browser.post("/invoices/act", data, follow=True)
    invoice.refresh_from_db()
    return answer.content.decode()


def overage(house: House, account: Account, net: int) -> Charge:
    """Charge for use, which no service's time hangs on."""
    service = house.service(account, "monthly", paid_until=house.provider.today())
    on = house.provider.today()
    terms = Terms.of(account, service.product, on)
    line = Quoted(
        ChargeKind.OVERAGE, 0, on, on + timedelta(days=1), None, 1,
        amount(net, 0, 190_000, gross=False), terms.tax_rate, terms.revenue, terms.tax,
    )  # fmt: skip
    (made,) = booking.book(service, [line], on=on)
    return made


def test_the_list_says_where_each_document_stands(
    house: House, account: Account, signed_in: SignedIn
) -> None:
    drafted(house, account, 10_00)
    late = issued(house, account, 20_00)
    invoicing.request_payment(account, [Line("Deposit", 50_00)], key="r")
    browser = signed_in(Role.VIEWER)
    shown = page(browser, "/invoices")
    for said in ("draft 1", late.number, "to be paid", "€23.80", "€50.00", account.number):
        assert said in shown
    with clock.at(clock.now() + timedelta(days=40)):
        shown = page(browser, "/invoices", state="overdue")
        of_account = page(browser, f"/client-accounts/{account.pk}")
    assert late.number in shown
    assert "draft 1" not in shown
    assert "overdue" in of_account.partition('id="panel-invoices"')[2].partition("</section>")[0]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "draft"}, "draft"),
        ({"state": "open"}, "issued request"),
        ({"state": "overdue"}, ""),
        ({"state": "paid"}, ""),
        ({"state": "closed"}, ""),
        ({"kind": "request"}, "request"),
        ({"q": "Ada Byron"}, "draft issued request"),
        ({"q": "2026-999999"}, ""),
        ({"company": "x", "kind": "nothing"}, ""),
        ({"issued_on_since": "2020-01-01"}, "issued request"),
    ],
    ids=str,
)
def test_filters_and_search_find_what_they_say(
    house: House, account: Account, signed_in: SignedIn, query: dict[str, str], found: str
) -> None:
    known = {
        "draft": drafted(house, account, 10_00),
        "issued": issued(house, account, 20_00),
        "request": invoicing.request_payment(account, [Line("x", 100)], key="r"),
    }
    shown = page(signed_in(Role.VIEWER), "/invoices", **query)
    assert {name for name, row in known.items() if f'/invoices/{row.pk}"' in shown} == set(
        found.split()
    )


def test_pages_have_a_fixed_number_of_queries(
    house: House, account: Account, signed_in: SignedIn
) -> None:
    browser = signed_in(Role.ROOT)
    first = issued(house, account, 10_00)
    made = Charge.objects.get(net_minor__gt=0)
    addresses = ("/invoices", f"/invoices/{first.pk}", "/charges", f"/charges/{made.pk}")
    counts = []
    for _more in range(2):
        asked = []
        for address in addresses:
            page(browser, address)
            with CaptureQueriesContext(connection) as queries:
                page(browser, address)
            asked.append(len(queries))
        counts.append(asked)
        issued(house, house.account(kind=Account.Kind.POSTPAID), 10_00, 20_00)
    assert counts[0] == counts[1]


def test_a_page_has_lines_tax_and_the_pdf_in_each_language(
    house: House, account: Account, signed_in: SignedIn
) -> None:
    row = issued(house, account, 10_00, 20_00)
    browser = signed_in(Role.VIEWER)
    shown = page(browser, f"/invoices/{row.pk}")
    for said in ("Monthly", "19\u00a0%", "€30.00", "€5.70", "€35.70", "Not paid; due on",
                 f"/documents/{row.pk}.pdf", f"/documents/{row.pk}.pdf?in=ru"):  # fmt: skip
        assert said in shown
    copy = browser.get(f"/documents/{row.pk}.pdf", {"in": "ru"})
    assert copy.content.startswith(b"%PDF")
    assert copy.content != browser.get(f"/documents/{row.pk}.pdf", {"in": "xx"}).content


def test_a_note_is_said_once_and_in_the_reader_s_language(
    house: House, account: Account, signed_in: SignedIn
) -> None:
    row = drafted(house, account, 10_00, note="closed: moved away")
    browser = signed_in(Role.VIEWER)
    shown = page(browser, f"/invoices/{row.pk}")
    assert shown.count("closed: moved away") == 1
    browser.cookies["billclock-language"] = "ru"
    assert page(browser, f"/invoices/{row.pk}").count("услуга закрыта: moved away") == 1


def test_hostile_notes_are_words_only(house: House, account: Account, signed_in: SignedIn) -> None:
    row = drafted(house, account, 10_00, note=SCRIPT)
    shown = page(signed_in(Role.VIEWER), f"/invoices/{row.pk}")
    assert "<script>" not in shown
    assert "\u202e" not in shown
    assert "&lt;script&gt;" in shown


def test_a_draft_is_made_of_chosen_charges_once_and_issued(
    house: House, account: Account, signed_in: SignedIn
) -> None:
    browser = signed_in(Role.ROOT)
    wanted, left = charge(house, account, 10_00), charge(house, account, 20_00)
    strange = charge(house, house.account(), 99_00)
    shown = page(browser, "/invoices/draft", account=account.number)
    assert f'value="{wanted.pk}"' in shown
    assert f'value="{strange.pk}"' not in shown
    data = {"account": account.number, "note": "by phone", "token": "t1", "do": "draft"}
    for _twice in range(2):
        browser.post("/invoices/draft", data | {"line": [str(wanted.pk), str(strange.pk)]})
    row = Invoice.objects.get()
    assert [line.charge_id for line in row.lines.all()] == [wanted.pk]
    assert row.note == "by phone"
    assert "Issued as" in act(browser, row, "issue")
    assert row.state == "issued"
    assert left.pk not in row.lines.values_list("charge", flat=True)
    assert AuditRow.objects.filter(act="invoices.draft").exists()
    assert "It is no draft." in act(browser, row, "issue")


def test_a_draft_of_nothing_says_what_to_take(
    house: House, account: Account, signed_in: SignedIn
) -> None:
    charge(house, account, 10_00)
    data = {"account": account.number, "token": "t", "do": "draft"}
    answer = signed_in(Role.ROOT).post("/invoices/draft", data)
    assert answer.status_code == 422
    assert "take charges of" in answer.content.decode()
    assert not Invoice.objects.exists()


def test_a_request_is_asked_for_by_hand_once(account: Account, signed_in: SignedIn) -> None:
    browser = signed_in(Role.ROOT)
    data = {"act": "request", "confirmed": "yes", "account": account.number, "text": "Deposit",
            "amount": "12.50", "token": "once"}  # fmt: skip
    for _twice in range(2):
        browser.post("/invoices/act", data)
    row = Invoice.objects.get()
    assert (row.kind, row.total_minor, row.state) == ("request", 12_50, "issued")
    for wrong in ({"amount": "0"}, {"amount": "-1"}, {"amount": "1.234"}, {"account": "nobody"}):
        refused = browser.post("/invoices/act", data | {"token": "other"} | wrong)
        assert refused.status_code == 200  # the form again, with what is wrong
    assert Invoice.objects.count() == 1
    act(browser, row, "cancel")
    assert row.state == "cancelled"
    browser.post("/invoices/act", data | {"token": "taxed", "taxed": "on", "amount": "119"})
    taxed = Invoice.objects.get(state="issued")
    assert (taxed.net_minor, taxed.tax_minor) == (100_00, 19_00)


def test_lines_are_credited_where_nothing_hangs_on_their_charges(
    house: House, account: Account, signed_in: SignedIn
) -> None:
    browser = signed_in(Role.ROOT)
    days, back, use = charge(house, account, 10_00), charge(house, account, 20_00), overage(
        house, account, 3_00
    )  # fmt: skip
    made = invoicing.draft(account, house.company, [days, back, use], key="k")
    row = invoicing.issue(made, house.provider.today())
    reverse(back)
    address = f"/invoices/{row.pk}/credit"
    assert "change or close the service first" in page(browser, address)
    by_charge = {line.charge_id: str(line.pk) for line in row.lines.all()}
    refused = browser.post(address, {"why": "x", "line": [by_charge[days.pk]]})
    assert refused.status_code == 422
    assert not row.credit_notes.exists()
    wanted = [by_charge[back.pk], by_charge[use.pk]]
    browser.post(address, {"why": "it was down", "line": wanted})
    note = row.credit_notes.get()
    assert (note.note, note.total_minor) == ("it was down", 23_00 * 119 // 100)
    assert Charge.objects.get(pk=use.pk).reversal.why == "it was down"
    assert browser.post(address, {"why": "again", "line": wanted}).status_code == 422
    assert_books_agree()


def test_a_document_is_signed_closed_and_opened_again(
    house: House, account: Account, signed_in: SignedIn, settings: object, tmp_path: Path
) -> None:
    settings.HOME = tmp_path  # type: ignore[attr-defined]
    browser = signed_in(Role.ROOT)
    row = issued(house, account, 10_00)
    far = house.provider.today() + timedelta(days=2)
    assert "That day has not come yet." in act(browser, row, "sign", on=far.isoformat())
    act(browser, row, "sign", on=house.provider.today().isoformat())
    assert row.signed_on == house.provider.today()
    act(browser, row, "close")
    assert row.state == "closed"
    act(browser, row, "reopen", why="a wrong note")
    assert row.state == "issued"
    assert AuditRow.objects.filter(act="invoice.reopen", after="a wrong note").exists()


def test_a_charge_tells_what_made_it(house: House, account: Account, signed_in: SignedIn) -> None:
    made = charge(house, account, 10_00)
    browser = signed_in(Role.VIEWER)
    shown = page(browser, f"/charges/{made.pk}")
    for said in ("€10.00", "19\u00a0% · DE", "€1.90", "€11.90", "Tax on a charge", "/DE"):
        assert said in shown
    reverse(made)
    assert "it was down" in page(browser, f"/charges/{made.pk}")
    assert "it was down" in page(browser, "/charges", state="reversed")
    assert "€11.90" not in page(browser, "/charges", state="live")
    table = async_to_sync(whole)(browser.get("/charges/csv")).decode()
    assert "11.90,EUR" in table


@pytest.mark.usefixtures("engine")
def test_a_number_that_no_text_of_the_books_can_have_finds_no_account(signed_in: SignedIn) -> None:
    assert signed_in().get("/invoices/draft", {"account": "A\0"}).status_code == 200


@pytest.mark.parametrize("few", [0, 9])
def test_charges_are_sifted_by_product_whether_few_or_many_have_it(
    house: House, account: Account, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(charges, "FEW_SERVICES", few)
    made, browser = charge(house, account, 10_00), signed_in(Role.VIEWER)
    product = made.service.product_id
    assert "€11.90" in page(browser, "/charges", product=str(product))
    for none in (str(product + 1), "9" * 30, "²"):
        assert "€11.90" not in page(browser, "/charges", product=none)
