"""What a report looks like when it arrives at a real mail server."""

from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from billclock.outbox.channels import mail
from billclock.outbox.delivery import deliver
from billclock.outbox.models import Message
from billclock.scheduler import output, report
from billclock.scheduler.addressing import one_line
from billclock.scheduler.models import Entry, Outcome, Run
from billclock.scheduler.report_text import HEAD, TAIL, clean, duration, masked
from tests.outbox.relay import Relay, serving
from tests.scheduler.reporting import NIGHT, Office

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

LINE = "* * * * * x/1\n"


@pytest.fixture
def office(tmp_path: Path, settings: Settings) -> Office:
    return Office(tmp_path, settings)


@pytest.fixture
def relay(settings: Settings) -> Iterator[Relay]:
    with serving(Relay()) as relay:
        settings.SMTP = relay.url
        yield relay


def arrived(relay: Relay) -> EmailMessage:
    """Send what is due and give the one mail that arrives."""
    report.write_due()
    result = deliver()
    assert (result.sent, result.problems) == (1, ())
    (got,) = relay.mails
    assert got.defects == []
    return got


def test_a_failure_arrives_with_its_facts_and_its_output(
    office: Office, relay: Relay, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://clock.example.org/"
    office.table("## Nightly backup\n0 3 * * * /usr/local/bin/backup --all\n")
    run = office.ran(3, b"disk full\n", started=NIGHT + timedelta(seconds=150), attempt=2)
    run.finished = NIGHT + timedelta(seconds=250)
    run.save()
    got = arrived(relay)
    assert got["Subject"] == "Cron <root@db1> /usr/local/bin/backup --all (failed, exit code 3)"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Precedence"] == "bulk"
    assert got["MIME-Version"] == "1.0"
    assert got["Content-Type"] == 'text/plain; charset="utf-8"'
    assert got.get_content() == (
        "Failed, exit code 3 after 1 min 40 s.\n"
        "\n"
        "Nightly backup\n"
        "/usr/local/bin/backup --all\n"
        "\n"
        "Planned: Sun 22 Nov 2026 22:01:00 UTC\n"
        "Started: Sun 22 Nov 2026 22:02:30 UTC (1 min 30 s late)\n"
        "Ended: Sun 22 Nov 2026 22:04:10 UTC\n"
        "Attempt: 2\n"
        "Host: db1\n"
        f"More: https://clock.example.org/runs/{run.id}\n"
        "\n"
        "disk full\n"
    )


@pytest.mark.parametrize(
    ("changes", "subject", "first"),
    [
        ({"exit_code": None, "signal": 9, "outcome": Outcome.FAILED},
         " (failed, signal 9, SIGKILL)", "Failed, signal 9, SIGKILL after 12 s."),
        ({"exit_code": None, "signal": 99, "outcome": Outcome.FAILED},
         " (failed, signal 99)", "Failed, signal 99 after 12 s."),
        ({"exit_code": None, "outcome": Outcome.TIMED_OUT, "reason": "timeout of 10 s"},
         " (timed out)", "Timed out after 12 s: timeout of 10 s."),
        ({"exit_code": None, "outcome": Outcome.LOST, "finished": None},
         " (lost)", "Lost."),
        ({"exit_code": None, "outcome": Outcome.FAILED, "started": None, "finished": None,
          "reason": "this machine has no user bob"},
         " (failed)", "Failed: this machine has no user bob."),
        ({}, "", "Done after 12 s, exit code 0."),
    ],
)  # fmt: skip
def test_subject_and_first_line_say_how_it_ended(
    changes: dict[str, object], subject: str, first: str, office: Office, relay: Relay
) -> None:
    office.table("# billclock: mail=always\n" + LINE)
    office.ran(**changes)  # type: ignore[arg-type]
    got = arrived(relay)
    assert got["Subject"] == f"Cron <root@db1> x/1{subject}"
    assert got.get_content().splitlines()[0] == first


def test_code_127_explains_itself(office: Office, relay: Relay) -> None:
    office.table(LINE)
    office.ran(127, b"sh: 1: x/1: not found\n")
    assert "a program was not found" in arrived(relay).get_content()


def test_the_jobs_variables_are_listed_and_secrets_masked(office: Office, relay: Relay) -> None:
    office.table(
        "MAILTO=a@x.org\nDB_PASSWORD=hush\nApi_Key=hush\nURL=https://u:hush@h/p\nNAME=Jürgen\n"
        + LINE
    )
    office.ran(printed=b"hello")
    got = arrived(relay)
    shown = [str(value) for value in got.get_all("X-Cron-Env", [])]
    assert "<SHELL=/bin/sh>" in shown
    assert "<MAILTO=a@x.org>" in shown
    assert "<DB_PASSWORD=***>" in shown
    assert "<Api_Key=***>" in shown
    assert "<URL=https://u:***@h/p>" in shown
    assert "<NAME=Jürgen>" in shown
    assert b"hush" not in (relay.taken[0].content or b"")


@pytest.mark.parametrize(
    ("name", "secret"),
    [("PASSPHRASE", True), ("AWS_SECRET_ACCESS", True), ("GH_TOKEN", True), ("HOME", False)],
)
def test_names_that_look_secret(name: str, secret: bool) -> None:
    assert (masked(name, "value") == "***") is secret


def test_a_charset_named_in_content_type_is_that_of_the_output(
    office: Office, relay: Relay
) -> None:
    office.table('CONTENT_TYPE="text/plain; charset=koi8-r"\n' + LINE)
    office.ran(printed="ошибка\n".encode("koi8-r"))
    got = arrived(relay)
    assert got.get_content_charset() == "koi8-r"
    assert got.get_content().endswith("\nошибка\n")


def test_what_the_charset_can_not_hold_is_sent_as_utf_8(office: Office, relay: Relay) -> None:
    office.table("CONTENT_TYPE=text/plain; charset=ascii\n## Резерв\n" + LINE)
    office.ran(printed=b"caf\xe9\n")
    got = arrived(relay)
    assert got.get_content_charset() == "utf-8"
    assert "Резерв" in got.get_content()
    assert "caf\N{REPLACEMENT CHARACTER}" in got.get_content()


def test_html_output_stays_html_and_the_facts_are_escaped(office: Office, relay: Relay) -> None:
    office.table("CONTENT_TYPE=text/html\n* * * * * x/1 <in.txt\n")
    office.ran(printed=b"<h1>Done</h1>")
    got = arrived(relay)
    assert got.get_content_type() == "text/html"
    assert "x/1 &lt;in.txt" in got.get_content()
    assert "<h1>Done</h1>" in got.get_content()


@pytest.mark.parametrize(
    "given", ["application/pdf", "text/plain; charset=rot13", "text/plain; charset=utf-16", "x"]
)
def test_a_content_type_that_is_no_good_is_named_in_the_note(
    given: str, office: Office, relay: Relay
) -> None:
    office.table(f'CONTENT_TYPE="{given}"\n{LINE}')
    run = office.ran(printed=b"hello")
    assert arrived(relay)["Content-Type"] == 'text/plain; charset="utf-8"'
    run.refresh_from_db()
    assert "CONTENT_TYPE" in run.reason


def test_long_output_is_cut_in_the_middle(office: Office, relay: Relay) -> None:
    office.table(LINE)
    lines = [b"line %06d\n" % n for n in range(300_000)]
    office.ran(printed=b"".join(lines))
    text = arrived(relay).get_content()
    assert len(text) < HEAD + TAIL + 2000
    assert "line 000000\n" in text
    assert text.endswith("line 299999\n")
    left_out = 300_000 * 12 - HEAD - TAIL
    assert f"[{left_out:,} bytes left out here: see the run's page]" in text


def test_output_that_was_pruned_already_is_said_to_be(office: Office, relay: Relay) -> None:
    office.table(LINE)
    run = office.ran(printed=b"hello")
    output.remove([run.id])
    assert "The output is no longer kept." in arrived(relay).get_content()


def test_output_that_can_not_be_read_says_why(office: Office, relay: Relay) -> None:
    office.table(LINE)
    run = office.ran(printed=b"hello")
    output.path(run.id).unlink()
    output.path(run.id).mkdir()
    assert "The output can't be read: " in arrived(relay).get_content()


def test_binary_output_and_endless_lines_arrive(office: Office, relay: Relay) -> None:
    office.table(LINE)
    office.ran(printed=bytes(range(256)) + b"x" * 20_000)
    text = arrived(relay).get_content()
    assert "x" * 20_000 in text.replace("\n", "")
    assert not set(text) & {chr(code) for code in (*range(9), *range(11, 32), *range(127, 160))}


def test_terminal_colours_and_progress_bars_become_lines() -> None:
    raw = b"\x1b[1;31mred\x1b[0m\r\n10%\r20%\n\x1b]0;title\x07end\x07"
    assert clean(raw, "utf-8") == "red\n10%\n20%\nend\N{REPLACEMENT CHARACTER}"


@given(st.binary(max_size=300), st.sampled_from(["utf-8", "koi8-r", "shift_jis", "cp1252"]))
def test_any_bytes_become_text_that_mail_can_hold(data: bytes, charset: str) -> None:
    clean(data, charset).encode("utf-8")


@given(st.text(max_size=100) | st.text(alphabet="a\r\n\0\x85\u2028 \ud800", max_size=20))
def test_a_line_for_a_header_has_no_end_of_line_in_it(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert "\0" not in line


@profile(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.text(alphabet="a\r\n\0\x85\u2028: ж<>", min_size=1, max_size=40))
def test_no_command_or_description_can_add_a_header(office: Office, text: str) -> None:
    Entry.objects.all().delete()
    Message.objects.all().delete()
    office.table(LINE)
    command = f"x/1 {text}\r\nBcc: eve@example.org\nX: y"
    Entry.objects.update(command=command, description=text)
    run = office.ran(1, b"bad")
    Run.objects.filter(id=run.id).update(host="db1")
    report.write_due()
    sent = mail.mime(Message.objects.get().letter)
    assert sent["Bcc"] is None
    assert sent["X"] is None
    assert sent["To"] == "root@db1"


def test_a_very_long_command_leaves_the_outcome_in_the_subject(
    office: Office, relay: Relay
) -> None:
    office.table(f"* * * * * x/1 {'y' * 50_000}\n")
    office.ran(1, b"bad")
    subject = arrived(relay)["Subject"]
    assert len(subject) < 400
    assert subject.endswith("... (failed, exit code 1)")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.5, "9.5 s"), (59, "59 s"), (61, "1 min 1 s"), (7260, "2 h 1 min")],
)
def test_durations_are_said_in_two_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words
