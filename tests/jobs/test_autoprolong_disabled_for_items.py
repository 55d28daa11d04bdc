"""autoprolong_disabled_for_items: one letter a switch, while it holds and the end is not far."""

from datetime import UTC, date, datetime, timedelta

import pytest

from billclock import clock
from billclock.billing.models import RenewalSwitch, Service
from billclock.billing.services import Status
from billclock.jobs import registry
from billclock.jobs.report import Report
from billclock.outbox.models import Message
from tests.billing.shop import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("engine")]

ON = date(2027, 3, 1)
NIGHT = datetime(2027, 3, 1, 0, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def night(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "UTC")
    with clock.at(NIGHT):
        yield


def run(on: date = ON, **how) -> Report:
    """Run for a date, on it or later."""
    at = max(clock.now(), datetime(on.year, on.month, on.day, 1, tzinfo=UTC))
    with clock.at(at):
        return registry.perform("autoprolong_disabled_for_items", on=on, **how)


def switched(shop: Shop, days: int = 10, **given) -> Service:
    service = shop.service(shop.account(), shop.sold(), ON + days * DAY, auto_renew=False, **given)
    switch(service, on=False)
    return service


def switch(service: Service, *, on: bool) -> RenewalSwitch:
    Service.objects.filter(pk=service.pk).update(auto_renew=on)
    return RenewalSwitch.objects.create(service=service, on=on, at=NIGHT, by="staff", why="card")


def subjects() -> list[int]:
    return [message.payload["subject"] for message in Message.objects.order_by("id")]


def test_a_switch_is_told_once(shop: Shop):
    switched(shop)
    assert run().done == 1
    assert run().done == 0
    assert run(ON + DAY).done == 0
    assert subjects() == [RenewalSwitch.objects.get().pk]


def test_a_switch_of_the_same_day_is_told_by_the_days_second_run(shop: Shop):
    run()
    switched(shop)
    with clock.at(NIGHT + timedelta(hours=12)):
        assert run().done == 1


def test_each_switch_is_news_and_only_the_last_counts(shop: Shop):
    service = switched(shop)
    run()
    switch(service, on=True)
    run()
    later = switch(service, on=False)
    run()
    assert subjects()[1:] == [later.pk]
    switch(service, on=True)
    switch(service, on=False)
    last = switch(service, on=False)
    run()
    assert subjects()[2:] == [last.pk]


@pytest.mark.parametrize(("days", "told"), [(0, 1), (30, 1), (31, 0), (-1, 0)])
def test_only_near_ends_are_told(shop: Shop, days: int, told: int):
    switched(shop, days)
    assert run().done == told


def test_a_far_end_is_told_when_it_is_near(shop: Shop):
    switched(shop, 33)
    assert [run(ON + n * DAY).done for n in range(5)] == [0, 0, 0, 1, 0]


def test_closed_services_and_switches_back_are_left_alone(shop: Shop):
    switched(shop, status=Status.DELETED)
    switch(switched(shop), on=True)
    assert run().done == 0


def test_explain_tells_who_switched_and_what_was_sent(shop: Shop):
    service = switched(shop)
    run()
    said = run(explain=service.number).text()
    assert "2027-03-01 00:30 UTC switched off by staff: card" in said
    assert "renewal_off, threshold 0, about 2027-03-11: queued" in said
