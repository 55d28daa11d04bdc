"""autosuspend: nobody is stopped who paid, was not told, or is exempt; each change is explained."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billclock import clock
from billclock.billing import explaining, orders, progress, renewals, stopping
from billclock.billing.catalog import Module, Product, ProductType
from billclock.billing.clients import Account, Client, ClientGroup, Contact
from billclock.billing.notifications import Notice, Subscription
from billclock.billing.payments import Attempt, Payment, PaymentMethod
from billclock.billing.processing.base import Action, Order
from billclock.billing.processing.simulated.module import FILE
from billclock.billing.processing.simulated.panel import Panel
from billclock.billing.progress import JobRun, Parked
from billclock.billing.provider import Provider
from billclock.billing.services import (
    Operation,
    Outcome,
    Reason,
    Service,
    ServiceAddOn,
    Status,
    Suspension,
    Task,
    Verdict,
)
from billclock.billing.verifying import breaches
from billclock.jobs import registry
from billclock.jobs.report import Exit, Report
from billclock.outbox.delivery import deliver
from billclock.outbox.models import Message
from tests.billing.company import TODAY, House, assert_books_agree, balance, live
from tests.outbox.relay import Relay, serving

pytestmark = pytest.mark.django_db

both_engines = pytest.mark.usefixtures("engine")


@dataclass
class Story:
    """A company, its mail relay, and the days as they pass."""

    house: House
    relay: Relay
    panel: Panel

    def at(self, day: int = 0, hour: int = 12, minute: int = 2) -> datetime:
        """Give a moment of a day after TODAY."""
        return datetime.combine(TODAY + timedelta(days=day), time(hour, minute), UTC)

    def service(
        self, account: Account, product: str = "monthly", paid_until: date = TODAY,
        **given: object,
    ) -> Service:  # fmt: skip
        """Give a running service that is there at the panel too."""
        made = self.house.service(account, product, paid_until, **given)  # type: ignore[arg-type]
        self.panel.carry_out(Action.OPEN, Order(f"open {made.pk}", self.at(-99), made.number, ""))
        return made

    def bill(self, day: int = 0) -> Report:
        """Bill a day as the crontab does, and let its letters leave."""
        with clock.at(self.at(day, 0, 15)):
            report = registry.perform("billdaily", on=clock.today())
            deliver()
        assert not report.failed
        return report

    def run(self, day: int = 0, hour: int = 12, **how: bool) -> Report:
        with clock.at(self.at(day, hour)):
            report = registry.perform("autosuspend", on=clock.today(), **how)
            if not how:
                deliver()
        return report

    def days(self, first: int, last: int) -> None:
        """Let days pass: billed at night, services looked after at noon."""
        for day in range(first, last + 1):
            self.bill(day)
            assert self.run(day).exit_code is Exit.DONE

    def explain(self, service: Service, day: int = 0, hour: int = 12) -> str:
        with clock.at(self.at(day, hour)):
            report = registry.perform("autosuspend", on=clock.today(), explain=service.number)
        assert not report.failed
        return "\n".join(report.lines)


@pytest.fixture
def story(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Story]:
    monkeypatch.setenv("TZ", "UTC")
    settings.DATA = tmp_path
    settings.HOME = tmp_path
    settings.PUBLIC_URL = "https://clock.example"
    with serving(Relay()) as relay:
        settings.SMTP = relay.url
        house = House()
        Module.objects.update(plugin="simulated")
        yield Story(house, relay, Panel(tmp_path / FILE))


def stopped(service: Service) -> int:
    """Give what a service is stopped for by now, the sum of its reasons."""
    service.refresh_from_db()
    return service.stopped_for


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


def exempt(story: Story, whose: str, service: Service) -> str:
    account = service.account
    if whose == "service":
        Service.objects.update(never_suspended=True)
        return "the service is exempt from stops"
    if whose == "account":
        Account.objects.update(never_suspended=True)
    elif whose == "client":
        Client.objects.update(never_suspended=True)
    elif whose == "group":
        account.group = ClientGroup.objects.create(
            provider=story.house.provider, name="friends", never_suspended=True
        )
        account.save()
    elif whose == "held":
        stopping.hold(service, TODAY + timedelta(days=99), on=TODAY)
        return "held until 2027-02-27"
    elif whose == "parked":
        run = progress.begin("billdaily", story.house.provider, TODAY)
        Parked.objects.create(account=account, reason="odd", since=story.at(), run=run)
    elif whose == "flying":
        fly(story, account)
        return "payment attempt k1 is sent since 2026-11-20"
    return f"{whose}"


def fly(story: Story, account: Account) -> Attempt:
    method = PaymentMethod.objects.create(
        code="card", name="Card", plugin="simulated", provider=story.house.provider,
        currency_id="EUR",
    )  # fmt: skip
    payment = Payment.objects.create(
        key="p1", number="P1", account=account, method=method, amount_minor=11_90,
        created_at=story.at(), created_on=TODAY,
    )  # fmt: skip
    return Attempt.objects.create(
        payment=payment, number=1, key="k1", amount_minor=11_90, state=Attempt.State.SENT,
        created_at=story.at(),
    )  # fmt: skip


@pytest.mark.parametrize(
    "whose", ["service", "account", "client", "group", "held", "parked", "flying"]
)
def test_what_is_exempt_is_never_stopped(story: Story, whose: str):
    service = story.service(story.house.account(0))
    story.bill(0)
    said = exempt(story, whose, service)
    for day in range(1, 8):
        story.run(day)
        story.bill(day)
    assert not stopped(service)
    assert said in story.explain(service, 7)
    assert "nothing stops it at the next run" in story.explain(service, 7)


def test_a_payment_that_failed_lets_the_stop_go_on(story: Story):
    service = story.service(story.house.account(0))
    attempt = fly(story, service.account)
    story.days(0, 5)
    assert not stopped(service)
    attempt.state = Attempt.State.DECLINED
    attempt.save()
    story.run(6)
    assert stopped(service) == Reason.MONEY


def test_postpaid_accounts_are_never_stopped_for_money(story: Story):
    account = story.house.account(0, kind=Account.Kind.POSTPAID)
    service = story.service(account)
    story.days(0, 9)
    assert not stopped(service)
    assert balance(account) == -11_90
    assert "is postpaid" in story.explain(service, 9)


@both_engines
def test_what_is_not_renewed_by_itself_is_stopped_after_its_end(story: Story):
    service = story.service(story.house.account(100_00), auto_renew=False)
    story.days(0, 0)
    assert Notice.objects.filter(kind="expiring", subject=service.pk).count() == 1
    story.days(1, 2)
    assert not stopped(service)
    story.days(3, 3)
    assert stopped(service) == Reason.EXPIRED
    assert balance(service.account) == 100_00
    stopping.set_auto_renew(service, on=True, by="ada")
    story.run(5)
    assert not stopped(service)
    assert service.paid_until == date(2026, 12, 22)
    assert_books_agree()


def test_who_wants_no_such_letters_counts_as_told(story: Story):
    service = story.service(story.house.account(0), auto_renew=False)
    Subscription.objects.create(contact=Contact.objects.get(), kind="expiring", on=False)
    story.days(0, 2)
    assert not stopped(service)
    story.days(3, 3)
    assert stopped(service) == Reason.EXPIRED
    assert story.relay.mails[0]["Subject"].strip().endswith("was stopped")


def test_an_ended_service_whose_news_nobody_took_waits_for_staff(story: Story):
    service = story.service(story.house.account(0), auto_renew=False)
    Contact.objects.all().delete()
    story.days(0, 4)
    assert not stopped(service)
    assert "nobody with an e-mail address" in Task.objects.get().text
    Task.objects.update(done_at=story.at(5), done_by="bob")
    story.days(6, 7)
    assert not stopped(service)
    story.days(8, 8)
    assert stopped(service) == Reason.EXPIRED


@both_engines
def test_an_addon_over_its_most_stops_a_service_once_its_people_know(story: Story):
    product = story.house.products["monthly"]
    disk = story.house.addon(product, "disk", included=5, most=10)
    service = story.service(story.house.account(50_00), paid_until=date(2027, 1, 1))
    used = ServiceAddOn.objects.create(service=service, addon=disk, used=11)
    story.days(0, 0)
    assert not stopped(service)
    assert "uses more than its plan allows" in story.relay.mails[0]["Subject"]
    story.run(0, 13)
    assert stopped(service) == Reason.ADDON
    verdict = Suspension.objects.get().verdict
    assert verdict is not None
    assert (verdict.outcome, verdict.need_minor, verdict.available_minor) == (8, 11, 10)
    assert "disk: 11 in use, at most 10 are allowed" in story.explain(service)
    used.used = 10
    used.save()
    story.run(0, 14)
    assert not stopped(service)
    assert_books_agree()


@both_engines
def test_what_stays_unpaid_is_closed_where_the_provider_says_so(story: Story):
    ProductType.objects.update(deletion_days=10)
    service = story.service(story.house.account(0))
    other = story.service(story.house.account(0))
    story.days(0, 3)
    stopping.suspend(other, Reason.STAFF, on=TODAY, by="bob")
    story.days(4, 14)
    service.refresh_from_db()
    assert service.status == Status.STOPPED
    Provider.objects.update(deletes_suspended=True)
    assert "it is closed on 2026-12-03 if it is not paid" in story.explain(service, 14)
    story.days(15, 15)
    service.refresh_from_db()
    other.refresh_from_db()
    assert (service.status, other.status) == (Status.DELETED, Status.STOPPED)
    assert Operation.objects.get(service=service, action="close").state == "done"
    assert "was closed" in story.relay.mails[-1]["Subject"]
    assert_books_agree()


def test_a_product_that_is_never_deleted_stays(story: Story):
    Provider.objects.update(deletes_suspended=True)
    service = story.service(story.house.account(0))
    story.days(0, 40)
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


def test_what_people_do_is_handed_to_them_and_is_no_failure(story: Story):
    Module.objects.update(plugin="manual")
    service = story.service(story.house.account(0))
    story.days(0, 3)
    assert stopped(service) == Reason.MONEY
    assert Task.objects.get(kind="operation").service == service


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
