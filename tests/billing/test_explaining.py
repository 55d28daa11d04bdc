"""Promise M8: every charge, and every day without one, is explained from stored facts.

How quickly, bench/explaining.py measures.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta

import pytest

from billclock import clock
from billclock.billing import changing, orders, readings, stopping
from billclock.billing.catalog import AddOn
from billclock.billing.daily import run
from billclock.billing.errors import BillingError
from billclock.billing.explaining import explain_service
from billclock.billing.services import Reason, Service
from tests.billing.company import TODAY, House, noon

pytestmark = pytest.mark.django_db

DAYS = [TODAY + timedelta(days=day) for day in range(33)]
YEAR = [TODAY + timedelta(days=day) for day in range(370)]


def lived(seed: int, days: Sequence[date] = DAYS) -> list[Service]:
    """Let a small company live through days in which anything may happen."""
    dice = random.Random(seed)
    house = House()
    for billing, code in ((AddOn.Billing.USED, "traffic"), (AddOn.Billing.PEAK, "disk")):
        house.addon(house.products["monthly"], code, over_micro=500_000, billing=billing)
    services = [
        house.service(house.account(dice.choice((0, 12_00, 30_00, 900_00))), product, TODAY)
        for product in ("monthly", "monthly", "daily", "hourly")
    ]
    for day in days:
        with clock.at(noon(day)):
            run.bill(house.provider, day, run.Plan())
            for service in services:
                if dice.random() < 0.15:
                    with suppress(BillingError):
                        _happen(dice, house, Service.objects.get(pk=service.pk), day)
    return services


def _happen(dice: random.Random, house: House, service: Service, on: date) -> None:
    match dice.randrange(7):
        case 0:
            house.pay(service.account, dice.randrange(1, 40_00), on)
        case 1:
            orders.renew(service, on=on)
        case 2:
            stopping.suspend(service, Reason.STAFF, on=on, by="ada")
        case 3:
            stopping.lift(service, Reason.STAFF, on=on, why="asked for")
        case 4:
            stopping.set_auto_renew(service, on=not service.auto_renew, by="ada")
        case 5:
            readings.record(service.number, dice.choice(("traffic", "disk")), dice.randrange(9))
        case 6 if dice.random() < 0.3:
            changing.close(service, on=on, why="asked for")
        case _:
            stopping.hold(service, on + timedelta(days=dice.randrange(9)), on=on)


@pytest.mark.parametrize("seed", range(2))
def test_no_day_of_a_random_history_lacks_its_reason(seed: int) -> None:
    all_explained(lived(seed), DAYS)


@pytest.mark.long
def test_no_day_of_a_random_year_lacks_its_reason() -> None:
    all_explained(lived(7, YEAR), YEAR)


def all_explained(services: Sequence[Service], days: Sequence[date]) -> None:
    for service in services:
        for day in days:
            told = explain_service(service.number, day)
            charged = set(service.charges.filter(on=day).values_list("pk", flat=True))
            named = {fact.key for fact in told.facts if fact.kind == "charge"}
            assert charged <= named, told.text
            assert told.conclusion, told.text
            assert "nothing is recorded" not in told.conclusion, told.text
