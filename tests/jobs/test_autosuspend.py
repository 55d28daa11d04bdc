"""autosuspend: who cannot pay is told, then stopped, and runs again when the money is there."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billclock import clock
from billclock.billing import progress, renewals
from billclock.billing.catalog import Module, Product
from billclock.billing.clients import Contact
from billclock.billing.progress import JobRun
from billclock.billing.provider import Provider
from billclock.billing.services import (
    Operation,
    Outcome,
    Reason,
    Service,
    Status,
    Suspension,
    Task,
)
from billclock.jobs import registry
from billclock.jobs.report import Exit
from billclock.outbox.delivery import deliver
from tests.billing.company import TODAY, assert_books_agree, balance
from tests.jobs.suspending import Story, both_engines, stopped, story

__all__ = ["story"]
pytestmark = pytest.mark.django_db


@both_engines
def test_who_cannot_pay_is_told_then_stopped_when_grace_is_over(story: Story):
    service = story.service(story.house.account(5_00))
    story.days(0, 2)
    assert not stopped(service)
    assert len(story.relay.mails) == 1
    story.days(3, 3)
    assert stopped(service) == Reason.MONEY
    suspension = Suspension.objects.get()
    assert suspension.on == TODAY + timedelta(days=3)
    assert suspension.verdict is not None
    assert suspension.verdict.outcome == Outcome.UNFUNDED
    assert (suspension.verdict.need_minor, suspension.verdict.available_minor) == (11_90, 5_00)
    service.refresh_from_db()
    assert service.status == Status.STOPPED
    assert "was stopped" in story.relay.mails[-1]["Subject"]
    story.days(4, 6)
    assert Suspension.objects.count() == 1
    assert Operation.objects.count() == 1
    assert_books_agree()


def test_a_letter_that_has_not_left_begins_no_grace(story: Story, settings: LazySettings):
    service = story.service(story.house.account(0))
    relay, settings.SMTP = settings.SMTP, ""
    story.days(0, 9)
    assert not stopped(service)
    assert "its letter is queued" in story.explain(service, 9)
    settings.SMTP = relay
    story.days(10, 12)
    assert not stopped(service)
    story.days(13, 13)
    assert stopped(service) == Reason.MONEY


def test_who_cannot_be_written_to_is_told_by_staff_first(story: Story):
    service = story.service(story.house.account(0))
    Contact.objects.all().delete()
    story.days(0, 5)
    assert not stopped(service)
    task = Task.objects.get()
    assert "nobody with an e-mail address" in task.text
    Task.objects.update(done_at=story.at(6), done_by="bob")
    story.days(7, 8)
    assert not stopped(service)
    story.days(9, 9)
    assert stopped(service) == Reason.MONEY


@pytest.mark.parametrize(
    ("provider", "product", "day"), [(3, None, 3), (3, 7, 7), (5, 0, 0), (0, 2, 2)]
)
def test_a_products_grace_comes_before_its_providers(
    story: Story, provider: int, product: int | None, day: int
):
    Provider.objects.update(grace_days=provider)
    Product.objects.update(grace_days=product)
    service = story.service(story.house.account(0))
    if day:
        story.days(0, day - 1)
        assert not stopped(service)
    story.days(day, day)
    assert stopped(service) == Reason.MONEY


def test_nobody_is_stopped_ahead_of_his_day(story: Story):
    service = story.service(story.house.account(0))
    story.days(0, 2)
    with clock.at(story.at(2)):
        report = registry.perform("autosuspend", on=TODAY + timedelta(days=3))
    assert "2026-11-23 is not yet there" in report.text()
    assert (report.exit_code, stopped(service)) == (Exit.FAILED, 0)


def test_money_that_came_in_time_renews_instead(story: Story):
    account = story.house.account(0)
    service = story.service(account)
    story.days(0, 2)
    story.house.pay(account, 11_90)
    assert story.run(3).done == 1
    assert not stopped(service)
    assert service.paid_until == date(2026, 12, 20)
    assert_books_agree()


@both_engines
def test_what_has_been_paid_runs_again_the_oldest_first(story: Story):
    account = story.house.account(0)
    late = story.service(account, paid_until=TODAY)
    old = story.service(account, paid_until=TODAY - timedelta(days=2))
    story.days(0, 4)
    assert stopped(late) == stopped(old) == Reason.MONEY
    story.house.pay(account, 12_00)
    story.run(4, 13)
    assert stopped(late) == Reason.MONEY
    assert not stopped(old)
    assert old.status == Status.ACTIVE
    story.house.pay(account, 12_00)
    story.run(10)
    assert not stopped(late)
    assert late.paid_until == TODAY + timedelta(days=7 + 30)
    assert balance(account) == 24_00 - 2 * 11_90
    assert_books_agree()


def test_what_is_paid_runs_again_in_quiet_hours_too(story: Story):
    Provider.objects.update(quiet_from=time(18), quiet_until=time(9))
    account = story.house.account(0)
    service = story.service(account)
    story.days(0, 3)
    assert stopped(service) == Reason.MONEY
    story.house.pay(account, 11_90)
    story.run(3, 23)
    assert not stopped(service)


@pytest.mark.parametrize(
    ("quiet", "hour", "puts_off"),
    [
        ((time(18), time(9)), 8, True),
        ((time(18), time(9)), 18, True),
        ((time(18), time(9)), 9, False),
        ((time(9), time(18)), 12, True),
        ((time(9), time(18)), 8, False),
    ],
)
def test_quiet_hours_put_stops_off(
    story: Story, quiet: tuple[time, time], hour: int, puts_off: bool
):
    Provider.objects.update(quiet_from=quiet[0], quiet_until=quiet[1])
    service = story.service(story.house.account(0))
    for day in range(4):
        story.bill(day)
    report = story.run(3, hour)
    assert bool(stopped(service)) is not puts_off
    assert ("nothing is stopped now: quiet hours" in report.text()) is puts_off


@pytest.mark.parametrize("holiday", ["2026-11-23", "11-23"])
def test_holidays_put_stops_off(story: Story, holiday: str):
    Provider.objects.update(holidays=[holiday])
    service = story.service(story.house.account(0))
    story.days(0, 3)
    assert not stopped(service)
    assert "2026-11-23 is a holiday" in story.explain(service, 3)
    story.days(4, 4)
    assert stopped(service) == Reason.MONEY


def test_too_many_at_once_wait_for_somebody(story: Story):
    services = [story.service(story.house.account(0)) for _ in range(12)]
    account = story.house.account(0)
    paid = story.service(account)
    story.days(0, 2)
    story.house.pay(account, 11_90)
    story.bill(3)
    report = story.run(3)
    assert report.exit_code is Exit.FAILED
    assert "12 services of acme would be stopped at once" in report.failed["acme"]
    assert services[0].number in report.failed["acme"]
    assert not Suspension.objects.exists()
    paid.refresh_from_db()
    assert paid.paid_until > TODAY + timedelta(days=3)
    run = JobRun.objects.get(job="autosuspend", on=TODAY + timedelta(days=3))
    assert run.state == JobRun.State.STOPPED
    assert "waits for approval" in story.explain(services[0], 3)
    progress.allow(run, "ada")
    assert story.run(3, 13).exit_code is Exit.DONE
    assert Suspension.objects.count() == 12
    run.refresh_from_db()
    assert run.state == JobRun.State.DONE


def test_a_confirmed_run_passes_the_limit(story: Story):
    for _ in range(12):
        story.service(story.house.account(0))
    story.days(0, 2)
    story.bill(3)
    assert story.run(3, confirm=True).exit_code is Exit.DONE
    assert Suspension.objects.count() == 12


def test_late_billing_after_an_outage_stops_nobody_in_the_same_pass(story: Story):
    story.bill(0)
    service = story.service(story.house.account(0), paid_until=TODAY + timedelta(days=1))
    report = story.run(9)
    assert "the last date that was billed is 2026-11-20" in report.text()
    with clock.at(story.at(9, 12, 30)):
        registry.perform("billdaily", on=clock.today(), confirm=True)
        deliver()
    service.refresh_from_db()
    assert service.unfunded_since == TODAY + timedelta(days=1)
    story.run(9, 13)
    story.days(10, 11)
    assert not stopped(service)
    story.days(12, 12)
    assert stopped(service) == Reason.MONEY


def test_before_anything_was_billed_nothing_is_stopped(story: Story):
    story.service(story.house.account(0))
    assert "nothing was billed yet" in story.run(0).text()


@both_engines
def test_a_dry_run_says_what_would_be_and_changes_nothing(story: Story):
    poor = story.service(story.house.account(0))
    account = story.house.account(0)
    story.service(account)
    story.days(0, 2)
    story.bill(3)
    story.house.pay(account, 50_00)
    before = (Suspension.objects.count(), Operation.objects.count(), balance(account))
    text = story.run(3, dry_run=True).text()
    assert "2026-11-23: 1 would be paid and running, 1 would be stopped, 0 would be closed" in text
    assert "last time (2026-11-22): 0 paid and running, 0 stopped" in text
    assert f"1 for money: {poor.number}" in text
    assert before == (Suspension.objects.count(), Operation.objects.count(), balance(account))
    assert story.run(3).figures["acme 2026-11-23"] == {
        "resumed": 1, "stopped": 1, "closed": 0, "told": 0,
    }  # fmt: skip


def test_one_that_fails_holds_up_no_other(story: Story):
    odd = story.service(story.house.account(0))
    good = story.service(story.house.account(0))
    story.days(0, 2)
    story.house.pay(odd.account, 1_00)
    Service.objects.filter(pk=odd.pk).update(months=7)
    story.bill(3)
    report = story.run(3)
    assert "no price in EUR for 7 months" in report.failed[odd.number]
    assert not stopped(odd)
    assert stopped(good) == Reason.MONEY


def test_a_module_that_gave_up_is_told_and_a_task(story: Story):
    Module.objects.update(settings={"faults": "many"})
    service = story.service(story.house.account(0))
    for day in range(4):
        story.bill(day)
    report = story.run(3)
    assert "it is a task for people now" in report.failed[f"suspend of {service.number}"]
    assert stopped(service) == Reason.MONEY
    assert story.run(3, 13).exit_code is Exit.DONE
    assert Task.objects.filter(kind="operation").count() == 1


def test_a_pass_asks_the_same_of_many_that_wait_as_of_few(story: Story):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert story.run(0, hour=13).exit_code is Exit.DONE
        return len(queries)

    story.service(story.house.account(5_00))
    story.days(0, 0)
    few = asked()
    for _ in range(5):
        story.service(story.house.account(5_00))
    with clock.at(story.at(0, 13)):
        for service in Service.objects.filter(unfunded_since=None):
            renewals.decide(service, TODAY)
        deliver()
    assert Service.objects.exclude(unfunded_since=None).count() == 6
    assert asked() == few


def test_what_people_do_is_handed_to_them_and_is_no_failure(story: Story):
    Module.objects.update(plugin="manual")
    service = story.service(story.house.account(0))
    story.days(0, 3)
    assert stopped(service) == Reason.MONEY
    assert Task.objects.get(kind="operation").service == service
