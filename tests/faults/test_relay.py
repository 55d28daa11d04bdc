"""Deliverers killed or working side by side, at a real relay, lose and double nothing."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests import prepared
from tests.outbox.relay import Relay, serving

SETUP = "import django; django.setup(); from billclock.outbox import channels, delivery, messages; "
PUT = (
    SETUP + "from billclock import clock; ["
    "messages.put(channels.Letter('mail', str(n), ('ann@example.org',), clock.now(), 'a@b.org')) "
    "for n in range({count})]"
)
DELIVER = SETUP + "print(delivery.deliver().sent)"

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Give a function that runs Python code on a new outbox of its own."""
    env = os.environ | {
        "BILLCLOCK_HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "billclock.settings",
    }

    def start(code: str) -> "subprocess.Popen[str]":
        env["BILLCLOCK_SMTP"] = os.environ.get("TEST_SMTP", "")
        return subprocess.Popen(
            [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True
        )

    prepared.copied(tmp_path)
    return start


def run(process: "subprocess.Popen[str]") -> str:
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out


def ids(relay: Relay) -> Counter[str]:
    return Counter(mail["Message-ID"] for mail in relay.mails)


def test_deliverers_side_by_side_send_nothing_twice(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(start(PUT.format(count=200)))
    with serving(Relay()) as relay:
        monkeypatch.setenv("TEST_SMTP", relay.url)
        workers = [start(DELIVER) for _ in range(3)]
        assert sum(int(run(worker)) for worker in workers) == 200
    assert len(relay.taken) == len(ids(relay)) == 200


class Killing(Relay):
    """Kills the deliverer with the mail of a number: before taking it, or after it."""

    victim: "subprocess.Popen[str]"
    at: int = 10
    takes: bool = True

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if len(self.taken) + 1 != self.at:
            return await super().handle_DATA(server, session, envelope)
        self.at = 0
        if self.takes:
            self.taken.append(envelope)
        self.victim.send_signal(signal.SIGKILL)
        return "250 OK"


@pytest.mark.parametrize("takes", [True, False])
def test_a_deliverer_killed_in_mid_mail_loses_nothing_and_doubles_at_most_that_one(
    takes: bool, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(start(PUT.format(count=30)))
    relay = Killing()
    relay.takes = takes
    with serving(relay):
        monkeypatch.setenv("TEST_SMTP", relay.url)
        relay.victim = start(DELIVER)
        relay.victim.communicate(timeout=60)
        assert relay.victim.returncode == -signal.SIGKILL
        run(start(DELIVER))
        held = 30 - len(ids(relay))
        assert held > 0
        let_leases_run_out(tmp_path)
        assert int(run(start(DELIVER))) == held + takes
    assert len(ids(relay)) == 30
    assert sum(ids(relay).values()) == 30 + takes


def let_leases_run_out(home: Path) -> None:
    with sqlite3.connect(home / "data" / "billclock.sqlite3") as database:
        database.execute("UPDATE outbox_message SET lease_until = '2020-01-01 00:00:00'")
    database.close()
