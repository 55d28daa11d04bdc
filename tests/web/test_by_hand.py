"""Money by hand on screen and as functions: asked for, entered once, told of, taken back."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from billclock.accounts.models import AuditRow, Role
from billclock.api.registry import Actor, call
from billclock.billing.by_hand import HandEntry
from billclock.billing.clients import Account
from billclock.billing.payments import Arrival
from tests.billing.company import House, assert_books_agree, balance

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Browser]
HOSTILE = "<script>alert(1)</script>\u202e"
ADAM = Actor("adam@example.net", Role.ROOT)


@pytest.fixture
def account() -> Account:
    return House().account(20_00)


async def whole(answer: Any) -> bytes:
    return b"".join([part async for part in answer])


def form(browser: Browser, account: Account, **given: str) -> dict[str, str]:
    """Give what the page's form would send."""
    shown = browser.get(f"/client-accounts/{account.pk}/by_hand").content.decode()
    token = re.search(r'name="token" value="([0-9a-f]+)"', shown)
    assert token
    return {
        "way": "to", "minor": "12.50", "sort": "goodwill", "reason": "the disk failed",
        "token": token[1], **given,
    }  # fmt: skip


def send(browser: Browser, account: Account, given: dict[str, str]) -> Any:
    return browser.post(f"/client-accounts/{account.pk}/by_hand", given, follow=True)


def test_what_is_entered_twice_by_one_form_is_there_once_and_told_everywhere(
    account: Account, signed_in: SignedIn
) -> None:
    browser = signed_in(Role.ROOT)
    assert "Enter by hand" in browser.get(f"/client-accounts/{account.pk}").content.decode()
    given = form(browser, account, reason=HOSTILE)
    first, second = (send(browser, account, given).content.decode() for _ in range(2))
    on = account.provider.today()
    assert "Entered." in first
    assert "It was entered already." in second
    entry = HandEntry.objects.get()
    assert (balance(account), entry.amount_minor) == (32_50, 12_50)
    noted = AuditRow.objects.get(act="client-accounts.by-hand")
    assert "+€12.50" in noted.after
    assert not Arrival.objects.exists()
    for path in (
        f"/client-accounts/{account.pk}", f"/hand-entries/{entry.pk}", "/hand-entries",
        f"/client-accounts/{account.pk}/statement?since={on}&until={on}",
    ):  # fmt: skip
        shown = browser.get(path).content.decode()
        assert "Goodwill" in shown, path
        assert "&lt;script&gt;" in shown, path
        assert "<script>alert" not in shown, path
    path = f"/client-accounts/{account.pk}/statement.csv?since={on}&until={on}"
    file = async_to_sync(whole)(browser.get(path))
    assert b"Goodwill,<script>" in file
    assert entry.by.encode() not in file
    assert_books_agree()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reason": " "}, "This field is required"),
        ({"minor": ""}, "This field is required"),
        ({"minor": "0"}, "no amount to be entered"),
        ({"minor": "-5"}, ""),
        ({"minor": "1.005"}, "has 3 decimals"),
        ({"minor": "9" * 30}, ""),
        ({"way": "up"}, "Select a valid choice"),
        ({"sort": "bribe"}, "Select a valid choice"),
        ({"way": "from", "minor": "20.01"}, "it has €20.00 to spend"),
        ({"token": ""}, ""),
        ({"token": "f" * 17}, ""),
    ],
)
def test_what_cannot_be_entered_is_told_and_nothing_is_kept(
    account: Account, signed_in: SignedIn, given: dict[str, str], said: str
) -> None:
    browser = signed_in(Role.ROOT)
    answer = send(browser, account, form(browser, account, **given))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert (balance(account), HandEntry.objects.count()) == (20_00, 0)


def test_money_is_taken_below_the_floor_when_said_so(account: Account, signed_in: SignedIn) -> None:
    browser = signed_in(Role.ROOT)
    given = form(browser, account, way="from", minor="25", sort="correction", past_floor="on")
    assert send(browser, account, given).status_code == 200
    assert balance(account) == -5_00
    assert_books_agree()


def test_an_entry_is_taken_back_from_its_page_once(account: Account, signed_in: SignedIn) -> None:
    browser = signed_in(Role.ROOT)
    send(browser, account, form(browser, account))
    entry = HandEntry.objects.get()
    one = {"one": f"back:{entry.pk}", "confirmed": "1", "back": entry.pk, "reason": "a mistake"}
    for _twice in range(2):
        browser.post("/hand-entries/act", one)
    assert (balance(account), HandEntry.objects.count()) == (20_00, 2)
    shown = browser.get(f"/client-accounts/{account.pk}").content.decode()
    assert "Taken back: Goodwill" in shown
    assert "a mistake" in shown
    for state, found in (("live", 0), ("back", 1), ("undoes", 1)):
        listed = browser.get("/hand-entries", {"state": state}).content.decode()
        assert listed.count("/hand-entries/") >= found, state
        assert ("leave out every row" in listed) == (not found), state
    assert_books_agree()


def test_the_list_has_a_fixed_number_of_queries(account: Account, signed_in: SignedIn) -> None:
    browser = signed_in(Role.ROOT)
    counts = []
    for _more in range(3):
        send(browser, account, form(browser, account))
        browser.get("/hand-entries")
        with CaptureQueriesContext(connection) as asked:
            browser.get("/hand-entries")
            browser.get(f"/client-accounts/{account.pk}")
        counts.append(len(asked))
    assert counts[1] == counts[2]


def enter(account: Account, /, **given: str) -> Any:
    usual = {
        "account": account.number, "amount": "7.00", "currency": "EUR", "reason": "a promise",
        "key": "crm-17",
    }  # fmt: skip
    return call("money.enter", {**usual, **given}, actor=ADAM)


def test_a_program_enters_lists_and_takes_back(account: Account) -> None:
    first, second = enter(account), enter(account)
    assert first.fault is None
    assert (first.values, len(first.changes), len(second.changes)) == (second.values, 1, 0)
    assert (first.values["amount"], first.values["by"]) == ("7.00 EUR", ADAM.name)
    assert enter(account, amount="-2", key="crm-18").fault is None
    listed = call("money", {"account": account.number}, actor=ADAM).rows
    assert [row["amount"] for row in listed] == ["-2.00 EUR", "7.00 EUR"]
    back = {"elid": first.values["key"], "reason": "typed twice"}
    assert call("money.reverse", back, actor=ADAM).values["takes_back"] == first.values["key"]
    assert call("money.reverse", back, actor=ADAM).changes == []
    assert balance(account) == 18_00
    assert_books_agree()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"currency": "USD"}, "is in EUR, not in USD"),
        ({"amount": "0"}, "0 is no amount to be entered"),
        ({"amount": "seven"}, "amount: 'seven' is no amount"),
        ({"amount": "7.001"}, "amount: '7.001' has 3 decimals"),
        ({"account": "nobody"}, "there is no account 'nobody'"),
        ({"sort": "gift"}, "sort: 'gift' is none of goodwill, correction"),
        ({"amount": "-20.01"}, "it has 20.00 EUR to spend"),
        ({"key": "k" * 61}, "key: give 1 to 60 letters"),
        ({"key": ""}, "key"),
        ({"reason": " "}, "reason is missing"),
    ],
)
def test_a_wrong_call_is_answered_and_enters_nothing(
    account: Account, given: dict[str, str], said: str
) -> None:
    answer = enter(account, **given)
    assert answer.fault is not None
    assert said in answer.fault.message
    assert (answer.exit_code, HandEntry.objects.count()) == (1, 0)


def test_an_entry_that_is_not_there_is_told(account: Account) -> None:
    answer = call("money.reverse", {"elid": "99", "reason": "x"}, actor=ADAM)
    assert answer.fault is not None
    assert "there is no entry by hand 99" in answer.fault.message
