"""autosuspend: who is left alone, what ends for other reasons than money, and what is closed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billclock.billing import progress, stopping
from billclock.billing.catalog import ProductType
from billclock.billing.clients import Account, Client, ClientGroup, Contact
from billclock.billing.notifications import Notice, Subscription
from billclock.billing.payments import Attempt
from billclock.billing.progress import Parked
from billclock.billing.provider import Provider
from billclock.billing.services import (
    Operation,
    Reason,
    Service,
    ServiceAddOn,
    Status,
    Suspension,
    Task,
)
from tests.billing.company import TODAY, assert_books_agree, balance
from tests.jobs.suspending import Story, both_engines, fly, stopped, story

__all__ = ["story"]
pytestmark = pytest.mark.django_db


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
