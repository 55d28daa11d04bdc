"""Invoices: drafted, issued, credited, closed; what stays then; on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billclock import clock
from billclock.accounts.models import AuditRow, Role, User
from billclock.billing import (
    closing,
    crediting,
    following,
    insert_only,
    invoicing,
    ledger,
    papers,
    paying,
    verifying,
)
from billclock.billing import engine as sql
from billclock.billing.catalog import Cycle, Product
from billclock.billing.charges import Charge
from billclock.billing.clients import Contact, Payer
from billclock.billing.daily import run
from billclock.billing.errors import DocumentError
from billclock.billing.invoice_lines import Line
from billclock.billing.invoices import Invoice, InvoiceLine, NumberSequence
from billclock.billing.ledger import Cause, LedgerAccount, Transfer
from billclock.billing.notifications import Notice
from billclock.billing.payments import Payment, PaymentMethod
from billclock.billing.provider import TaxRate
from tests.billing.charged import DECEMBER, POSTPAID, charge, issued, post, reverse, sound
from tests.billing.company import LONG_AGO, TODAY, House, assert_books_agree, balance, noon
from tests.billing.papers import read, text

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def home(settings, tmp_path: Path) -> Path:
    settings.HOME = tmp_path
    return tmp_path


@pytest.fixture
def today() -> Iterator[None]:
    with clock.at(noon(DECEMBER)):
        yield


def rounding_of(house: House) -> int:
    found = LedgerAccount.objects.filter(kind=ledger.Kind.ROUNDING, owner=house.company.code)
    return sum(held.balance_minor for held in found)


def test_an_issued_invoice_has_number_lines_taxes_parties_and_a_letter(today):
    house = House()
    account = house.account(kind=POSTPAID)
    Payer.objects.create(client=account.client, name="unused")
    account.payer = Payer.objects.create(
        client=account.client, name="Byron Ltd", address="1 Mill Road\nLondon", country="GB",
        tax_number="GB1",
    )  # fmt: skip
    account.save()
    invoice = issued(house, account, 10_00, 20_00)
    assert (invoice.number, invoice.state) == ("2026-000001", Invoice.State.ISSUED)
    assert (invoice.net_minor, invoice.tax_minor, invoice.rounding_minor) == (30_00, 5_70, 0)
    assert invoice.due_on == DECEMBER + timedelta(days=14)
    assert invoice.seller["name"] == "Acme GmbH"
    assert invoice.buyer["name"] == "Byron Ltd"
    assert invoice.buyer["address"] == ["1 Mill Road", "London", "United Kingdom"]
    assert Notice.objects.get(kind="invoice").subject == invoice.pk
    assert (invoice.covered_minor, invoice.paid_on) == (0, None)
    sound()


def test_tax_by_rate_differs_from_tax_by_line_and_books_and_invoice_agree(today):
    house = House()
    account = house.account(kind=POSTPAID)
    charges = post(house, account, *[13] * 3)  # 19 % of 0.13 is 0.0247, of 0.39 0.0741
    assert sum(one.tax_minor for one in charges) == 6
    invoice = invoicing.issue(invoicing.draft(account, house.company, charges, key="k"), DECEMBER)
    assert (invoice.tax_minor, invoice.rounding_minor) == (7, 1)
    assert balance(account) == -invoice.total_minor
    tax = LedgerAccount.objects.get(kind=ledger.Kind.TAX, currency="EUR")
    assert tax.balance_minor == 7
    assert Transfer.objects.filter(cause=Cause.ROUNDING).count() == 2
    sound()


def test_by_line_nothing_is_rounded_again(today):
    house = House()
    house.company.tax_by_line = True
    house.company.save()
    invoice = issued(house, house.account(kind=POSTPAID), 13, 13, 13)
    assert (invoice.tax_minor, invoice.rounding_minor) == (6, 0)
    sound()


def test_on_gross_prices_the_total_stands_and_the_tax_moves(today):
    house = House()
    house.company.prices_gross = True
    house.company.save()
    house = reloaded(house)
    account = house.account(kind=POSTPAID)
    invoice = issued(house, account, *[16] * 4)
    assert invoice.total_minor == 64
    assert (invoice.tax_minor, invoice.rounding_minor) == (10, -2)
    assert balance(account) == -64
    assert rounding_of(house) == 2
    sound()


def reloaded(house: House) -> House:
    house.products = {name: Product.objects.get(pk=p.pk) for name, p in house.products.items()}
    return house


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    nets=st.lists(st.integers(1, 10_000), min_size=1, max_size=12),
    gross=st.booleans(), by_line=st.booleans(),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]), ppm=st.sampled_from([0, 70_000, 190_000]),
)  # fmt: skip
def test_whatever_is_charged_lines_give_the_total_and_books_agree(
    engine, nets, gross, by_line, currency, ppm
):
    with transaction.atomic(), clock.at(noon(DECEMBER)):
        house = House(currency=currency, tax_ppm=ppm)
        house.company.prices_gross, house.company.tax_by_line = gross, by_line
        house.company.save()
        account = reloaded(house).account(kind=POSTPAID)
        invoice = issued(house, account, *nets)
        lines = list(invoice.lines.all())
        assert sum(line.net_minor for line in lines) == invoice.net_minor
        assert sum(line.tax_minor for line in lines) == invoice.tax_minor
        assert balance(account) == -invoice.total_minor
        for posted in Charge.objects.filter(net_minor__gt=0):
            reverse(posted)
        (note,) = crediting.credit_reversed(account)
        assert (note.net_minor, note.tax_minor) == (invoice.net_minor, invoice.tax_minor)
        assert balance(account) == rounding_of(house) == 0
        assert_books_agree()
        transaction.set_rollback(True)


@pytest.mark.parametrize(("currency", "total"), [("JPY", "1,190"), ("KWD", "1.190")])
def test_currencies_without_and_with_three_decimals(currency, total, today):
    house = House(currency=currency)
    invoice = issued(house, house.account(kind=POSTPAID), 1000)
    assert f"Total {total} {currency}" in text(papers.pdf(invoice))


def test_money_that_lies_there_pays_the_invoice_when_it_is_issued(today):
    house = House()
    account = house.account(5_00, kind=POSTPAID)
    part = issued(house, account, 10_00)
    assert (part.covered_minor, part.paid_on) == (5_00, None)
    assert "Amount due 6.90 EUR" in text(papers.pdf(part))
    rich = house.account(100_00, kind=POSTPAID)
    whole = issued(house, rich, 10_00)
    assert (whole.covered_minor, whole.paid_on) == (11_90, DECEMBER)


def test_what_is_on_no_invoice_yet_is_not_this_invoices_debt(today):
    house = House()
    account = house.account(11_90, kind=POSTPAID)
    before = post(house, account, 10_00)
    charge(house, account, 50_00, on=DECEMBER)
    made = invoicing.draft(account, house.company, before, key="k")
    assert invoicing.issue(made, DECEMBER).paid_on == DECEMBER


def test_a_charge_stands_on_one_invoice(today):
    house = House()
    account = house.account(kind=POSTPAID)
    (one,) = post(house, account, 10_00)
    invoicing.draft(account, house.company, [one], key="k")
    with pytest.raises(DocumentError, match=f"charges {one.pk} cannot stand"):
        invoicing.draft(account, house.company, [one], key="other")
    assert invoicing.draft(account, house.company, [one], key="k").lines.count() == 1


def test_strange_free_and_reversed_charges_are_refused(today):
    house = House()
    account, other = house.account(kind=POSTPAID), house.account(kind=POSTPAID)
    (strange,) = post(house, other, 10_00)
    (back,) = post(house, account, 10_00)
    reverse(back)
    free = Charge.objects.filter(net_minor=0).first()
    for charges in ([strange], [back], [free], []):
        with pytest.raises(DocumentError):
            invoicing.draft(account, house.company, charges, key="k")
    assert Invoice.objects.count() == 0


def test_a_draft_whose_charge_was_taken_back_is_not_issued(today):
    house = House()
    account = house.account(kind=POSTPAID)
    (one,) = post(house, account, 10_00)
    made = invoicing.draft(account, house.company, [one], key="k")
    reverse(one)
    with pytest.raises(DocumentError, match="was taken back"):
        invoicing.issue(made, DECEMBER)
    assert NumberSequence.objects.filter(kind="invoice").count() == 0


def test_a_cancelled_draft_frees_charges_and_key_and_draws_no_number(today):
    house = House()
    account = house.account(kind=POSTPAID)
    charges = post(house, account, 10_00)
    dropped = invoicing.cancel(invoicing.draft(account, house.company, charges, key="k"))
    again = invoicing.issue(invoicing.draft(account, house.company, charges, key="k"), DECEMBER)
    assert (again.number, dropped.number) == ("2026-000001", "")
    with pytest.raises(DocumentError, match="credit note"):
        invoicing.cancel(again)
    with pytest.raises(DocumentError, match="is issued, and no draft"):
        invoicing.issue(again, DECEMBER)


def test_numbers_have_no_gap_after_what_failed_and_begin_again_with_a_year(today):
    house = House()
    account = house.account(kind=POSTPAID)
    issued(house, account, 1_00)
    with transaction.atomic():
        issued(house, account, 2_00)
        transaction.set_rollback(True)
    assert issued(house, account, 3_00).number == "2026-000002"
    late = invoicing.draft(account, house.company, post(house, account, 1), key="late")
    assert invoicing.issue(late, date(2027, 1, 1)).number == "2027-000001"
    sound()


def test_a_request_to_pay_moves_nothing_and_can_be_cancelled(today):
    house = House()
    account = house.account()
    lines = [Line("Web, a month", 10_00, 1_90, 190_000, "DE", start=DECEMBER, end=date(2027, 1, 1))]
    request = invoicing.request_payment(account, lines, key="forecast 1")
    assert invoicing.request_payment(account, lines, key="forecast 1").pk == request.pk
    assert (request.number, request.total_minor) == ("REQ-2026-000001", 11_90)
    assert (request.rounding_minor, balance(account)) == (0, 0)
    assert "Payment request" in text(papers.pdf(request))
    assert invoicing.cancel(request).state == Invoice.State.CANCELLED
    sound()


def test_a_request_whose_payment_came_is_paid(today):
    house = House()
    account = house.account()
    request = invoicing.request_payment(account, [Line("Web", 10_00)], key="forecast 1")
    method = PaymentMethod.objects.create(
        code="bank", name="Bank", plugin="bank_transfer", provider=house.provider,
        currency_id="EUR",
    )  # fmt: skip
    payment = paying.request(account, method, 10_00, key="p", invoice=request)
    following.mark_paid(account)
    assert Invoice.objects.get().paid_on is None
    Payment.objects.filter(pk=payment.pk).update(state=Payment.State.CREDITED)
    following.mark_paid(account)
    assert Invoice.objects.get().paid_on == DECEMBER


# closing


def test_a_closed_invoice_is_sealed_kept_and_stays(today, home):
    house = House()
    closed = closing.close(issued(house, house.account(kind=POSTPAID), 10_00))
    assert (closed.state, closed.closed_on) == (Invoice.State.CLOSED, DECEMBER)
    file = closing.place(closed)
    assert file.parent == home / "documents" / "acme-gmbh" / "2026"
    assert file.read_bytes() == closing.pdf(closed)
    assert closed.digest[:8] in text(closing.pdf(closed))
    assert [path for path in home.rglob("*") if path.name.startswith(".new")] == []
    assert len(read(closing.pdf(closed)).pages) == 1
    assert list(closing.changed()) == []
    with pytest.raises(DocumentError, match="it is closed"):
        closing.close(closed)


def test_a_sealed_file_that_is_lost_is_made_again_one_that_changed_is_refused(today, home):
    house = House()
    closed = closing.close(issued(house, house.account(kind=POSTPAID), 10_00))
    whole = closing.pdf(closed)
    closing.place(closed).unlink()
    assert closing.pdf(closed) == whole
    closing.place(closed).write_bytes(whole + b" ")
    with pytest.raises(DocumentError, match="not the PDF that was sealed"):
        closing.pdf(closed)
    assert len(list(closing.changed())) == 1


def test_only_a_root_user_opens_it_again_and_that_is_audited(today, home):
    house = House()
    closed = closing.close(issued(house, house.account(kind=POSTPAID), 10_00))
    clerk = User.objects.create_user("clerk@acme.example", role=Role.OPERATOR)
    with pytest.raises(DocumentError, match="may not open it again"):
        closing.reopen(closed, clerk)
    chief = User.objects.create_user("chief@acme.example", role=Role.ROOT)
    again = closing.reopen(closed, chief, "the note lacks an order number")
    row = AuditRow.objects.get(act="invoice.reopen")
    assert (row.actor, row.after) == (chief.email, "the note lacks an order number")
    assert closed.digest in row.before
    again.note = "Order 4711"
    again.save()
    sealed = closing.close(again)
    assert sealed.digest != closed.digest
    assert closing.place(closed).exists()
    assert "Order 4711" in text(closing.pdf(sealed))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE billing_invoice SET net_minor = 1",
        "UPDATE billing_invoice SET number = '2026-000009'",
        "UPDATE billing_invoice SET state = 'draft'",
        "UPDATE billing_invoice SET state = 'cancelled'",
        "UPDATE billing_invoice SET payer_id = 1",
        "UPDATE billing_invoice SET buyer = '{}'",
        "UPDATE billing_invoiceline SET net_minor = 1",
        "UPDATE billing_invoiceline SET charge_id = NULL",
        "DELETE FROM billing_invoiceline",
        "DELETE FROM billing_invoice",
        "UPDATE billing_numbersequence SET last = 0",
        "DELETE FROM billing_numbersequence",
    ],
)
def test_the_database_keeps_an_issued_invoice_as_it_is(today, home, change):
    from billclock.billing import engine as sql

    house = House()
    invoice = issued(house, house.account(kind=POSTPAID), 10_00)
    with (
        pytest.raises(DatabaseError, match=r"stays as it is|never drawn again"),
        transaction.atomic(),
    ):
        sql.execute(change)
    with pytest.raises(DatabaseError, match="stays as it is"), transaction.atomic():
        InvoiceLine.objects.create(invoice=invoice, position=9, text="more", net_minor=1)
    closing.close(invoice)
    with pytest.raises(DatabaseError, match="stays as it is"), transaction.atomic():
        Invoice.objects.update(note="new")
    Invoice.objects.update(paid_on=DECEMBER, signed_on=DECEMBER)


# papers


def test_what_is_charged_by_the_day_stands_once(today):
    house = House()
    account = house.account(kind=POSTPAID)
    Contact.objects.filter(client=account.client).update(language="ru")
    house.service(account, "hourly", paid_until=TODAY, name="vm1")
    for day in range(5):
        run.bill(house.provider, TODAY + timedelta(days=day), run.Plan())
    charges = Charge.objects.filter(net_minor__gt=0)
    assert charges.count() == 5
    invoice = invoicing.issue(invoicing.draft(account, house.company, charges, key="k"), DECEMBER)
    (line,) = papers.paper(invoice).lines
    assert (line.text, line.quantity) == ("Hourly, vm1", "120 ч")
    assert (line.start, line.end) == (TODAY, TODAY + timedelta(days=5))
    assert "Счёт" in text(papers.pdf(invoice))


def test_days_that_stand_as_one_line_are_taxed_as_one(today):
    house = House()
    account = house.account(kind=POSTPAID)
    house.product("small", hour_micro=13_000, cycle=Cycle.HOURLY)
    for name in ("vm1", "vm2", "vm3"):
        house.service(account, "small", paid_until=TODAY, name=name)
    for day in range(10):
        run.bill(house.provider, TODAY + timedelta(days=day), run.Plan())
    charges = Charge.objects.filter(net_minor__gt=0)
    invoice = invoicing.issue(invoicing.draft(account, house.company, charges, key="k"), DECEMBER)
    printed = papers.paper(invoice).lines
    assert [(line.net_minor, line.tax_minor) for line in printed] == [(310, 59)] * 3
    assert sum(charge.tax_minor for charge in charges) == 180
    assert {line.tax_minor for line in invoice.lines.all()} == {5, 6}
    sound()


def test_who_owes_the_tax_himself_reads_it(today):
    house = House()
    account = house.account(kind=POSTPAID)
    account.reverse_charge = True
    account.save()
    invoice = issued(house, account, 10_00)
    assert invoice.tax_minor == 0
    assert "Reverse charge" in text(papers.pdf(invoice))


def test_what_an_issued_invoice_says_does_not_follow_what_changes_later(today):
    house = House()
    account = house.account(kind=POSTPAID)
    invoice = issued(house, account, 10_00)
    before = papers.pdf(invoice)
    house.company.name = "Other GmbH"
    house.company.save()
    account.client.name = "Somebody"
    account.client.save()
    TaxRate.objects.filter(valid_from=LONG_AGO).update(name="Sales tax")
    assert papers.pdf(Invoice.objects.get(pk=invoice.pk)) == before


# what `billclock verify` finds


PLANTED = {
    "an issued invoice's lines give its totals": "UPDATE billing_invoiceline SET net_minor = 1",
    "an issued invoice is what its charges and its rounding posted":
        "UPDATE billing_transfer SET amount_minor = 2 WHERE cause = 9 AND sequence = 0",
    "the numbers of documents have no gap": "UPDATE billing_numbersequence SET last = last + 1",
    "no transfer without its source": "UPDATE billing_transfer SET source = 999 WHERE cause = 9",
    "a closed document stays as it was sealed": "UPDATE billing_invoice SET note = 'forged'",
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_breach_is_found(today, home, name):
    house = House()
    closing.close(issued(house, house.account(kind=POSTPAID), 13, 13, 13))
    sound()
    insert_only.lift(connection)
    sql.execute(PLANTED[name])
    insert_only.guard(connection)
    assert name in {breach.invariant for breach in verifying.breaches()}
