"""Channels take turns; one may find out to whom a letter goes, or that nobody needs it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.outbox import channels, messages
from billclock.outbox.channels import Answer, Fate, Letter
from billclock.outbox.channels.mail import Mail
from billclock.outbox.delivery import Result, deliver
from billclock.outbox.models import LEASE, Message, State
from tests.outbox.relay import Relay, serving

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


class Finding:
    """Finds its readers in the letter's payload, and sends by mail."""

    name = "a finding one"

    def __init__(self) -> None:
        self._mail = Mail()

    def unready(self) -> str:
        return self._mail.unready()

    def send(self, letter: Letter, recipients: Sequence[str]) -> Answer:
        if "unsent" in letter.payload:
            return Answer(unsent=letter.payload["unsent"], fate=Fate(letter.payload["fate"]))
        readers = tuple(recipients) or tuple(letter.payload["readers"])
        told = Letter("mail", letter.dedupe_key, readers, letter.at, "a@example.org", "Found")
        answer = self._mail.send(told, readers)
        return Answer(answer.refused, answer.delayed, readers, "Found")

    def close(self) -> None:
        self._mail.close()


@pytest.fixture(autouse=True)
def finding() -> Iterator[None]:
    channels.register(Finding)
    yield
    del channels._registered[Finding.name]


@pytest.fixture
def relay(settings: Settings) -> Iterator[Relay]:
    with serving(Relay()) as relay:
        settings.SMTP = relay.url
        yield relay


def put(key: str, channel: str = Finding.name, *recipients: str, **payload: object) -> None:
    given = {"readers": ["ann@example.org"]} | payload
    messages.put(Letter(channel, key, recipients, NOON, "a@example.org", key, payload=given))


def test_a_channel_says_to_whom_a_letter_went_and_what_it_was_called(relay: Relay):
    put("one", readers=["ann@example.org", "bob@example.org"])
    assert deliver() == Result(sent=1)
    message = Message.objects.get()
    assert message.recipients == ["ann@example.org", "bob@example.org"]
    assert (message.state, message.subject) == (State.SENT, "one")
    assert relay.taken[0].rcpt_tos == ["ann@example.org", "bob@example.org"]


def test_readers_that_were_found_are_tried_again_alone(relay: Relay):
    relay.recipients["bob@example.org"] = ["450 later", "250 OK"]
    put("one", readers=["ann@example.org", "bob@example.org"])
    with clock.at(NOON):
        assert deliver() == Result(delayed=1)
    assert Message.objects.get().outstanding == ["bob@example.org"]
    relay.recipients.clear()
    with clock.at(NOON + timedelta(minutes=1)):
        assert deliver() == Result(sent=1)
    assert [e.rcpt_tos for e in relay.taken] == [["ann@example.org"], ["bob@example.org"]]
    assert Message.objects.get().recipients == ["ann@example.org", "bob@example.org"]


@pytest.mark.parametrize(
    ("fate", "result"),
    [
        (State.DROPPED, Result(dropped=1)),
        (State.UNWANTED, Result(dropped=1)),
        (State.FAILED, Result(failed=1)),
    ],
)
def test_a_letter_without_readers_is_dropped_or_given_up(relay: Relay, fate, result):
    put("one", unsent="nobody wants it", fate=fate)
    assert deliver() == result
    message = Message.objects.get()
    assert (message.state, message.last_error) == (fate, "nobody wants it")
    assert message.sent_at is None
    assert Message.objects.undelivered().exists() is (fate == State.FAILED)
    assert deliver() == Result()


def test_a_flood_on_one_channel_does_not_hold_up_another(relay: Relay):
    for number in range(60):
        put(f"flood {number}")
    put("report", "mail", "root@example.org")
    assert deliver() == Result(sent=61)
    place = [mail["To"] for mail in relay.mails].index("root@example.org")
    assert place < 40


def test_a_letter_whose_deliverer_vanished_does_not_go_before_the_others(relay: Relay):
    with clock.at(NOON):
        put("old")
        messages.lease(Finding.name, "somebody", most=1)
    with clock.at(NOON + LEASE):
        put("new")
        assert [m.dedupe_key for m in messages.lease(Finding.name, "me", most=1)] == ["new"]
        assert [m.dedupe_key for m in messages.lease(Finding.name, "me", most=1)] == ["old"]


def test_what_is_due_is_found_without_reading_all_that_was_ever_sent():
    for messages_due in (
        Message.objects.due(NOON),
        Message.objects.ripe(NOON),
        Message.objects.undelivered(),
        Message.objects.filter(channel="mail").waited(NOON).order_by("attempts", "next_try", "id"),
    ):
        plan = messages_due.explain()
        assert "SCAN outbox_message\n" not in plan + "\n", plan
        assert "TEMP B-TREE" not in plan, plan


def test_a_letter_its_channel_breaks_on_waits_and_the_others_go(relay: Relay):
    messages.put(Letter(Finding.name, "broken", (), NOON, payload={}))
    put("good")
    with clock.at(NOON):
        assert deliver() == Result(sent=1, delayed=1)
    broken = Message.objects.get(dedupe_key="broken")
    assert (broken.state, broken.attempts) == (State.QUEUED, 1)
    assert broken.last_error == "KeyError: 'readers'"
