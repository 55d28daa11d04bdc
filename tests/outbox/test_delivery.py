"""Messages leave by mail once, wait when they must, and are given up visibly."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.outbox import messages
from billclock.outbox.channels import Letter, mail
from billclock.outbox.delivery import Result, deliver
from billclock.outbox.models import LEASE, Message, State
from tests.outbox.relay import Relay, nobody, password_is, self_signed, serving, silent, tls

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def letter(key: str = "one", *recipients: str, **changes: object) -> Letter:
    given = {
        "channel": "mail",
        "dedupe_key": key,
        "recipients": recipients or ("ann@example.org",),
        "at": NOON,
        "sender": "Clock <root@db1.example.org>",
        "subject": f"Subject {key}",
        "body": "The body\n",
    }
    return Letter(**(given | changes))  # type: ignore[arg-type]


def only() -> Message:
    return Message.objects.get()


@pytest.fixture
def relay(settings: Settings) -> Iterator[Relay]:
    with serving(Relay()) as relay:
        settings.SMTP = relay.url
        yield relay


def test_a_letter_arrives_as_it_was_written(relay: Relay) -> None:
    headers = (("X-Cron-Env", "<A=1>"), ("X-Cron-Env", "<B=2>"))
    messages.put(letter(subject="Отчёт", body="всё хорошо\n", headers=headers))
    assert deliver() == Result(sent=1)
    (got,) = relay.mails
    assert got["Subject"] == "Отчёт"
    assert got["From"] == "Clock <root@db1.example.org>"
    assert got["To"] == "ann@example.org"
    assert got.get_all("X-Cron-Env") == ["<A=1>", "<B=2>"]
    assert got["Date"].datetime == NOON
    assert got["Message-ID"].endswith("@db1.example.org>")
    assert got.get_content() == "всё хорошо\n"
    assert relay.taken[0].mail_from == "root@db1.example.org"
    assert (only().state, only().outstanding, only().last_error) == (State.SENT, [], "")


def test_what_is_no_text_is_marked_and_keeps_no_letter_from_leaving(relay: Relay) -> None:
    """A crontab may hold any bytes: a job's name that is no UTF-8 stopped everybody's mail."""
    odd = "a\udcff\ud800\0b"
    messages.put(letter("odd", subject=odd, body=odd, headers=(("X-Cron-Env", odd),)))
    messages.put(letter("two"))
    assert Message.objects.get(dedupe_key="odd").body == "a\ufffd\ufffd\ufffdb"
    assert deliver() == Result(sent=2)


def test_a_letter_put_twice_leaves_once(relay: Relay) -> None:
    assert messages.put(letter())
    assert not messages.put(letter(body="another text"))
    assert deliver() == Result(sent=1)
    assert deliver() == Result()
    assert [m.get_content() for m in relay.mails] == ["The body\n"]


def test_many_letters_share_one_connection(relay: Relay) -> None:
    for number in range(50):
        messages.put(letter(str(number)))
    assert deliver() == Result(sent=50)
    assert len(relay.taken) == 50
    assert relay.connections == 1


def test_a_relay_that_closes_after_some_mails_is_called_again(relay: Relay) -> None:
    relay.drops_after = 1
    for number in range(3):
        messages.put(letter(str(number)))
    result = deliver()
    for _ in range(3):
        with clock.at(clock.now() + timedelta(hours=2)):
            result = deliver()
    assert result.problems == ()
    assert sorted(m["Subject"] for m in relay.mails) == ["Subject 0", "Subject 1", "Subject 2"]


def test_one_refused_recipient_is_named_and_the_others_get_it(relay: Relay) -> None:
    relay.recipients["bob@example.org"] = ["550 no such user here"]
    messages.put(letter("one", "ann@example.org", "bob@example.org"))
    assert deliver() == Result(failed=1)
    assert relay.taken[0].rcpt_tos == ["ann@example.org"]
    assert only().refused == {"bob@example.org": "550 no such user here"}
    assert only().sent_at is not None
    assert list(Message.objects.undelivered()) == [only()]
    assert deliver() == Result()


def test_a_delayed_recipient_is_tried_again_alone(relay: Relay) -> None:
    relay.recipients["bob@example.org"] = ["450 greylisted", "250 OK"]
    messages.put(letter("one", "ann@example.org", "bob@example.org"))
    with clock.at(NOON):
        assert deliver() == Result(delayed=1)
        assert only().outstanding == ["bob@example.org"]
        assert deliver() == Result()
    relay.recipients.clear()
    with clock.at(NOON + timedelta(minutes=1)):
        assert deliver() == Result(sent=1)
    assert [e.rcpt_tos for e in relay.taken] == [["ann@example.org"], ["bob@example.org"]]
    assert relay.mails[0]["Message-ID"] == relay.mails[1]["Message-ID"]


def test_a_refusal_is_still_told_when_another_recipient_is_served_later(relay: Relay) -> None:
    relay.recipients = {"ann@example.org": ["450 later"], "bob@example.org": ["550 never"]}
    messages.put(letter("one", "ann@example.org", "bob@example.org"))
    with clock.at(NOON):
        assert deliver() == Result(delayed=1)
    relay.recipients.pop("ann@example.org")
    with clock.at(NOON + timedelta(minutes=1)):
        assert deliver() == Result(failed=1)
    assert only().last_error == "bob@example.org: 550 never"


def test_a_letter_refused_after_its_text_is_given_up_with_the_reason(relay: Relay) -> None:
    relay.after_data = ["554 looks like spam"]
    messages.put(letter())
    assert deliver() == Result(failed=1)
    assert only().last_error == "ann@example.org: 554 looks like spam"


def test_a_letter_delayed_after_its_text_waits_longer_each_time(relay: Relay) -> None:
    relay.after_data = ["451 try later"] * 8
    messages.put(letter())
    waits = []
    at = NOON
    for _ in range(8):
        with clock.at(at):
            assert deliver() == Result(delayed=1)
        waits.append((only().next_try - at) // timedelta(minutes=1))
        at = only().next_try
    assert waits == [1, 2, 5, 10, 30, 60, 60, 60]
    with clock.at(at):
        assert deliver() == Result(sent=1)


def test_after_days_of_delays_a_letter_is_given_up(relay: Relay) -> None:
    relay.recipients["ann@example.org"] = ["450 busy"]
    messages.put(letter())
    Message.objects.update(attempts=messages.MOST_TRIES - 1)
    assert deliver() == Result(failed=1)
    assert only().last_error == "ann@example.org: 450 busy"


def test_a_connection_dropped_after_the_text_is_tried_again(relay: Relay) -> None:
    relay.drops_after_data = 1
    messages.put(letter())
    with clock.at(NOON):
        assert deliver().waiting == 1
    with clock.at(NOON + timedelta(minutes=1)):
        assert deliver() == Result(sent=1)


def test_a_letter_that_breaks_the_connection_each_time_holds_up_no_other(relay: Relay) -> None:
    relay.drops_after_data = 2
    messages.put(letter("poison", at=NOON - timedelta(hours=1)))
    messages.put(letter("good"))
    for minutes in range(0, 10, 2):
        with clock.at(NOON + timedelta(minutes=minutes)):
            deliver()
    assert sorted(m["Subject"] for m in relay.mails) == ["Subject good", "Subject poison"]


def test_a_relay_that_is_not_there_costs_one_try_and_says_why(settings: Settings) -> None:
    settings.SMTP = f"smtp://127.0.0.1:{nobody()}"
    for number in range(30):
        messages.put(letter(str(number)))
    with clock.at(NOON):
        result = deliver()
        assert result.waiting == 30
        assert "Connection refused" in result.problems[0]
        assert Message.objects.filter(attempts=1).count() == 1
        assert Message.objects.undelivered().count() == 30
        assert deliver() == Result()


def test_a_hanging_relay_costs_one_time_out_a_round(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "TIMEOUT", 0.5)
    for number in range(30):
        messages.put(letter(str(number)))
    with silent() as port:
        settings.SMTP = f"smtp://127.0.0.1:{port}"
        begun = clock.since_boot()
        result = deliver()
        took = clock.since_boot() - begun
    assert result.waiting == 30
    assert "timed out" in result.problems[0]
    assert took < 1.0


def test_without_a_mail_server_letters_wait_and_say_so(settings: Settings) -> None:
    settings.SMTP = ""
    messages.put(letter())
    reason = "no mail server is set: give one as BILLCLOCK_SMTP"
    assert deliver() == Result(waiting=1, problems=(reason,))
    assert (only().state, only().attempts, only().last_error) == (State.QUEUED, 0, reason)
    with serving(Relay()) as relay:
        settings.SMTP = relay.url
        assert deliver() == Result(sent=1)
    assert only().last_error == ""


@pytest.mark.parametrize(
    "url", ["mail.example.org", "smtp://", "http://x", "smtp://u:hush@h:99999"]
)
def test_a_mail_server_that_can_not_be_read_is_told_without_its_password(
    url: str, settings: Settings
) -> None:
    settings.SMTP = url
    messages.put(letter())
    (problem,) = deliver().problems
    assert "BILLCLOCK_SMTP" in problem
    assert "hush" not in problem


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_user_and_password_of_the_setting_open_the_relay(settings: Settings) -> None:
    messages.put(letter())
    with serving(Relay(), **password_is("clock", "p@ss:1")) as relay:
        settings.SMTP = f"smtp://clock:p%40ss%3A1@127.0.0.1:{relay.port}"
        assert deliver() == Result(sent=1)
    assert len(relay.taken) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_wrong_password_keeps_letters_waiting_and_is_not_shown(settings: Settings) -> None:
    messages.put(letter())
    with serving(Relay(), **password_is("clock", "right")) as relay:
        settings.SMTP = f"smtp://clock:wrong@127.0.0.1:{relay.port}"
        (problem,) = deliver().problems
    assert "535" in problem
    assert "wrong" not in problem
    assert only().state == State.QUEUED
    assert relay.taken == []


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_mail_goes_encrypted_to_a_relay_whose_certificate_is_good(
    scheme: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages.put(letter())
    certificate, key = self_signed(tmp_path)
    context = tls(certificate, key)
    options = {"ssl_context": context} if scheme == "smtps" else {
        "tls_context": context, "require_starttls": True,
    }  # fmt: skip
    with serving(Relay(), **options) as relay:
        settings.SMTP = f"{scheme}://127.0.0.1:{relay.port}"
        (problem,) = deliver().problems
        assert "certificate" in problem.lower()
        Message.objects.update(next_try=NOON)
        monkeypatch.setenv("SSL_CERT_FILE", certificate)
        assert deliver() == Result(sent=1)
    assert len(relay.taken) == 1


def test_a_header_that_would_inject_another_is_refused(relay: Relay) -> None:
    messages.put(letter(subject="Hello\nBcc: eve@example.org"))
    assert deliver() == Result(failed=1)
    assert "newlines" in only().last_error
    assert relay.taken == []


def test_a_lease_that_ran_out_is_taken_over(relay: Relay) -> None:
    messages.put(letter())
    with clock.at(NOON):
        assert len(messages.lease("mail", "one that is killed", most=5)) == 1
        assert deliver() == Result()
    with clock.at(NOON + LEASE):
        assert deliver() == Result(sent=1)


def test_a_deliverer_whose_lease_was_taken_over_changes_nothing(relay: Relay) -> None:
    messages.put(letter())
    with clock.at(NOON):
        (slow,) = messages.lease("mail", "slow", most=5)
    with clock.at(NOON + LEASE):
        (quick,) = messages.lease("mail", "quick", most=5)
        messages.set_back(slow, "too late")
    assert (only().lease_owner, only().last_error) == ("quick", "")
    assert quick.id == slow.id


def test_a_clock_set_back_keeps_nothing_waiting(relay: Relay) -> None:
    messages.put(letter("queued", at=NOON + timedelta(days=3650)))
    messages.put(letter("leased"))
    with clock.at(NOON + timedelta(days=3650)):
        messages.lease("mail", "killed", most=1)
    with clock.at(NOON):
        assert deliver() == Result(sent=2)


def test_what_is_held_waits_for_its_sender(relay: Relay) -> None:
    messages.put(letter(), held_until=NOON)
    with clock.at(NOON + timedelta(days=1)):
        assert deliver() == Result()


def test_no_time_left_leaves_the_rest_for_the_next_round(relay: Relay) -> None:
    messages.put(letter())
    assert deliver(budget=0) == Result()
    assert only().state == State.QUEUED


def test_only_the_named_channels_are_served(relay: Relay) -> None:
    messages.put(letter())
    assert deliver(only={"text"}) == Result()
    assert deliver(only={"mail"}) == Result(sent=1)


def test_old_messages_of_a_group_are_pruned(relay: Relay) -> None:
    messages.put(letter("old", group="report:root", at=NOON - timedelta(days=40)))
    messages.put(letter("new", group="report:root"))
    messages.put(letter("other", group="notice", at=NOON - timedelta(days=40)))
    assert messages.prune(NOON - timedelta(days=30), "report:") == 1
    assert set(Message.objects.values_list("dedupe_key", flat=True)) == {"new", "other"}
