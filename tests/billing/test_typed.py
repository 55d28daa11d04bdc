"""Numbers as clerks type them: what they name, and where they name more than one thing."""

from __future__ import annotations

from datetime import date

import pytest

from billclock.billing import paying
from billclock.billing.clients import Account
from billclock.billing.invoices import Invoice
from billclock.billing.typed import Sort, payable, sort_of
from tests.billing.company import House
from tests.billing.tills import bank

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return House()


def paper(account: Account, number: str, kind: str = "invoice", state: str = "issued") -> Invoice:
    made = Invoice.objects.create(
        key=f"{kind} {number}", company=account.company, account=account, currency="EUR", kind=kind
    )
    Invoice.objects.filter(pk=made.pk).update(
        number=number, issued_on=date(2026, 11, 1), state=state
    )
    return made


@pytest.mark.parametrize(
    "typed",
    ["INV-2026-00017", "inv-2026-17", " INV 2026 017 ", "#inv2026/00017", "Inv. 2026.17"],
)
def test_an_invoice_is_found_however_it_is_typed(house: House, typed: str) -> None:
    account = house.account()
    made = paper(account, "INV-2026-00017")
    paper(account, "INV-2026-00117")
    assert payable(house.provider, typed) == [made]


def test_payments_and_accounts_are_found_too(house: House) -> None:
    account = house.account()
    payment = paying.request(account, bank(house), 5_00, key="p1")
    assert payable(house.provider, payment.number.lower().replace("-", " ")) == [payment]
    assert payable(house.provider, f"# {account.number.upper()}") == [account]


def test_what_is_written_out_goes_before_what_is_alike(house: House) -> None:
    account = house.account()
    made = paper(account, "R-7")
    paper(account, "r007")
    assert payable(house.provider, "R-7") == [made]
    assert len(payable(house.provider, "r 07")) == 2


def test_a_number_of_two_things_is_a_choice_until_its_sort_is_said(house: House) -> None:
    account = house.account()
    invoice, asked = paper(account, "R-7"), paper(account, "R-7", kind="request")
    assert payable(house.provider, "r7") == [invoice, asked]
    assert payable(house.provider, "r7", Sort.REQUEST) == [asked]
    sorts = [sort_of(one) for one in (invoice, asked, account)]
    assert sorts == [Sort.INVOICE, Sort.REQUEST, Sort.ACCOUNT]


@pytest.mark.parametrize("typed", ["", "   ", "#", "x<y>", "R-8", "%", "7"])
def test_what_names_nothing_gives_nothing(house: House, typed: str) -> None:
    account = house.account()
    paper(account, "R-7")
    paper(account, "R-8", state="cancelled")
    assert payable(house.provider, typed) == []


def test_nothing_of_another_provider_is_meant(house: House) -> None:
    paper(house.account(), "R-7")
    other = House(code="other")
    assert payable(other.provider, "R-7") == []
