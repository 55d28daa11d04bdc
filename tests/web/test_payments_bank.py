"""Bank entries on screen: imported once, assigned or set aside by a person, told line by line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billclock import clock
from billclock.accounts.models import Role
from billclock.billing import banking, following, paying, tasks
from billclock.billing.invoices import Invoice
from billclock.billing.payments import Arrival, BankEntry, Payment
from billclock.billing.services import Task
from billclock.jobs import registry
from tests.billing.company import House, balance
from tests.billing.statements import DEBIT, camt, details, entry
from tests.billing.tills import bank

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def house(settings, tmp_path):
    settings.HOME = tmp_path
    with clock.at(NOON):
        yield House()


@pytest.fixture
def method(house: House) -> Any:
    return bank(house)


def act(browser: Client, name: str, row: Any, **given: str) -> str:
    sent = {"act": name, "entry": str(row.pk), "confirmed": "yes", **given}
    return browser.post("/bank-entries/act", sent, follow=True).content.decode()


def upload(browser: Client, method: Any, data: bytes) -> str:
    file = SimpleUploadedFile("statement.xml", data)
    sent = {"method": str(method.pk), "file": file}
    return browser.post("/bank-entries/upload", sent).content.decode()


def test_a_file_is_imported_once_and_each_line_told(method: Any, signed_in: SignedIn) -> None:
    browser = signed_in()
    file = camt(entry("12.50", details("<b>who</b> knows")))
    told = upload(browser, method, file)
    assert "Wait for a person" in told
    assert "<b>who" not in told
    assert BankEntry.objects.count() == 1
    assert "Known already" in upload(browser, method, file)
    assert BankEntry.objects.count() == 1


def test_what_is_no_statement_changes_nothing(method: Any, signed_in: SignedIn) -> None:
    browser = signed_in()
    assert "layout" in upload(browser, method, b"no statement at all")
    assert "alert" in upload(browser, method, b"<Document><broken")
    assert not BankEntry.objects.exists()


@pytest.fixture
def waiting(method: Any) -> BankEntry:
    banking.import_statement(method, camt(entry("12.50", details("who knows"))))
    return BankEntry.objects.get()


def test_a_person_assigns_what_waits(
    house: House, method: Any, waiting: BankEntry, signed_in: SignedIn
) -> None:
    account = house.account()
    payment = paying.request(account, method, 12_50, key="p1")
    browser = signed_in()
    assert "waits for a person" in browser.get("/bank-entries").content.decode()
    assert "There is no payment, invoice or account" in act(browser, "assign", waiting, to="x<y>")
    assert payment.number in act(browser, "assign", waiting, to=payment.number)
    assert balance(account) == 12_50
    assert not Task.objects.filter(done_at=None).exists()
    assert "booked already" in act(browser, "assign", waiting, to=payment.number)
    assert balance(account) == 12_50


def test_a_clerk_may_type_a_number_as_he_likes(
    house: House, method: Any, waiting: BankEntry, signed_in: SignedIn
) -> None:
    accounts = [house.account(), house.account()]
    for place, account in enumerate(accounts):
        paying.request(account, method, 12_50, key=f"p{place}")
    numbers = Payment.objects.order_by("pk").values_list("number", flat=True)
    Payment.objects.filter(number=numbers[0]).update(number="acme-P007")
    Payment.objects.filter(number=numbers[1]).update(number="ACME-P7")
    browser = signed_in()
    asked = act(browser, "assign", waiting, to="# acme p 07")
    assert "More than one has the number # acme p 07: acme-P007 (a payment)" in asked
    assert balance(accounts[1]) == 0
    act(browser, "assign", waiting, to=" ACME-P7 ", sort="payment")
    assert balance(accounts[1]) == 12_50


def test_what_follows_and_fails_leaves_the_entry_booked_and_is_done_later(
    house: House, method: Any, waiting: BankEntry, signed_in: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    account = house.account()
    made = Invoice.objects.create(
        key="R-7", company=account.company, account=account, currency="EUR", net_minor=12_50
    )
    made.lines.create(position=1, text="hosting", net_minor=12_50)
    Invoice.objects.filter(pk=made.pk).update(number="R-7", issued_on=NOON.date(), state="issued")
    with monkeypatch.context() as broken:
        broken.setattr(following, "mark_paid", lambda _account: 1 // 0)
        told = act(signed_in(), "assign", waiting, to=account.number)
    assert "What follows it could not be done now, and is tried again every hour." in told
    assert balance(account) == 12_50
    assert "ZeroDivisionError" in Arrival.objects.get().last_error
    for minutes in (9, 11):
        with clock.at(NOON + timedelta(minutes=minutes)):
            registry.perform("autosuspend", on=NOON.date())
            made.refresh_from_db()
            assert (made.paid_on is not None) is (minutes == 11)
    assert not Arrival.objects.exists()


def test_what_went_out_is_known_until_a_person_sets_it_aside(
    method: Any, signed_in: SignedIn
) -> None:
    banking.import_statement(method, camt(entry("12.50", details("office lease"), sign=DEBIT)))
    gone = BankEntry.objects.get()
    browser = signed_in()
    assert "office lease" in browser.get("/bank-entries?state=out").content.decode()
    act(browser, "aside", gone, why="it is no money that came in")
    assert "office lease" not in browser.get("/bank-entries?state=out").content.decode()
    assert "office lease" in browser.get("/bank-entries?state=aside").content.decode()


def test_a_person_sets_aside_with_a_reason(waiting: BankEntry, signed_in: SignedIn) -> None:
    browser = signed_in()
    act(browser, "aside", waiting, why="our own transfer")
    waiting.refresh_from_db()
    assert "our own transfer" in waiting.why
    assert "who knows" not in browser.get("/bank-entries").content.decode()
    assert "set aside" in browser.get(f"/bank-entries/{waiting.pk}").content.decode()


def test_the_list_has_a_fixed_number_of_queries(
    method: Any, waiting: BankEntry, signed_in: SignedIn
) -> None:
    browser, counts = signed_in(Role.VIEWER), []
    for number in range(3):
        banking.import_statement(method, camt(entry("1.00", details(f"n{number}"))))
        with CaptureQueriesContext(connection) as asked:
            browser.get("/bank-entries")
        counts.append(len(asked))
    assert counts[1] == counts[2]


def test_a_task_is_not_ended_while_its_entrys_money_waits(
    house: House, waiting: BankEntry, signed_in: SignedIn
) -> None:
    task, browser = Task.objects.get(), signed_in()
    shown = browser.get(f"/tasks/{task.pk}").content.decode()
    assert f'href="/bank-entries/{waiting.pk}"' in shown
    sent = {"act": "done", "entry": str(task.pk)}
    told = browser.post("/tasks/act", sent, follow=True).content.decode()
    assert "its money waits; assign the entry, or set it aside" in told
    russian = {"accept-language": "ru"}
    told = browser.post("/tasks/act", sent, follow=True, headers=russian).content.decode()
    assert "её деньги ждут; назначьте запись или отложите её" in told
    task.refresh_from_db()
    assert task.done_at is None
    assert "waits for a person" in browser.get("/bank-entries").content.decode()
    act(browser, "assign", waiting, to=house.account().number)
    task.refresh_from_db()
    assert task.done_at is not None


def test_a_task_whose_entry_was_decided_or_is_gone_is_ended(waiting: BankEntry) -> None:
    task = Task.objects.get()
    banking.set_aside(waiting, "ours", by="ada")
    Task.objects.update(done_at=None, done_by="")
    tasks.finish(task, by="eve")
    Task.objects.update(done_at=None, done_by="", key="bank nobody x")
    tasks.finish(task, by="eve")
    assert Task.objects.get().done_by == "eve"
