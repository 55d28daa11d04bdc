"""Credit notes: what is taken back of an invoice, once, and what its account then owes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from billclock import clock
from billclock.billing import closing, crediting, following, papers
from billclock.billing.errors import DocumentError
from billclock.billing.invoices import Invoice
from tests.billing.charged import DECEMBER, POSTPAID, issued, reverse, sound
from tests.billing.company import House, balance, noon
from tests.billing.papers import text

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def today() -> Iterator[None]:
    with clock.at(noon(DECEMBER)):
        yield


def test_a_reversed_charge_of_an_invoice_becomes_a_credit_note_once(today):
    house = House()
    account = house.account(kind=POSTPAID)
    invoice = issued(house, account, 13, 13, 13)
    reverse(invoice.lines.get(position=3).charge, why="the disk broke")
    (note,) = crediting.credit_reversed(account)
    assert crediting.credit_reversed(account) == []
    assert (note.kind, note.number) == (Invoice.Kind.CREDIT_NOTE, "CN-2026-000001")
    assert (note.credits_id, note.note) == (invoice.pk, "the disk broke")
    assert balance(account) == note.total_minor - invoice.total_minor
    printed = text(papers.pdf(note))
    assert "Credit note" in printed
    assert invoice.number in printed
    sound()


def test_what_was_taken_back_of_the_newest_invoice_pays_no_older_one(today):
    house = House()
    account = house.account(kind=POSTPAID)
    old, new = issued(house, account, 10_00), issued(house, account, 20_00)
    reverse(new.lines.get().charge)
    following.mark_paid(account)  # before its credit note is written
    assert set(Invoice.objects.waiting()) == {old}
    crediting.credit_reversed(account)
    house.pay(account, 11_90)
    following.mark_paid(account)
    assert not Invoice.objects.waiting().exists()
    sound()


def test_an_invoice_taken_back_whole_waits_for_no_money(today):
    house = House()
    account = house.account(kind=POSTPAID)
    old, new = issued(house, account, 10_00), closing.close(issued(house, account, 20_00))
    reverse(new.lines.get().charge)
    crediting.credit_reversed(account)
    assert set(Invoice.objects.waiting()) == {old}
    sound()


def test_what_was_not_reversed_cannot_be_credited_nor_twice(today):
    house = House()
    account = house.account(kind=POSTPAID)
    invoice, other = issued(house, account, 10_00), issued(house, account, 5_00)
    (line,) = invoice.lines.all()
    with pytest.raises(DocumentError, match="charges were reversed"):
        crediting.credit(invoice, [line], "goodwill")
    reverse(line.charge)
    with pytest.raises(DocumentError, match="whose charges were reversed"):
        crediting.credit(other, [line], "wrong invoice")
    crediting.credit(invoice, [line], "back")
    with pytest.raises(DocumentError, match="each once"):
        crediting.credit(invoice, [line], "again")
