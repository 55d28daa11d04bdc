"""Webhooks against a server that listens: posted once, signed, tried again, never led astray."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from pytest_django.fixtures import Settings

from billclock import clock
from billclock.outbox.delivery import deliver
from billclock.outbox.models import Message
from billclock.scheduler import hooks
from billclock.scheduler.models import Mail, Run, TableHook
from tests.scheduler.test_loop import Stage

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Peer(BaseHTTPRequestHandler):
    """Notes what it hears, and answers as it is told."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, dict(self.headers), body))
        status = self.server.answers.pop(0) if self.server.answers else 204
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "file:///etc/passwd")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def peer() -> Iterator[ThreadingHTTPServer]:
    """Give a web server of its own with what it heard and the answers it is to give."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Peer)
    server.heard, server.answers = [], []
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def ended(where: str, code: int = 0, when: str = "always", table: str = "") -> Run:
    """Have a run end whose entry names an address, and give its row."""
    text = f"## Back up\n# billclock: {where} webhook-when={when}\n* * * * * /bin/back-up\n"
    stage = Stage(text.encode())
    if table:
        row = {"url": table, "when": when, "actor": "me", "at": NOON}
        TableHook.objects.update_or_create(table="root", defaults=row)
    stage.loop.attempts.hooked = hooks.tables()
    stage.tick()
    stage.theatre.end(stage.theatre.started[0], code)
    stage.tick(stage.at + timedelta(seconds=1))
    jobs = {job.entry: job for key in stage.entries if (job := stage.roster.get(key))}
    with clock.at(stage.at):
        hooks.write_due(find=lambda run: jobs[run.entry_id])
    return Run.objects.latest("id")


def at(peer: ThreadingHTTPServer, user: str = "") -> str:
    return f"http://{user}127.0.0.1:{peer.server_port}/hook?key=abc"


def send(after: timedelta = timedelta(minutes=5)) -> None:
    with clock.at(NOON + after):
        deliver(only=("webhook",))


def test_a_run_is_told_once_and_signed(peer: ThreadingHTTPServer, settings: Settings) -> None:
    settings.WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"our secret").decode()
    run = ended(f"webhook={at(peer)}", table=at(peer))
    send()
    send()
    [(path, headers, body)] = peer.heard
    said = json.loads(body)
    assert path == "/hook?key=abc"
    assert (said["run"], said["outcome"], said["exit_code"]) == (run.pk, "succeeded", 0)
    assert (said["job"]["command"], said["trigger"]) == ("/bin/back-up", "schedule")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(b"our secret", signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert run.hook == Mail.WRITTEN


@pytest.mark.parametrize(
    ("when", "code", "heard"),
    [("success", 0, 1), ("success", 1, 0), ("failure", 1, 1), ("failure", 0, 0)],
)
def test_it_hears_of_the_endings_it_wants(
    peer: ThreadingHTTPServer, when: str, code: int, heard: int
) -> None:
    ended(f"webhook={at(peer)}", code, when)
    send()
    assert len(peer.heard) == heard


def test_a_table_s_webhook_hears_of_entries_without_one(peer: ThreadingHTTPServer) -> None:
    ended("tags=x", table=at(peer))
    send()
    assert len(peer.heard) == 1


def test_a_peer_that_is_not_well_is_tried_again(peer: ThreadingHTTPServer) -> None:
    peer.answers = [503]
    ended(f"webhook={at(peer)}")
    send()
    message = Message.objects.get()
    assert (message.state, message.attempts) == ("queued", 1)
    assert message in Message.objects.undelivered()
    send(timedelta(minutes=7))
    assert Message.objects.get().state == "sent"
    assert [headers["webhook-id"] for _, headers, _ in peer.heard] == [message.dedupe_key] * 2


@pytest.mark.parametrize("status", [302, 404])
def test_a_refusal_is_for_good_and_leads_nowhere(peer: ThreadingHTTPServer, status: int) -> None:
    peer.answers = [status]
    ended(f"webhook={at(peer, 'me:hidden@')}")
    send()
    message = Message.objects.get()
    assert message.state == "failed"
    assert str(status) in message.last_error
    assert "hidden" not in message.last_error
    assert "key=abc" not in message.last_error


def test_one_peer_that_is_not_there_holds_up_no_other(peer: ThreadingHTTPServer) -> None:
    ended("webhook=http://127.0.0.1:1/", table=at(peer))
    send()
    assert len(peer.heard) == 1
    assert Message.objects.get(state="queued").recipients == ["http://127.0.0.1:1"]


def test_a_table_s_limit_withholds_the_rest(peer: ThreadingHTTPServer, monkeypatch) -> None:
    monkeypatch.setattr(hooks, "AN_HOUR", 1)
    assert ended(f"webhook={at(peer)}").hook == Mail.WRITTEN
    TableHook.objects.all().delete()
    run = Run.objects.get()
    again = Run.objects.create(entry=run.entry, outcome="succeeded", hook=Mail.DUE)
    job = Stage(f"# billclock: webhook={at(peer)}\n* * * * * /bin/back-up\n".encode())
    with clock.at(NOON + timedelta(minutes=2)):
        hooks.write_due(find=lambda _: job.roster.get(job.entries[0]))
    again.refresh_from_db()
    assert again.hook == Mail.WITHHELD
