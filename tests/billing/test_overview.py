"""The overview's figures are the same on both engines."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billclock import clock
from billclock.billing import ledger, overview
from billclock.billing.ledger import Cause, LedgerAccount, Move
from billclock.jobs import registry
from tests.billing.company import TODAY, House, noon

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("engine")]


def test_what_is_reckoned_is_plain_values_and_adds_up() -> None:
    house = House()
    account = house.account(50_00)
    house.service(account)
    with clock.at(noon(TODAY)):
        registry.perform("billdaily", on=TODAY)
        house.service(house.account(1_00), paid_until=TODAY + timedelta(days=1))
        clearing = ledger.account(ledger.Kind.CLEARING, "card", "EUR")
        payer = LedgerAccount.objects.get(pk=account.pk)
        ledger.post([Move(clearing, payer, 3_00, Cause.PAYMENT, source=1)], on=TODAY)
        ledger.post([Move(payer, clearing, 1_00, Cause.REFUND, source=1)], on=TODAY)
        money, night = overview.money(), overview.tonight()
        ends = overview.lasting()
    day = TODAY.isoformat()
    assert money["received"] == {"EUR": {day: 3_00}}
    assert money["returned"] == {"EUR": {day: 1_00}}
    assert money["charged"] == {"EUR": {day: 11_90}}
    held = money["ledger"]["currencies"]["EUR"]
    assert (held["accounts"], held["now"]) == (2, 50_00 + 1_00 - 11_90 + 2_00)
    assert held["moves"]["3"] == [1, 3_00]
    assert held["moves"]["4"] == [1, -1_00]
    (one,) = night["providers"]
    assert (one["on"], one["counts"]["unfunded"]) == ("2026-11-21", 1)
    assert ends == {"ends": {"2026-11-21": 1}, "missing": {"EUR": 10_90}}
