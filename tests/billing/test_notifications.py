"""Notices: written with their message in one transaction, once; by one, by many, by set."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F, OuterRef
from django.test.utils import CaptureQueriesContext

from billclock import clock
from billclock.billing.errors import BillingError
from billclock.billing.letters import told
from billclock.billing.money import Money
from billclock.billing.notifications import (
    SUPERSEDED,
    Notice,
    Telling,
    lay_out,
    notify,
    notify_many,
    notify_set,
    put_next,
)
from billclock.billing.services import Service, Task
from billclock.outbox.models import Message, State
from tests.billing.shop import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("engine")]

ON = date(2027, 3, 1)
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
LOW = {"ends_on": date(2027, 3, 6), "need": Money(1200, "EUR"), "balance": Money(700, "EUR")}


@pytest.fixture(autouse=True)
def noon():
    with clock.at(NOON):
        yield


@pytest.fixture
def shop(engine: str) -> Shop:
    return Shop()


def low(account: int, threshold: int = 5, **given: object) -> Telling:
    facts = {"kind": "low_money", "period": ON, "threshold": threshold, "facts": LOW}
    return Telling(account, **(facts | given))


def test_a_notice_comes_with_its_message(shop: Shop):
    account = shop.account()
    notice = notify(account, "low_money", period=ON, threshold=5, on=ON, facts=LOW)
    message = Message.objects.get()
    assert notice.message == message.dedupe_key
    assert (message.channel, message.state) == ("letter", State.QUEUED)
    assert (message.created, message.next_try) == (NOON, NOON)
    assert message.payload == {
        "kind": "low_money",
        "account": account.pk,
        "subject": 0,
        "period": "2027-03-01",
        "threshold": 5,
        "facts": {
            "ends_on": {"day": "2027-03-06"},
            "need": {"minor": 1200, "currency": "EUR"},
            "balance": {"minor": 700, "currency": "EUR"},
        },
    }


def test_a_notice_is_written_once(shop: Shop):
    account = shop.account()
    first = notify(account, "renewed", period=ON, on=ON)
    assert notify(account.pk, "renewed", period=ON, on=ON + timedelta(days=1)) == first
    assert notify(account, "renewed", period=ON + timedelta(days=1), on=ON) != first
    assert notify(account, "renewed", period=ON, subject=7, on=ON) != first
    assert Message.objects.count() == Notice.objects.count() == 3


def test_what_is_undone_tells_nobody(shop: Shop):
    account = shop.account()

    with transaction.atomic():
        notify(account, "renewed", period=ON, on=ON)
        transaction.set_rollback(True)
    assert not Notice.objects.exists()
    assert not Message.objects.exists()


def test_an_unknown_kind_is_named(shop: Shop):
    account = shop.account()
    with pytest.raises(BillingError, match=r"no kind of notice 'renwed'.*renewed"):
        notify(account, "renwed", period=ON, on=ON)


def test_facts_that_a_kind_needs_are_asked_for(shop: Shop):
    account = shop.account()
    with pytest.raises(ValueError, match="low_money lacks need, balance"):
        notify(account, "low_money", period=ON, on=ON, facts={"ends_on": ON})
    with pytest.raises(TypeError, match="cannot be a letter's fact"):
        notify(account, "low_money", period=ON, on=ON, facts=LOW | {"need": 1.5})
    assert not Notice.objects.exists()


def test_many_are_told_as_one_would_be(shop: Shop):
    accounts = [shop.account() for _ in range(3)]
    notify(accounts[0], "low_money", period=ON, threshold=5, on=ON, facts=LOW)
    one = Message.objects.get()
    Notice.objects.all().delete()
    Message.objects.all().delete()
    assert notify_many([low(account.pk) for account in accounts], on=ON) == 3
    many = Message.objects.get(dedupe_key=one.dedupe_key)
    skipped = {"_state", "id"}
    assert {k: v for k, v in vars(many).items() if k not in skipped} == {
        k: v for k, v in vars(one).items() if k not in skipped
    }
    assert set(Notice.objects.values_list("message", flat=True)) == set(
        Message.objects.values_list("dedupe_key", flat=True)
    )


def test_many_are_told_once(shop: Shop):
    accounts = [shop.account() for _ in range(3)]
    notify(accounts[0], "low_money", period=ON, threshold=5, on=ON, facts=LOW)
    tellings = [low(account.pk) for account in accounts]
    assert notify_many(tellings + tellings, on=ON) == 2
    assert notify_many(tellings, on=ON) == 0
    assert Message.objects.count() == 3


def test_a_notice_whose_message_is_long_gone_is_not_told_again(shop: Shop):
    account = shop.account()
    notify(account, "low_money", period=ON, threshold=5, on=ON, facts=LOW)
    Message.objects.all().delete()
    notify(account, "low_money", period=ON, threshold=5, on=ON, facts=LOW)
    assert notify_many([low(account.pk)], on=ON) == 0
    assert not Message.objects.exists()


def test_of_several_thresholds_the_others_are_recorded(shop: Shop):
    account = shop.account()
    tellings = [low(account.pk, 1), low(account.pk, 4, facts={}, why_not=SUPERSEDED)]
    assert notify_many(tellings, on=ON) == 1
    assert Message.objects.get().payload["threshold"] == 1
    noted = Notice.objects.get(threshold=4)
    assert (noted.message, noted.why_not) == ("", "superseded")
    assert notify_many([low(account.pk, 4)], on=ON) == 0, "what is superseded stays so"


def test_words_of_any_script_arrive_whole(shop: Shop):
    account = shop.account()
    why = 'Карта "МИР" \\ отклонена 🙁 %s'
    facts = {"amount": Money(1, "EUR"), "why": why}
    notify_many([Telling(account.pk, "top_up_failed", ON, facts=facts)], on=ON)
    assert Message.objects.get().payload["facts"]["why"] == why


def test_the_number_of_statements_does_not_depend_on_how_many_are_told(shop: Shop):
    accounts = [shop.account().pk for _ in range(40)]
    with CaptureQueriesContext(
        connection,
    ) as few:
        notify_many([low(accounts[0])], on=ON)
    with CaptureQueriesContext(connection) as many:
        notify_many([low(account) for account in accounts], on=ON)
    assert len(many) <= len(few)


def test_a_select_tells_whom_it_names(shop: Shop):
    product = shop.sold()
    accounts = [shop.account() for _ in range(3)]
    for account in accounts[:2]:
        shop.service(account, product, ON)
        shop.service(account, product, ON)
    select = (
        "SELECT DISTINCT account_id, 0, paid_until, 0 FROM billing_service WHERE months = %(m)s"
    )
    assert notify_set("renewed", select, {"m": 1}, on=ON) == 2
    assert notify_set("renewed", select, {"m": 1}, on=ON) == 0
    payloads = [message.payload for message in Message.objects.order_by("id")]
    assert [(p["account"], p["period"], p["facts"]) for p in payloads] == [
        (account.pk, "2027-03-01", {}) for account in accounts[:2]
    ]
    assert {notice.period for notice in Notice.objects.all()} == {ON}


def test_a_select_cannot_tell_what_needs_facts():
    with pytest.raises(ValueError, match="low_money need facts"):
        notify_set("low_money", "SELECT 1, 0, 0, 0", {}, on=ON)


def test_what_is_laid_out_is_counted_before_anything_is_written(shop: Shop):
    tellings = [low(shop.account().pk), low(shop.account().pk, why_not=SUPERSEDED)]
    assert lay_out(tellings) == {"low_money": 1}
    assert not Notice.objects.exists()
    assert put_next(ON) == 1
    assert put_next(ON) is None
    assert (Notice.objects.count(), Message.objects.count()) == (2, 1)


def test_who_is_cut_off_between_two_parts_goes_on_with_the_rest(shop: Shop):
    tellings = [low(shop.account().pk, threshold) for threshold in (5, 4, 3, 2, 1)]
    lay_out(tellings)
    assert [put_next(ON, most=2), put_next(ON, most=2)] == [2, 2]
    assert lay_out(tellings).total() == 1
    assert [put_next(ON, most=2), put_next(ON, most=2)] == [1, None]
    assert Message.objects.count() == Notice.objects.count() == 5


# who was told


def told_of(account, kind="not_renewed", **changes):
    notice = notify(account, kind, period=ON, on=ON)
    Message.objects.filter(dedupe_key=notice.message).update(**changes)
    return notice


def test_only_a_letter_that_somebody_took_went_out(shop: Shop):
    took, half, waits, lost, other, none = (shop.account() for _ in range(6))
    told_of(took, state=State.SENT, sent_at=NOON)
    told_of(half, state=State.FAILED, sent_at=NOON + timedelta(hours=1))
    told_of(waits)
    told_of(lost, state=State.FAILED)
    told_of(other, "renewed", state=State.SENT, sent_at=NOON)
    asked = [account.pk for account in (took, half, waits, lost, other, none)]
    expected = {took.pk: NOON, half.pk: NOON + timedelta(hours=1)}
    assert told.went_out(asked, "not_renewed", ON) == expected
    assert told.went_out(asked, "not_renewed", ON + timedelta(days=1)) == {}
    assert told.went_out([took.pk], "not_renewed", ON) == {took.pk: NOON}


def test_services_know_since_when_their_client_was_told(shop: Shop):
    account, product = shop.account(), shop.sold()
    told_of(account, state=State.SENT, sent_at=NOON)
    first = shop.service(account, product, ON, unfunded_since=ON)
    later = shop.service(account, product, ON, unfunded_since=ON + timedelta(days=2))
    at = told.told_at("not_renewed", account=OuterRef("account"), period=OuterRef("unfunded_since"))
    known = dict(Service.objects.annotate(told=at).values_list("id", F("told")))
    assert known == {first.pk: NOON, later.pk: None}


def test_what_no_letter_could_tell_becomes_a_task_and_counts_when_it_is_done(shop: Shop):
    account = shop.account()
    notice = told_of(account, state=State.FAILED, last_error="ann@client.example: 550 no such user")
    told_of(shop.account(), "renewed", state=State.FAILED)
    assert told.hand_over() == 1
    assert told.hand_over() == 0
    task = Task.objects.get()
    assert (task.account, task.key) == (account, notice.message)
    assert "550" in task.text
    assert task.subject == f"Tell account {account.number}: Services not renewed: no money"
    assert told.went_out([account.pk], "not_renewed", ON) == {}
    Task.objects.update(done_at=NOON)
    assert told.went_out([account.pk], "not_renewed", ON) == {account.pk: NOON}


def test_payloads_are_json_to_the_database_too(shop: Shop):
    notify_many([low(shop.account().pk)], on=ON)
    assert Message.objects.filter(payload__kind="low_money", payload__threshold=5).exists()
    json.dumps(Message.objects.get().payload)
