"""An invoice's PDF from the back office: as it is, as it was sealed, and never a forged one."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.accounts.models import Role, User
from billclock.billing import closing, invoicing
from billclock.billing.clients import Account
from billclock.billing.invoices import Invoice
from tests.billing.charged import DECEMBER, charge
from tests.billing.company import House, noon
from tests.billing.papers import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice(settings: Settings, tmp_path: Path) -> Invoice:
    settings.HOME = tmp_path
    house = House()
    account = house.account(kind=Account.Kind.POSTPAID)
    with clock.at(noon(DECEMBER)):
        made = invoicing.draft(account, house.company, [charge(house, account, 10_00)], key="k")
        return invoicing.issue(made, DECEMBER)


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("eve@acme.example", role=Role.VIEWER))
    return client


def test_it_is_shown_under_its_number(client: Client, invoice: Invoice):
    answer = client.get(f"/documents/{invoice.pk}.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'inline; filename="2026-000001.pdf"'
    assert "Total 11.90 EUR" in text(answer.content)


def test_a_closed_one_is_the_file_that_was_sealed(client: Client, invoice: Invoice):
    closed = closing.close(invoice)
    assert client.get(f"/documents/{invoice.pk}.pdf").content == closing.place(closed).read_bytes()
    closing.place(closed).write_bytes(b"%PDF forged")
    refused = client.get(f"/documents/{invoice.pk}.pdf")
    assert refused.status_code == 409
    assert b"not the PDF that was sealed" in refused.content


def test_what_is_not_there_is_not_found(client: Client, invoice: Invoice):
    assert client.get("/documents/999.pdf").status_code == 404
    assert client.post(f"/documents/{invoice.pk}.pdf").status_code == 405
