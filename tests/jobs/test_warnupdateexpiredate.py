"""warnupdateexpiredate: ends are told when a threshold is crossed, once, the most urgent only."""

from datetime import UTC, date, datetime, timedelta

import pytest

from billclock import clock
from billclock.billing.models import JobRun, Notice, Service, Watermark
from billclock.billing.provider import Provider
from billclock.billing.services import Reason, Status
from billclock.jobs import registry, telling
from billclock.jobs.report import Exit, Report
from billclock.outbox.models import Message
from tests.billing.shop import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("engine")]

NAME = "warnupdateexpiredate"
ON = date(2027, 3, 1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def night(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "UTC")
    with clock.at(datetime(2027, 3, 1, 1, tzinfo=UTC)):
        yield


def run(on: date = ON, **how) -> Report:
    """Run for a date, on it or later."""
    at = max(clock.now(), datetime(on.year, on.month, on.day, 1, tzinfo=UTC))
    with clock.at(at):
        return registry.perform(NAME, on=on, **how)


def ending(shop: Shop, days: int, **given) -> Service:
    facts = {"auto_renew": False} | given
    return shop.service(shop.account(), shop.sold(), ON + days * DAY, **facts)


def told() -> list[tuple[str, int]]:
    """The kinds and thresholds of what was put into the outbox, in order."""
    payloads = [message.payload for message in Message.objects.order_by("id")]
    return [(payload["kind"], payload["threshold"]) for payload in payloads]


def test_ends_are_told_day_by_day(shop: Shop):
    ending(shop, 7)
    for n in range(10):
        assert run(ON + n * DAY).exit_code == Exit.DONE
    assert told() == [("expiring", threshold) for threshold in (5, 4, 3, 2, 1, 0)]
    assert Notice.objects.count() == 6


def test_after_missed_days_only_the_most_urgent_is_told(shop: Shop):
    ending(shop, 6)
    run()
    run(ON + 4 * DAY)
    assert told() == [("expiring", 2)]
    others = Notice.objects.filter(why_not="superseded").values_list("threshold", flat=True)
    assert sorted(others) == [3, 4, 5]


def test_thresholds_fire_on_crossing(shop: Shop):
    Provider.objects.update(expiry_days=[10, 3])
    ending(shop, 8)
    run()
    run(ON + 4 * DAY)
    run(ON + 6 * DAY)
    assert told() == [("expiring", 10), ("expiring", 3)]


def test_a_renewed_service_is_told_of_its_next_end(shop: Shop):
    service = ending(shop, 5)
    run()
    Service.objects.filter(pk=service.pk).update(paid_until=ON + 40 * DAY)
    Watermark.objects.update(on=ON + 37 * DAY)
    run(ON + 38 * DAY)
    assert told() == [("expiring", 5), ("expiring", 2)]


@pytest.mark.parametrize(
    "given",
    [
        {"auto_renew": True},
        {"status": Status.STOPPED, "stopped_for": Reason.CLIENT},
        {"stopped_for": Reason.ABUSE},
        {"status": Status.DELETED},
        {"status": Status.ORDERED},
    ],
)
def test_what_is_not_in_use_or_renews_by_itself_is_left_alone(shop: Shop, given: dict):
    ending(shop, 3, **given)
    ending(shop, -1)
    ending(shop, 6)
    run()
    assert told() == []


def test_ends_of_updates_are_told_too(shop: Shop):
    ending(shop, 100, auto_renew=True, updates_until=ON + 4 * DAY)
    run()
    assert told() == [("updates_ending", 4)]


def test_a_date_is_done_once(shop: Shop):
    ending(shop, 5)
    assert run().done == 1
    again = run()
    assert (again.done, again.exit_code) == (0, Exit.DONE)
    assert "done already" in again.text()
    assert run(ON - DAY).done == 0
    assert len(told()) == 1


def test_a_run_cut_off_after_its_letters_writes_no_second_one(shop: Shop):
    ending(shop, 5)
    run()
    Watermark.objects.all().delete()
    JobRun.objects.update(state=JobRun.State.RUNNING)
    assert run().done == 0
    assert len(told()) == 1


def test_a_dry_run_changes_nothing_and_says_what_would_be(shop: Shop):
    ending(shop, 5)
    report = run(dry_run=True)
    assert "1 letters would be written (expiring 1)" in report.text()
    assert not Notice.objects.exists()
    assert not Watermark.objects.exists()
    assert told() == []


def test_each_provider_has_its_own_date(shop: Shop):
    east = Shop("east", zone="Pacific/Auckland")
    ending(shop, 5)
    east.service(east.account(), east.sold(), ON + 5 * DAY, auto_renew=False)
    with clock.at(datetime(2027, 2, 28, 23, tzinfo=UTC)):
        run(date(2027, 2, 28))
    assert told() == [("expiring", 5)]
    assert set(Watermark.objects.values_list("provider__code", "on")) == {
        ("acme", date(2027, 2, 28)),
        ("east", ON),
    }


def test_a_flood_waits_for_leave(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telling, "FEW", 3)
    for _ in range(4):
        ending(shop, 5)
    report = run()
    assert report.exit_code == Exit.FAILED
    assert "4 letters would be written, usual are 0 at most" in report.failed["acme"]
    assert told() == []
    assert not Watermark.objects.exists()
    assert JobRun.objects.get().state == JobRun.State.STOPPED
    assert run(confirm=True).exit_code == Exit.DONE
    assert len(told()) == 4


def test_what_is_usual_is_learnt_from_the_runs_before(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(telling, "FEW", 3)
    for days in (5, 5, 5, 6, 6, 6, 6, 6, 6):
        ending(shop, days)
    assert run().done == 3
    assert run(ON + DAY).exit_code == Exit.FAILED  # 6 new and 3 once more, usual are 3
    assert run(ON + DAY, confirm=True).done == 9


def test_many_days_at_once_ask_first(shop: Shop):
    run()
    ending(shop, 20)
    report = run(ON + 18 * DAY)
    assert "18 dates since the last run; 1 letters" in report.failed["acme"]
    assert told() == []
    assert run(ON + 18 * DAY, confirm=True).done == 1


def test_one_providers_trouble_is_not_anothers(shop: Shop):
    Provider.objects.filter(pk=shop.provider.pk).update(expiry_days=["soon"])
    other = Shop("other")
    other.service(other.account(), other.sold(), ON, auto_renew=False)
    report = run()
    assert list(report.failed) == ["acme"]
    assert told() == [("expiring", 0)]


def test_explain_tells_why_and_why_not(shop: Shop):
    service = ending(shop, 5)
    run()
    said = run(explain=service.number).text()
    assert "paid until 2027-03-06, 5 days from 2027-03-01" in said
    assert "2027-03-01 expiring, threshold 5, about 2027-03-06: queued" in said
    Service.objects.update(auto_renew=True)
    assert "it is renewed by itself" in run(explain=service.number).text()
    assert "no service 'nope'" in run(explain="nope").text()
