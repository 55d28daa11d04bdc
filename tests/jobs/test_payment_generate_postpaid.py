"""Monthly invoices: one an account and month, whatever is cut off, repeated, late or too much."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.billing import (
    closing,
    credit_limits,
    fingerprint,
    following,
    overview,
    papers,
    verifying,
)  # fmt: skip
from billclock.billing.clients import Account
from billclock.billing.daily import run as daily
from billclock.billing.invoices import Invoice, InvoiceLine
from billclock.billing.notifications import Notice
from billclock.billing.payments import Payment, PaymentMethod
from billclock.billing.postpaid import run
from billclock.billing.postpaid.month import JOB, months
from billclock.billing.progress import JobRun, Parked, Watermark
from billclock.billing.provider import Company
from billclock.jobs import registry
from billclock.jobs.report import Exit, Report
from tests.billing.charged import NOVEMBER, charge, reverse
from tests.billing.company import House, assert_books_agree, balance
from tests.billing.papers import text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("engine")]

ON = date(2026, 12, 1)
POSTPAID, CREDIT = Account.Kind.POSTPAID, Account.Kind.CREDIT


@pytest.fixture(autouse=True)
def night(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    settings.HOME = tmp_path
    with clock.at(datetime(2026, 12, 1, 2, 25, tzinfo=UTC)):
        yield


@pytest.fixture
def house(engine: str) -> House:
    return House()


def job(on: date = ON, **how: Any) -> Report:
    with clock.at(datetime(on.year, on.month, on.day, 2, 25, tzinfo=UTC)):
        return registry.perform(JOB, on=on, **how)


def bank(house: House) -> PaymentMethod:
    return PaymentMethod.objects.create(
        code="bank", name="Bank", plugin="bank_transfer", provider=house.provider,
        currency_id="EUR",
    )  # fmt: skip


def invoices(**about: Any) -> list[tuple[str, int]]:
    found = Invoice.objects.filter(**about).order_by("id")
    return [(made.key.split()[-1], made.total_minor) for made in found]


def sound() -> None:
    assert_books_agree()
    assert list(verifying.breaches()) == []


def test_a_month_becomes_an_invoice_a_payment_and_a_letter(house: House):
    method = bank(house)
    account = house.account(kind=POSTPAID)
    charge(house, account, 10_00)
    charge(house, account, 5_00)
    charge(house, account, 90_00, on=ON)
    report = job()
    assert (report.exit_code, report.done) == (Exit.DONE, 1)
    assert "acme 2026-11: 1 invoices written (17.85 EUR)" in report.text()
    (invoice,) = Invoice.objects.all()
    assert (invoice.number, invoice.issued_on) == ("2026-000001", ON)
    assert (invoice.net_minor, invoice.tax_minor) == (15_00, 2_85)
    payment = Payment.objects.get(invoice=invoice)
    assert (payment.method, payment.amount_minor, payment.state) == (method, 17_85, 1)
    assert Notice.objects.get(kind="invoice").subject == invoice.pk
    printed = text(papers.pdf(invoice))
    assert invoice.number in printed
    assert "Total 17.85 EUR" in printed
    sound()


def test_a_month_that_is_not_over_is_invoiced_by_nobody(house: House):
    charge(house, house.account(kind=POSTPAID), 10_00)
    with clock.at(datetime(2026, 11, 24, tzinfo=UTC)):
        report = registry.perform(JOB, on=ON)
    assert report.exit_code == Exit.FAILED
    assert "2026-12-01 has not begun: acme has 2026-11-24" in report.text()
    assert not Invoice.objects.exists()
    assert job().done == 1


@pytest.mark.parametrize(("currency", "total"), [("JPY", "1,190"), ("KWD", "1.190")])
def test_a_month_in_other_currencies(engine: str, currency: str, total: str):
    house = House(currency=currency)
    charge(house, house.account(kind=POSTPAID), 1000)
    assert f"({total.replace(',', '')} {currency})" in job().text()
    assert f"Total {total} {currency}" in text(papers.pdf(Invoice.objects.get()))


def test_who_pays_before_and_who_owes_nothing_has_none(house: House):
    charge(house, house.account(50_00), 10_00)
    house.service(house.account(kind=POSTPAID))
    report = job()
    assert (report.done, Invoice.objects.count()) == (0, 0)
    assert "0 invoices written (nothing to be paid)" in report.text()


def test_credit_accounts_by_the_providers_setting(house: House):
    account = house.account(kind=CREDIT, limit=100_00)
    charge(house, account, 10_00)
    house.provider.invoices_for_credit = False
    house.provider.save()
    with transaction.atomic():
        assert job().done == 0
        transaction.set_rollback(True)
    house.provider.invoices_for_credit = True
    house.provider.save()
    assert job().done == 1
    assert Invoice.objects.get().due_on == ON + timedelta(days=30)


def test_a_company_has_an_invoice_of_its_own(house: House):
    account = house.account(kind=POSTPAID)
    charge(house, account, 10_00)
    other = Company.objects.create(
        provider=house.provider, code="acme-bv", name="Acme BV", country="DE",
        number_template="BV-{number:04}",
    )  # fmt: skip
    house.product("dutch", {1: 20_00}, company=other)
    charge(house, account, 20_00, product="dutch")
    job()
    made = Invoice.objects.order_by("number").values_list("number", "net_minor", "company__code")
    assert list(made) == [("2026-000001", 10_00, "acme-gmbh"), ("BV-0001", 20_00, "acme-bv")]


def test_twice_is_once_and_what_is_charged_late_waits_for_the_next_month(house: House):
    account = house.account(kind=POSTPAID)
    charge(house, account, 10_00)
    job()
    charge(house, account, 3_00, on=date(2026, 11, 30))
    again = job()
    assert "is done already" in again.text()
    assert (again.done, invoices()) == (0, [("2026-11", 11_90)])
    charge(house, account, 5_00, on=date(2026, 12, 5))
    job(date(2027, 1, 1))
    assert invoices() == [("2026-11", 11_90), ("2026-12", 3_57 + 5_95)]
    sound()


def test_months_that_were_missed_are_done_in_order(house: House):
    Watermark.objects.create(job=JOB, provider=house.provider, on=date(2026, 10, 1))
    account = house.account(kind=POSTPAID)
    charge(house, account, 10_00, on=date(2026, 10, 5))
    charge(house, account, 20_00)
    assert [str(month) for month in months(house.provider, date(2026, 12, 7))] == [
        "2026-10", "2026-11",
    ]  # fmt: skip
    job(date(2026, 12, 7))
    assert invoices() == [("2026-10", 11_90), ("2026-11", 23_80)]
    assert set(Invoice.objects.values_list("issued_on", flat=True)) == {date(2026, 12, 7)}
    assert Watermark.objects.get(job=JOB).on == ON
    sound()


def test_many_months_at_once_ask_first(house: House):
    Watermark.objects.create(job=JOB, provider=house.provider, on=date(2026, 8, 1))
    charge(house, house.account(kind=POSTPAID), 10_00)
    refused = job()
    assert refused.exit_code == Exit.FAILED
    assert "4 months, 2026-08 to 2026-11" in refused.text()
    assert Invoice.objects.count() == 0
    assert JobRun.objects.get(job=JOB).state == JobRun.State.STOPPED
    assert job(confirm=True).done == 1


def test_a_sum_beyond_belief_asks_first(house: House):
    for _ in range(12):
        charge(house, house.account(kind=POSTPAID), 10_00)
    job()
    for account in Account.objects.filter(kind=POSTPAID):
        charge(house, account, 31_00, on=date(2026, 12, 5))
    january = date(2027, 1, 1)
    refused = job(january)
    assert refused.exit_code == Exit.FAILED
    assert "more than 3 times" in refused.text()
    assert Invoice.objects.count() == 12
    rehearsed = job(january, dry_run=True)
    assert "it would stop and ask first" in rehearsed.text()
    assert rehearsed.done == 12
    assert job(january, confirm=True).done == 12
    sound()


def test_few_invoices_are_believed_whatever_they_sum_to(house: House):
    account = house.account(kind=POSTPAID)
    charge(house, account, 1_00)
    job()
    charge(house, account, 900_00, on=date(2026, 12, 5))
    assert job(date(2027, 1, 1)).done == 1


def test_a_rehearsal_says_all_and_changes_nothing(house: House):
    account = house.account(kind=POSTPAID)
    charge(house, account, 10_00)
    before = fingerprint.take()
    report = job(dry_run=True)
    assert "1 invoices would be written (11.90 EUR)" in report.text()
    assert fingerprint.take() == before
    job()
    charge(house, account, 30_00, on=date(2026, 12, 5))
    told = job(date(2027, 1, 1), dry_run=True).text()
    assert "compared with the run of 2026-12-01: hosting: 11.90 -> 35.70 EUR" in told


def test_it_explains_an_account(house: House):
    account = house.account(kind=POSTPAID)
    charge(house, account, 10_00)
    told = job(explain=account.number).text()
    assert "is postpaid and is invoiced by the month" in told
    assert "on no invoice yet: 1 charges" in told
    job()
    told = job(explain=account.number).text()
    assert "2026-000001, issued on 2026-12-01" in told
    assert "on no invoice yet: 0 charges" in told
    assert "is not invoiced" in job(explain=house.account().number).text()
    assert "there is no account" in job(explain="nobody").text()


def test_an_account_that_fails_is_parked_and_invoiced_later_with_what_it_owes(house: House):
    accounts = [house.account(kind=POSTPAID) for _ in range(5)]
    for account in accounts:
        charge(house, account, 10_00)
    ill = accounts[2]
    method = bank(house)
    Payment.objects.create(
        key=f"invoice postpaid {ill.number} acme-gmbh EUR 2026-11", number="odd", account=ill,
        method=method, amount_minor=1, created_at=clock.now(), created_on=ON,
    )  # fmt: skip
    report = job()
    assert report.exit_code == Exit.FAILED
    assert list(Parked.objects.values_list("account_id", flat=True)) == [ill.pk]
    assert Invoice.objects.count() == 4
    places = Invoice.objects.order_by("place").values_list("place", flat=True)
    assert list(places) == [1, 2, 3, 4]
    sound()


def test_a_month_in_which_he_was_parked_stands_on_the_next_invoice(house: House):
    account = house.account(kind=POSTPAID)
    charge(house, account, 10_00)
    parked = Parked.objects.create(
        account=account, reason="odd", since=clock.now(),
        run=JobRun.objects.create(
            job="x", provider=house.provider, on=ON, started_at=clock.now()
        ),
    )  # fmt: skip
    assert job().done == 0
    parked.delete()
    charge(house, account, 5_00, on=date(2026, 12, 5))
    job(date(2027, 1, 1))
    assert invoices() == [("2026-12", 17_85)]


def test_what_was_paid_before_he_paid_afterwards_stays_off(house: House):
    account = house.account(100_00)
    charge(house, account, 50_00, on=date(2026, 6, 5))
    charge(house, account, 30_00, on=date(2026, 10, 5))
    Account.objects.filter(pk=account.pk).update(kind=POSTPAID)
    account.funds.floor_minor = -(2**62)
    account.funds.save(update_fields=["floor_minor"])
    charge(house, account, 10_00)
    job()
    assert invoices() == [("2026-11", 11_90)]


def test_reversed_charges_stay_off_and_one_reversed_later_is_credited(house: House):
    account = house.account(kind=POSTPAID)
    kept, back = charge(house, account, 10_00), charge(house, account, 5_00)
    reverse(back)
    job()
    assert invoices() == [("2026-11", 11_90)]
    reverse(kept)
    report = registry.perform("close_accounts", on=ON)
    assert "1 credit notes over 11.90 EUR" in report.text()
    assert balance(account) == 0
    sound()


# money that comes


def test_the_oldest_invoice_is_paid_first_and_this_months_charges_do_not_count(house: House):
    account = house.account(kind=POSTPAID)
    charge(house, account, 10_00)
    job()
    charge(house, account, 20_00, on=date(2026, 12, 5))
    house.pay(account, 11_90, on=date(2026, 12, 9))
    following.mark_paid(account)
    assert Invoice.objects.get().paid_on == ON
    job(date(2027, 1, 1))
    assert invoices(paid_on=None) == [("2026-12", 23_80)]


def test_a_payment_that_is_not_needed_any_more_is_cancelled(house: House):
    bank(house)
    account = house.account(kind=POSTPAID)
    charge(house, account, 10_00)
    job()
    house.pay(account, 11_90)
    assert following.mark_paid(account) == 1
    assert Payment.objects.get().state == Payment.State.CANCELLED


def test_a_credit_note_lowers_what_is_asked_for_and_what_is_open(house: House):
    bank(house)
    account = house.account(kind=POSTPAID)
    charge(house, account, 10_00)
    back = charge(house, account, 5_00)
    job()
    reverse(back)
    registry.perform("close_accounts", on=ON)
    assert Payment.objects.get().amount_minor == 11_90
    assert overview._owed() == {"EUR": {"open": [1, 11_90]}}
    Invoice.objects.filter(kind="invoice").update(state=Invoice.State.CLOSED, digest="sealed")
    assert overview._owed() == {"EUR": {"open": [1, 11_90]}}
    house.pay(account, 11_90)
    assert following.mark_paid(account) == 1


# credit limits


@pytest.mark.parametrize("by_invoice", [True, False])
def test_a_limit_is_taken_away_while_a_debt_is_overdue(house: House, by_invoice: bool):
    house.provider.invoices_for_credit = by_invoice
    house.provider.save()
    account = house.account(kind=CREDIT, limit=500_00)
    charge(house, account, 10_00)
    job()
    last = (ON if by_invoice else NOVEMBER) + timedelta(days=30)
    assert credit_limits.settle(house.provider, last) == (0, 0)
    assert credit_limits.settle(house.provider, last + timedelta(days=1)) == (1, 0)
    assert credit_limits.settle(house.provider, last + timedelta(days=2)) == (0, 0)
    charge(house, account, 5_00, on=last)
    with clock.at(datetime.combine(last + timedelta(days=2), datetime.min.time(), UTC)):
        house.pay(account, 11_90, on=last)
        following.follow(account)
    account.refresh_from_db()
    assert not account.credit_blocked


def test_a_day_of_billing_takes_the_limit_away_before_it_charges(house: House):
    account = house.account(kind=CREDIT, limit=500_00)
    charge(house, account, 10_00)
    job()
    on = ON + timedelta(days=31)
    service = house.service(account, paid_until=on)
    figures = daily.bill(house.provider, on, daily.Plan())
    assert (figures.counts["unfunded"], Account.objects.get().credit_blocked) == (2, True)
    service.refresh_from_db()
    assert service.paid_until == on


# cut off


class Killed(BaseException):
    """Ends a run as a kill does: nothing catches it."""


@contextmanager
def killed_at(statement: int) -> Iterator[list[int]]:
    """Let the n-th statement that reads or writes be the last, once."""
    count = [0]

    def watch(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            count[0] += 1
            if count[0] == statement:
                raise Killed
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        yield count


def test_cut_off_at_any_statement_and_run_again_it_is_the_same(house: House):
    bank(house)
    for _ in range(2):
        account = house.account(kind=POSTPAID)
        for net in (13, 13, 13):
            charge(house, account, net)
    (month,) = months(house.provider, ON)
    plan = run.Plan(lines=4)

    with transaction.atomic():
        with killed_at(0) as count:
            run.bill(month, plan)
        expected = fingerprint.take()
        assert (Invoice.objects.count(), Payment.objects.count()) == (2, 2)
        sound()
        transaction.set_rollback(True)
    assert count[0] > 20
    for statement in range(1, count[0] + 1):
        with transaction.atomic():
            with pytest.raises(Killed), killed_at(statement):
                run.bill(month, plan)
            run.bill(month, plan)
            assert fingerprint.take() == expected, statement
            transaction.set_rollback(True)


def test_what_closes_it_is_for_another_month(house: House):
    account = house.account(kind=POSTPAID)
    charge(house, account, 10_00)
    job()
    closing.close(Invoice.objects.get())
    charge(house, account, 20_00, on=date(2026, 12, 5))
    job(date(2027, 1, 1))
    assert InvoiceLine.objects.count() == 2
    sound()
