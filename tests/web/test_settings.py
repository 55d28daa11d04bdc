"""The settings of a table: what is written for them, who may, pauses, what other limits delete."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils.html import escape

from billclock import clock
from billclock.accounts.models import AuditRow, Role
from billclock.outbox.models import Message
from billclock.scheduler.models import Entry, Outcome, Pause
from billclock.scheduler.tables import Tables
from billclock.web import server_settings
from tests.web.conftest import ran

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]
TABLE = "MAILTO=a@example.net,b@example.net\nPATH=/bin:/usr/bin\nLANG=C\n0 1 * * * /bin/a\n"
JOB = "0 1 * * * /bin/a\n"


@pytest.fixture
def text(settings: LazySettings) -> Callable[[], str]:
    """The table as it lies on disk."""
    return lambda: (settings.SPOOL / "root").read_text(encoding="utf-8")


def save(client: Client, **values: object) -> object:
    given = {"table": "root", "seen": Tables().table("root").load().digest, "to": "owner"}
    return client.post("/settings", given | values)


KEPT = {
    "to": "these",
    "addresses": "a@example.net\nb@example.net",
    "path": "/bin /usr/bin",
    "name": ["LANG"],
    "value": ["C"],
}


def test_what_the_table_sets_is_shown_as_one_says_it(table: Write, signed_in: SignIn) -> None:
    table(TABLE)
    page = signed_in().get("/settings").content.decode()
    assert "a@example.net\nb@example.net</textarea>" in page
    assert 'value="/bin /usr/bin"' in page
    assert 'name="name" value="LANG"' in page
    assert page.count("set here") == 2
    assert "from the environment" in page


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"to": "nobody"}, 'MAILTO=""'),
        ({"to": "these", "addresses": "a@example.net\r\nb@example.net"}, None),
        ({"to": "these", "addresses": "root, ops@example.net"}, "MAILTO=root,ops@example.net"),
        ({"path": "/bin  /usr/bin"}, "PATH=/bin:/usr/bin"),
        ({"shell": "/bin/bash"}, "SHELL=/bin/bash"),
        ({"zone": "Europe/Berlin"}, "CRON_TZ=Europe/Berlin"),
        ({"mailfrom": "Cron <cron@example.net>"}, "MAILFROM=Cron <cron@example.net>"),
        ({"overlap": "queue"}, "CRON_OVERLAP=queue"),
        ({"timeout": "2h"}, "CRON_TIMEOUT=2h"),
        ({"catch-up": "once"}, "CRON_CATCH_UP=once"),
        ({"mail": "failure"}, "CRON_MAIL=failure"),
        ({"name": ["GREETING", ""], "value": [" two words ", ""]}, "GREETING=two words"),
    ],
)
def test_each_setting_is_a_line_that_any_cron_reads(
    table: Write,
    signed_in: SignIn,
    text: Callable[[], str],
    values: dict[str, object],
    line: str | None,
) -> None:
    table(JOB)
    save(signed_in(), **values)
    assert text() == f"{line or 'MAILTO=a@example.net,b@example.net'}\n{JOB}"


def test_how_jobs_run_is_told_by_how_many_jobs_have_it(table: Write, signed_in: SignIn) -> None:
    table(f"CRON_OVERLAP=queue\n{JOB}{JOB}# billclock: overlap=allow\n{JOB}")
    page = signed_in().get("/settings").content.decode()
    assert '<option value="queue" selected>start it afterwards</option>' in page
    assert "Jobs of this table: start it afterwards ×2, run side by side ×1" in page


def test_a_value_that_is_none_stays_until_it_is_changed(table: Write, signed_in: SignIn) -> None:
    table(f"CRON_OVERLAP=maybe\n{JOB}")
    assert '<option value="maybe" selected>' in signed_in().get("/settings").content.decode()


def test_a_setting_goes_when_its_field_is_emptied(
    table: Write, signed_in: SignIn, text: Callable[[], str]
) -> None:
    table(TABLE)
    save(signed_in())
    assert text() == JOB


def test_saving_what_was_shown_changes_nothing(
    table: Write, signed_in: SignIn, text: Callable[[], str]
) -> None:
    table(TABLE)
    save(signed_in(), **KEPT)
    assert text() == TABLE
    assert Tables().table("root").versions.count() == 1


def test_variables_for_some_jobs_only_stay(
    table: Write, signed_in: SignIn, text: Callable[[], str]
) -> None:
    table(f"{JOB}MAILTO=late@example.net\n{JOB}")
    save(signed_in(), to="nobody")
    assert text() == f'MAILTO=""\n{JOB}MAILTO=late@example.net\n{JOB}'
    assert "1 variable further down" in signed_in_again(signed_in).get("/settings").content.decode()


def signed_in_again(signed_in: SignIn) -> Client:
    return signed_in(Role.VIEWER)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"to": "these", "addresses": "no mail here!"}, "is no e-mail address"),
        ({"to": "these", "addresses": "|/bin/sh"}, "is no e-mail address"),
        ({"to": "these", "addresses": " "}, "Give an address"),
        ({"mailfrom": "a@b@c"}, "is no e-mail address"),
        ({"path": "bin"}, "folders begin with /"),
        ({"shell": "bash"}, "a full path"),
        ({"zone": "Moon/Base"}, "No time zone is called Moon/Base"),
        ({"name": ["1X"], "value": ["a"]}, "begins with no digit"),
        ({"name": ["MAILTO"], "value": ["a"]}, "has a field of its own"),
        ({"name": ["X"], "value": ["'\""]}, "both kinds of quotes"),
        ({"name": ["X"], "value": ["a\nb"]}, "line end"),
        ({"to": "everybody"}, "Choose who"),
        ({"overlap": "maybe"}, "expected skip, queue, allow or replace"),
        ({"timeout": "2 h"}, "expected a duration"),
        ({"name": ["CRON_TIMEOUT"], "value": ["2h"]}, "has a field of its own"),
    ],
)
def test_what_no_crontab_can_hold_is_told_at_its_field(
    table: Write,
    signed_in: SignIn,
    text: Callable[[], str],
    values: dict[str, object],
    words: str,
) -> None:
    table(JOB)
    answer = save(signed_in(), **values)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert text() == JOB


def test_a_table_changed_meanwhile_is_not_written_over(
    table: Write, signed_in: SignIn, text: Callable[[], str]
) -> None:
    table(JOB)
    old = Tables().table("root").load().digest
    table(JOB + "0 2 * * * /bin/b\n")
    answer = save(signed_in(), seen=old, to="nobody")
    assert answer.status_code == 409
    assert "Keep both" in answer.content.decode()
    assert text() == JOB + "0 2 * * * /bin/b\n"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_who_may_not_edit_reads_and_is_told_why(
    table: Write, signed_in: SignIn, text: Callable[[], str], role: Role
) -> None:
    table(JOB)
    client = signed_in(role)
    page = client.get("/settings").content.decode()
    assert "needs the role Root" in page
    assert "BILLCLOCK_SMTP</code>" not in page
    assert save(client, to="nobody").status_code == 403
    assert client.post("/settings/trial-mail", {"table": "root"}).status_code == 403
    assert client.post("/settings/pause").status_code == (403 if role == Role.VIEWER else 302)
    assert text() == JOB


def test_a_trial_mail_goes_where_reports_go(table: Write, signed_in: SignIn) -> None:
    table("MAILFROM=cron@example.net\n" + TABLE)
    page = signed_in().post("/settings/trial-mail", {"table": "root"}, follow=True)
    letter = Message.objects.get()
    assert letter.recipients == ["a@example.net", "b@example.net"]
    assert "cron@example.net" in letter.sender
    assert "no mail server is set" in page.content.decode()
    assert AuditRow.objects.filter(act="mail.trial").count() == 1


def test_a_trial_mail_to_nobody_is_none(table: Write, signed_in: SignIn) -> None:
    table('MAILTO=""\n' + JOB)
    page = signed_in().post("/settings/trial-mail", {"table": "root"}, follow=True)
    assert "Nobody gets reports" in page.content.decode()
    assert not Message.objects.exists()


def test_the_servers_settings_hide_passwords(
    table: Write, signed_in: SignIn, settings: LazySettings
) -> None:
    table(JOB)
    settings.SMTP = "smtp://mailer:hunter2@relay.example.net:587"
    settings.HEARTBEAT_URL = "https://me:hunter2@beats.example.net/ping/4f1c2d?hunter2"
    page = signed_in().get("/settings").content.decode()
    assert "smtp://mailer:…@relay.example.net:587" in page
    assert "https://beats.example.net/…" in page
    assert "4f1c2d" not in page
    assert "hunter2" not in page


def test_the_servers_settings_mean_what_their_reference_says_and_in_russian_too(
    table: Write, signed_in: SignIn, settings: LazySettings
) -> None:
    table(JOB)
    meant = {one.name.removeprefix("BILLCLOCK_"): one.meaning for one in settings.DESCRIBED}
    assert {name: meant[name] for name in server_settings.MEANINGS} == server_settings.MEANINGS
    client = signed_in()
    page = client.get("/settings", headers={"Accept-Language": "ru"}).content.decode()
    assert "папка с таблицами crontab пользователей" in page
    assert not [words for words in server_settings.MEANINGS.values() if escape(words) in page]


def test_other_limits_are_tried_out_without_deleting(table: Write, signed_in: SignIn) -> None:
    (entry,) = table(JOB)
    now = clock.now()
    for days in (40, 20, 10, 1):
        ran(entry, now - timedelta(days=days), output_size=3 << 20)
    page = signed_in().get("/settings?days=15&runs=1&mib=1").content.decode()
    text = " ".join(page.split())
    assert "2 runs would go for their age, 1 more because their jobs have too many" in text
    assert "3.0 MB of output" in text
    assert entry.runs.count() == 4


def test_pauses_are_told_with_their_end(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("## Backup\n" + JOB)
    now = clock.now()
    until = now + timedelta(hours=2)
    Pause.objects.create(scope="", since=now, until=until, actor="anna@example.net")
    Pause.objects.create(scope="tag:night", since=now, actor="anna@example.net")
    Pause.objects.create(scope=f"entry:{entry.pk}", since=now, actor="anna@example.net")
    page = signed_in().get("/settings").content.decode()
    for words in ("All jobs", "Jobs tagged night", "The job Backup", "anna@example.net"):
        assert words in page
    assert page.count('value="resume"') == 3


def test_pauses_of_tables_that_are_not_open_are_not_told_nor_offered(
    table: Write, signed_in: SignIn
) -> None:
    table(JOB)
    (hidden,) = table("## Payroll\n" + JOB, name="payroll")
    Pause.objects.create(scope=f"entry:{hidden.pk}", since=clock.now(), actor="anna@example.net")
    page = signed_in(Role.OPERATOR, "root").get("/settings").content.decode()
    assert "Payroll" not in page
    assert "not all of them are open to you" in page
    assert 'action="/settings/pause"' not in page
    viewer = signed_in(Role.VIEWER).get("/settings").content.decode()
    assert "Pausing needs the role Operator" in viewer


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"until": "soon"}, "is no date and time"),
        ({"until": "2001-01-01T00:00"}, "lies in the future"),
        ({"minutes": "30"}, "the scheduler is not running"),
        ({"do": "resume", "scope": ""}, "the scheduler is not running"),
    ],
)
def test_a_pause_that_cannot_be_is_told(
    table: Write, signed_in: SignIn, given: dict[str, str], words: str
) -> None:
    table(JOB)
    answer = signed_in().post("/settings/pause", {"table": "root", **given}, follow=True)
    assert words in answer.content.decode()


def test_the_number_of_queries_is_fixed(
    table: Write, signed_in: SignIn, django_assert_max_num_queries
) -> None:
    client = signed_in()
    for number in (2, 200):
        entries = table("".join(f"{i % 60} * * * * /bin/job {i}\n" for i in range(number)))
        for entry in entries:
            ran(entry, clock.now(), outcome=Outcome.SUCCEEDED)
        with django_assert_max_num_queries(16, using="scheduler"):
            client.get("/settings")
        with django_assert_max_num_queries(19, using="scheduler"):  # the table is read for its keep
            client.get("/settings?days=1")
