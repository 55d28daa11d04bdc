"""Forms of money that come twice at the same time: two clicks, two tabs, two people."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from billclock.accounts.models import AuditRow
from billclock.billing import orders, returning
from billclock.billing.services import Service
from tests.billing.company import House, assert_books_agree, balance
from tests.billing.tills import Till, scripted

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]
Crossing = Callable[[Any, str], None]
PRICE = 11_90


@pytest.fixture
def house() -> House:
    made = House()
    made.product("gift", prices={1: 0})
    return made


@pytest.fixture
def crossing(monkeypatch: pytest.MonkeyPatch) -> Crossing:
    """Let somebody else do an act between what a form has looked at and what it does."""

    def cross(place: Any, name: str) -> None:
        real = getattr(place, name)

        def after_another(row: Any, *given: Any, **how: Any) -> Any:
            monkeypatch.setattr(place, name, real)
            real(type(row).objects.get(pk=row.pk), *given, **how)
            return real(row, *given, **how)

        monkeypatch.setattr(place, name, after_another)

    return cross


def ordered(house: House) -> Service:
    account = house.account(500_00)
    wish = orders.Wish(house.products["monthly"])
    return orders.order(account, wish, on=house.provider.today())


def hidden(shown: str) -> dict[str, str]:
    """Give what a page keeps of what it showed."""
    return dict(re.findall(r'name="(seen[-\d]*)" value="([^"]*)"', shown))


def test_a_renewal_that_crosses_another_is_refused(
    house: House, signed_in: SignedIn, crossing: Crossing, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, browser = ordered(house), signed_in()
    address = f"/services/{service.pk}/renew"
    seen = hidden(browser.get(address).content.decode())
    outlook = orders.rehearse_renewal

    def and_then_another(row: Service, **how: Any) -> Any:
        found = outlook(row, **how)
        crossing(orders, "renew")
        return found

    monkeypatch.setattr(orders, "rehearse_renewal", and_then_another)
    told = browser.post(address, seen)
    assert "by now" in told.content.decode()
    assert balance(service.account) == 500_00 - 2 * PRICE
    assert_books_agree()


def wish(house: House, product: str) -> dict[str, str]:
    found = {"account": house.account(100_00).number, "product": str(house.products[product].pk)}
    return found | {"months": "1", "promo": "", "name": "a", "auto_renew": "on", "asked": "yes"}


def test_an_order_that_crosses_another_is_refused(
    house: House, signed_in: SignedIn, crossing: Crossing
) -> None:
    wanted, browser = wish(house, "monthly"), signed_in()
    seen = hidden(browser.post("/services/order", wanted).content.decode())
    crossing(orders, "order")
    told = browser.post("/services/order", wanted | seen)
    assert "meanwhile" in told.content.decode()
    assert Service.objects.count() == 1
    assert_books_agree()


def test_an_order_that_costs_nothing_is_made_once(house: House, signed_in: SignedIn) -> None:
    wanted, browser = wish(house, "gift"), signed_in()
    seen = hidden(browser.post("/services/order", wanted).content.decode())
    told = [browser.post("/services/order", wanted | seen).status_code for _ in range(2)]
    assert told == [302, 200]
    assert Service.objects.count() == 1


def test_several_asked_about_once_are_renewed_once(
    house: House, signed_in: SignedIn, crossing: Crossing
) -> None:
    both, browser = [ordered(house), ordered(house)], signed_in()
    rows = {"act": "renew", "entry": [str(one.pk) for one in both]}
    seen = hidden(browser.post("/services/act", rows).content.decode())
    assert len(seen) == len(both)
    crossing(orders, "renew")
    for _ in range(2):
        told = browser.post("/services/act", {**rows, **seen, "confirmed": "yes"}, follow=True)
    assert "It changed since you were asked" in told.content.decode()
    assert [balance(one.account) for one in both] == [500_00 - 2 * PRICE] * 2
    assert AuditRow.objects.filter(act="services.renew").count() == 1
    assert_books_agree()


def test_refunds_that_cross_give_once(
    settings: Any, tmp_path: Path, signed_in: SignedIn, crossing: Crossing
) -> None:
    settings.HOME = tmp_path
    with scripted():
        till, browser = Till(), signed_in()
        payment = till.pay()
        crossing(returning, "refund")
        sent = {"minor": "20.00", "why": "asked by mail", "left": "5000"}
        told = browser.post(f"/payments/{payment.pk}/refund", sent)
        assert b"went back since" in told.content
        assert (till.balance, till.truth) == (30_00, 30_00)
