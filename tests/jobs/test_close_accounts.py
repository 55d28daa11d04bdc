"""Invoices closed by their company's rule; credit notes written before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.billing import closing, invoicing
from billclock.billing.clients import Account
from billclock.billing.invoices import Invoice
from billclock.billing.provider import Closing
from billclock.jobs import registry
from billclock.jobs.report import Exit, Report
from tests.billing.charged import charge, reverse
from tests.billing.company import House

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("engine")]

ON = date(2026, 12, 1)


@pytest.fixture(autouse=True)
def night(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    settings.HOME = tmp_path
    with clock.at(datetime(2026, 12, 1, 2, 15, tzinfo=UTC)):
        yield


def founded(rule: Closing) -> tuple[House, Invoice]:
    house = House()
    house.company.closing, house.company.closing_days = rule, 10
    house.company.save()
    account = house.account(kind=Account.Kind.POSTPAID)
    made = invoicing.draft(account, house.company, [charge(house, account, 10_00)], key="k")
    return house, invoicing.issue(made, ON)


def job(on: date = ON, **how: object) -> Report:
    with clock.at(datetime(on.year, on.month, on.day, 2, 15, tzinfo=UTC)):
        return registry.perform("close_accounts", on=on, **how)


def state() -> str:
    return Invoice.objects.get(kind="invoice").state


def test_never_is_never():
    founded(Closing.NEVER)
    Invoice.objects.update(paid_on=ON, signed_on=ON)
    assert job(ON + timedelta(days=900)).done == 0
    assert state() == "issued"


def test_days_after_issue():
    founded(Closing.DAYS)
    assert job(ON + timedelta(days=9)).done == 0
    report = job(ON + timedelta(days=10))
    assert "acme-gmbh: 1 documents closed by its rule (days), over 11.90 EUR" in report.text()
    assert state() == "closed"
    assert Invoice.objects.get().closed_on == ON + timedelta(days=10)


def test_nothing_is_closed_ahead_of_its_day():
    founded(Closing.DAYS)
    report = registry.perform("close_accounts", on=ON + timedelta(days=10))
    assert "invoices would be closed ahead of their day" in report.text()
    assert (report.exit_code, state()) == (Exit.FAILED, "issued")


@pytest.mark.parametrize(("rule", "field"), [("paid", "paid_on"), ("signed", "signed_on")])
def test_when_paid_or_signed(rule: str, field: str):
    _, invoice = founded(Closing(rule))
    assert job(ON + timedelta(days=90)).done == 0
    if rule == "signed":
        closing.sign(invoice, ON)
    else:
        Invoice.objects.update(**{field: ON})
    assert job(ON).done == 1
    assert closing.place(Invoice.objects.get()).exists()


def test_twice_is_once_and_a_draft_or_request_is_left():
    house, invoice = founded(Closing.DAYS)
    account = invoice.account
    invoicing.draft(account, house.company, [charge(house, account, 1_00)], key="draft")
    late = ON + timedelta(days=30)
    assert job(late).done == 1
    again = job(late)
    assert (again.done, again.exit_code) == (0, Exit.DONE)
    assert Invoice.objects.filter(state="draft").count() == 1


def test_a_rehearsal_changes_nothing(tmp_path: Path):
    _, invoice = founded(Closing.DAYS)
    reverse(invoice.lines.get().charge)
    report = job(ON + timedelta(days=10), dry_run=True)
    assert "1 documents would be closed" in report.text()
    assert "would be written credit notes" in report.text()
    assert (state(), Invoice.objects.count()) == ("issued", 1)
    assert not (tmp_path / "documents").exists()


def test_an_invoice_that_cannot_be_kept_does_not_hold_the_others_up(tmp_path: Path):
    house, _ = founded(Closing.DAYS)
    account = house.account(kind=Account.Kind.POSTPAID)
    made = invoicing.draft(account, house.company, [charge(house, account, 1_00)], key="other")
    other = invoicing.issue(made, ON)
    in_the_way = tmp_path / "documents" / "acme-gmbh"
    in_the_way.parent.mkdir()
    in_the_way.write_text("no folder")
    late = ON + timedelta(days=10)
    report = job(late)
    assert (report.exit_code, len(report.failed)) == (Exit.FAILED, 2)
    in_the_way.unlink()
    assert job(late).done == 2
    other.refresh_from_db()
    assert other.state == Invoice.State.CLOSED


def test_credit_notes_are_closed_with_paid_ones():
    _, invoice = founded(Closing.PAID)
    reverse(invoice.lines.get().charge)
    report = job()
    assert "1 credit notes over 11.90 EUR" in report.text()
    assert Invoice.objects.get(kind="credit note").state == "closed"
    assert job().done == 0


def test_it_explains_a_number():
    _, invoice = founded(Closing.DAYS)
    told = job(ON + timedelta(days=10), explain=invoice.number).text()
    assert "whose rule is: days (10)" in told
    assert "it is due to be closed on 2026-12-11" in told
    assert "there is no document" in job(explain="2026-999999").text()
