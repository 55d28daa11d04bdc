"""autosuspend: whatever happened, a stop is just, happens once, and is explained."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billclock import clock
from billclock.billing import explaining, orders
from billclock.billing.catalog import Module
from billclock.billing.notifications import Notice
from billclock.billing.payments import Attempt
from billclock.billing.provider import Provider
from billclock.billing.services import (
    Operation,
    Outcome,
    Reason,
    Service,
    Suspension,
    Verdict,
)
from billclock.billing.verifying import breaches
from billclock.jobs import registry
from billclock.jobs.report import Exit
from billclock.outbox.models import Message
from tests.billing.company import TODAY, assert_books_agree, balance, live
from tests.jobs.suspending import Story, both_engines, fly, stopped, story

__all__ = ["story"]
pytestmark = pytest.mark.django_db


def test_running_it_twice_is_running_it_once(story: Story):
    story.service(story.house.account(0))
    story.days(0, 3)
    counts = (Suspension.objects.count(), Notice.objects.count(), Operation.objects.count())
    for hour in range(13, 20):
        assert story.run(3, hour).done == 0
    assert counts == (Suspension.objects.count(), Notice.objects.count(), Operation.objects.count())


def test_a_daily_service_that_stood_pays_its_grace_when_money_comes(story: Story):
    account = story.house.account(2_38)
    service = story.service(account, "daily")
    story.days(0, 6)
    assert stopped(service) == Reason.MONEY
    assert service.paid_until == TODAY + timedelta(days=2)
    story.house.pay(account, 20_00)
    story.run(8)
    assert not stopped(service)
    assert service.paid_until == TODAY + timedelta(days=9)
    assert len([charge for charge in live(service) if charge.total_minor]) == 2 + 3 + 1
    assert_books_agree()


def test_use_that_could_not_be_paid_is_forgiven_when_it_can_be(story: Story):
    account = story.house.account(0)
    service = story.service(account, paid_until=date(2027, 1, 1))
    Service.objects.update(unfunded_since=TODAY)
    Verdict.objects.create(
        service=service, on=TODAY, sequence=900, outcome=Outcome.UNFUNDED, need_minor=1_00
    )
    story.bill(0)
    story.house.pay(account, 50)
    story.run(0)
    service.refresh_from_db()
    assert service.unfunded_since == TODAY
    story.house.pay(account, 50)
    story.run(0, 13)
    service.refresh_from_db()
    assert service.unfunded_since is None
    assert balance(account) == 1_00


@both_engines
def test_every_day_of_a_service_can_be_explained(story: Story):
    """Charged, waiting, stopped, paused, closed: no day is left without its reason."""
    account = story.house.account(12_00)
    with clock.at(story.at(-31)):
        service = orders.order(
            account, orders.Wish(story.house.products["monthly"]),
            on=TODAY - timedelta(days=31),
        )  # fmt: skip
    story.days(-31, 10)
    story.house.pay(account, 30_00, on=TODAY + timedelta(days=11))
    story.days(11, 40)
    service.refresh_from_db()
    said = set()
    for day in range(-32, 41):
        on = TODAY + timedelta(days=day)
        with CaptureQueriesContext(connection) as queries:
            explained = explaining.explain_service(service.number, on)
        assert len(queries) <= 16, "a fixed number, each by an index: some milliseconds"
        said.add(explained.conclusion.split(":")[0].split(" by ")[0])
        assert "nothing is recorded" not in explained.text, explained.text
        assert explained.text.startswith(f"{service.number} on {on}: ")
    assert {"renewed", "not renewed", "not due", "not billed"} <= said


def test_explaining_names_what_it_does_not_know(story: Story):
    report = registry.perform("autosuspend", on=TODAY, explain="S999")
    assert report.exit_code is Exit.FAILED
    assert "there is no service S999" in report.failed["S999"]


@pytest.mark.parametrize("seed", range(3))
def test_in_any_history_who_is_stopped_was_told_and_could_not_pay(story: Story, seed: int):
    """Money comes at odd times, payments hang, letters wait: no stop is ever unjust (M5)."""
    dice = random.Random(seed)
    Module.objects.update(settings={"faults": "rough", "seed": str(seed)})
    Provider.objects.update(most_suspended_ppm=1_000_000)
    products = ("monthly", "daily", "calendar")
    accounts = [story.house.account(dice.randrange(30_00)) for _ in range(5)]
    for account in accounts:
        for _ in range(2):
            story.service(account, dice.choice(products), TODAY + timedelta(dice.randrange(6)))
    flying = fly(story, accounts[0])
    known = set()
    for day in range(24):
        story.bill(day)
        for account in accounts:
            if not dice.randrange(5):
                story.house.pay(account, dice.randrange(1, 25_00), on=TODAY + timedelta(day))
        flying.state = dice.choice([Attempt.State.SENT, Attempt.State.DECLINED])
        flying.save()
        story.run(day, dice.randrange(1, 24))
        for stop in Suspension.objects.exclude(pk__in=known).select_related("service", "verdict"):
            known.add(stop.pk)
            assert_just(story, stop, flying)
    assert known
    assert_books_agree()
    assert [breach.what for breach in breaches()] == []


def assert_just(story: Story, stop: Suspension, flying: Attempt) -> None:
    account, verdict = stop.service.account, stop.verdict
    assert verdict is not None
    assert verdict.outcome == Outcome.UNFUNDED
    assert balance(account) < verdict.need_minor
    letter = Notice.objects.get(account=account, kind="not_renewed", period=verdict_day(stop))
    sent = Message.objects.get(dedupe_key=letter.message).sent_at
    assert sent is not None
    assert sent.date() + timedelta(days=3) <= stop.on
    assert account != flying.payment.account or flying.state == Attempt.State.DECLINED


def verdict_day(stop: Suspension) -> date:
    """Give the day on which a service was first without money, before it was stopped."""
    since = None
    for verdict in stop.service.verdicts.filter(on__lte=stop.on).order_by("on", "sequence"):
        since = None if verdict.outcome == Outcome.RENEWED else since or verdict.on
    assert since is not None
    return since
