"""Forged notices: counted by day, in few writes and few rows, however many are sent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billclock import clock
from billclock.billing import unsigned
from billclock.billing.payments import PaymentMethod, UnsignedNotice
from tests.billing.company import TODAY, House, noon
from tests.billing.tills import bank

pytestmark = pytest.mark.django_db


@pytest.fixture
def method(engine: str, monkeypatch: pytest.MonkeyPatch) -> PaymentMethod:
    monkeypatch.setattr(unsigned, "_held", unsigned._Held())
    return bank(House())


@pytest.mark.usefixtures("engine")
def test_a_flood_is_counted_whole_and_written_now_and_then(method: PaymentMethod) -> None:
    with CaptureQueriesContext(connection) as asked, clock.at(noon(TODAY)):
        for _ in range(1000):
            unsigned.count(method)
    with clock.at(noon(TODAY)):
        assert [one.count for one in unsigned.lately()] == [1000]
    assert len(asked) < 10
    with clock.at(noon(TODAY) + unsigned.EVERY):
        unsigned.count(method)
        assert [one.count for one in unsigned.lately()] == [1001]
    assert UnsignedNotice.objects.get().count == 1001


@pytest.mark.usefixtures("engine")
def test_old_days_are_forgotten(method: PaymentMethod) -> None:
    for day in range(0, 200, 20):
        with clock.at(noon(TODAY + timedelta(days=day))):
            unsigned.count(method)
    assert UnsignedNotice.objects.count() == 5
    with clock.at(noon(TODAY + timedelta(days=182))):
        assert unsigned.lately() == []
