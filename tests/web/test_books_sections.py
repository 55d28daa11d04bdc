"""The sections of the books: who is in them, for whom, in how many queries."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billclock.accounts.models import Role
from tests.billing.company import House

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]


def test_a_clients_page_shows_his_account_with_its_balance(signed_in: SignedIn) -> None:
    house = House()
    account = house.account(12345)
    browser = signed_in(Role.VIEWER)
    assert account.client.name in browser.get("/clients").content.decode()
    for page in (f"/clients/{account.client.pk}", "/client-accounts",
                 f"/client-accounts/{account.pk}"):  # fmt: skip
        shown = browser.get(page).content.decode()
        assert account.number in shown
        assert "123.45" in shown


def test_a_list_of_accounts_has_a_fixed_number_of_queries(signed_in: SignedIn) -> None:
    house = House()
    house.account()
    browser = signed_in(Role.VIEWER)
    counts = []
    for _more in range(2):
        browser.get("/client-accounts")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            browser.get("/client-accounts")
        counts.append(len(asked))
        house.account()
    assert counts[0] == counts[1]
