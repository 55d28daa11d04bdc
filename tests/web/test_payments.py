"""Payments on screen: what is known of each, asked now, given back once; methods; stored ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billclock import clock
from billclock.accounts.models import AuditRow, Role
from billclock.billing.clients import Account
from billclock.billing.payment_methods.simulated.faults import Call, Fault
from billclock.billing.payments import Attempt, Payment, PaymentMethod, StoredMethod
from tests.billing.company import House
from tests.billing.tills import Till, scripted

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def till(settings, tmp_path):
    settings.HOME = tmp_path
    with clock.at(NOON), scripted():
        yield Till()


def page(browser: Client, path: str, **asked: str) -> str:
    answer = browser.get(path, asked)
    assert answer.status_code == 200
    return answer.content.decode()


def act(browser: Client, section: str, name: str, row: Any, **given: str) -> str:
    sent = {"act": name, "entry": str(row.pk), "confirmed": "yes", **given}
    return browser.post(f"/{section}/act", sent, follow=True).content.decode()


def test_a_payment_shows_all_that_is_known_of_it(till: Till, signed_in: SignedIn) -> None:
    payment = till.pay()
    browser = signed_in(Role.VIEWER)
    shown = page(browser, "/payments", q=payment.number)
    assert payment.number in shown
    assert "credited" in shown
    attempt = payment.attempts.get()
    shown = page(browser, f"/payments/{payment.pk}")
    for said in (attempt.key, attempt.gateway_id, "take money", "money taken", "50.00"):
        assert said in shown
    assert "Nothing is like this" in page(browser, "/payments", state="9")


def test_the_list_has_a_fixed_number_of_queries(till: Till, signed_in: SignedIn) -> None:
    browser = signed_in(Role.VIEWER)
    for path in ("/payments", "/stored-methods", "/payment-methods"):
        counts = []
        for number in range(3):
            till.pay(key=f"{path}{number}")
            with CaptureQueriesContext(connection) as asked:
                page(browser, path)
            counts.append(len(asked))
        assert counts[1] == counts[2], path


def test_a_part_goes_back_once_however_often_it_is_sent(till: Till, signed_in: SignedIn) -> None:
    payment, browser = till.pay(), signed_in()
    where = f"/payments/{payment.pk}/refund"
    assert "50.00" in page(browser, where)
    sent = {"minor": "20.00", "why": "asked by mail", "left": "5000"}
    told = browser.post(where, sent, follow=True).content.decode()
    assert "The gateway says: done" in told
    assert (till.balance, till.truth) == (30_00, 30_00)
    again = browser.post(where, sent)
    assert b"went back since" in again.content
    assert (till.balance, till.truth) == (30_00, 30_00)
    assert AuditRow.objects.filter(act="payments.refund").count() == 1
    wrong = browser.post(where, {"minor": "40.00", "why": "x", "left": "3000"})
    assert "40.00 EUR cannot be given back, 30.00 EUR of it is left" in wrong.content.decode()
    assert till.balance == 30_00


def test_a_gateway_is_asked_about_a_lost_answer(till: Till, signed_in: SignedIn) -> None:
    till.script(Call(Fault.LOST_ANSWER))
    payment, browser = till.pay(), signed_in()
    assert payment.attempts.get().state == Attempt.State.UNKNOWN
    assert "not known" in page(browser, f"/payments/{payment.pk}")
    assert "The gateway says: done" in act(browser, "payments", "ask", payment)
    payment.refresh_from_db()
    assert payment.state == Payment.State.CREDITED
    assert "Nothing of it is under way" in act(browser, "payments", "ask", payment)


def test_only_what_is_not_begun_is_cancelled(till: Till, signed_in: SignedIn) -> None:
    payment, browser = till.pay(), signed_in()
    assert "Only what is not begun" in act(browser, "payments", "cancel", payment)
    Payment.objects.filter(pk=payment.pk).update(state=Payment.State.NEW)
    act(browser, "payments", "cancel", payment)
    payment.refresh_from_db()
    assert payment.state == Payment.State.CANCELLED


def test_a_stored_method_is_forgotten_here_and_there(till: Till, signed_in: SignedIn) -> None:
    browser = signed_in()
    assert "usable" in page(browser, f"/stored-methods/{till.stored.pk}")
    act(browser, "stored-methods", "forget", till.stored)
    till.stored.refresh_from_db()
    assert till.stored.state == StoredMethod.State.DISABLED
    assert "forgotten already" in act(browser, "stored-methods", "forget", till.stored)


def test_a_method_is_set_up_and_its_secret_never_shown(signed_in: SignedIn) -> None:
    house, browser = House(), signed_in()
    sent = {
        "plugin": "simulated", "code": "card", "name": "Card", "provider": house.provider.pk,
        "currency": "EUR", "least_minor": "5.00", "active": "on",
        "set-simulated-secret": "very secret", "set-simulated-faults": "none",
        "set-simulated-seed": "1",
    }  # fmt: skip
    told = browser.post("/payment-methods/new", sent, follow=True).content.decode()
    method = PaymentMethod.objects.get()
    assert (method.least_minor, method.settings["secret"]) == (5_00, "very secret")
    for shown in (told, page(browser, f"/payment-methods/{method.pk}/edit")):
        assert "very secret" not in shown
    assert "/pay/card/notice" in page(browser, f"/payment-methods/{method.pk}")


def test_a_wrong_setting_is_told_at_its_field(signed_in: SignedIn) -> None:
    house = House()
    sent = {
        "plugin": "bank_transfer", "code": "bank", "name": "Bank", "active": "on",
        "provider": house.provider.pk, "currency": "EUR", "set-bank_transfer-beneficiary": "Acme",
        "set-bank_transfer-account": "DE00370400440532013000",
        "set-bank_transfer-reference": "plain",
    }  # fmt: skip
    told = signed_in().post("/payment-methods/new", sent).content.decode()
    assert "check digits are wrong" in told
    assert not PaymentMethod.objects.exists()


def test_money_is_taken_into_an_account_once_however_often_it_is_asked(
    till: Till, signed_in: SignedIn
) -> None:
    account, browser = till.account, signed_in()
    where, before = f"/client-accounts/{account.pk}/pay", account.funds.balance_minor
    shown = page(browser, where)
    assert "taken at once" in shown
    sent = {"minor": "12.50", "way": f"stored-{till.stored.pk}", "token": "once"}
    told = browser.post(where, sent, follow=True).content.decode()
    assert "credited" in told
    browser.post(where, sent)
    payment = Payment.objects.get()
    assert (payment.amount_minor, payment.stored) == (12_50, till.stored)
    account.funds.refresh_from_db()
    assert account.funds.balance_minor == before + 12_50
    assert AuditRow.objects.filter(act="client-accounts.pay").count() == 1
    for wrong in ({"minor": "-1"}, {"minor": "0"}, {"way": "stored-0"}, {"minor": "1.234"}):
        assert browser.post(where, {**sent, "token": "other", **wrong}).status_code == 422, wrong
    assert Payment.objects.count() == 1


def test_who_pays_himself_is_told_where(till: Till, signed_in: SignedIn) -> None:
    browser, where = signed_in(), f"/client-accounts/{till.account.pk}/pay"
    bank = PaymentMethod.objects.create(
        code="bank", name="Bank", plugin="bank_transfer", provider=till.house.provider,
        currency_id="EUR", settings={"beneficiary": "Acme", "account": "1", "bic": "X"},
    )  # fmt: skip
    sent = {"minor": "5.00", "way": f"method-{bank.pk}", "token": "himself"}
    told = browser.post(where, sent, follow=True).content.decode()
    payment = Payment.objects.get()
    said = "Beneficiary: Acme, Account: 1, BIC: X, What to name:"
    assert f"{said} {payment.number}" in told
    assert (payment.credited_on, payment.amount_minor) == (None, 5_00)


@pytest.mark.parametrize(("balance", "leads"), [(-1_00, "pay"), (1_00, "edit")])
def test_taking_a_payment_leads_where_money_is_owed(
    till: Till, signed_in: SignedIn, balance: int, leads: str
) -> None:
    account = till.house.account(kind=Account.Kind.CREDIT, limit=50_00, money=balance)
    shown = page(signed_in(), f"/client-accounts/{account.pk}")
    assert (f'class="b go" form="act" name="one" value="pay:{account.pk}"' in shown) == (
        leads == "pay"
    )
    assert ('<a class="b go" href=' in shown) == (leads == "edit")
