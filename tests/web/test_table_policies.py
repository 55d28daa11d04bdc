"""The defaults of a table: what its settings write for them, and what its jobs' forms say."""

import re
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.test import Client

from billclock.accounts.models import AuditRow, Role
from billclock.scheduler.models import Entry
from billclock.scheduler.tables import Tables

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]
Bytes = Callable[[], bytes]
JOB = "0 1 * * * /bin/a\n"
DEFAULTS = "CRON_OVERLAP=queue\nCRON_TIMEOUT=2h\nCRON_CATCH_UP=once\nCRON_MAIL=failure\n"


@pytest.fixture
def disk(settings: LazySettings) -> Bytes:
    """The table as it lies on disk."""
    return (settings.SPOOL / "root").read_bytes


def save(client: Client, **values: object) -> object:
    given = {"table": "root", "seen": Tables().table("root").load().digest, "to": "owner"}
    return client.post("/settings", given | values)


def test_all_that_is_not_a_default_keeps_its_bytes(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    before, after = "# by hand \t\n\nCRON_MAIL=\n", f"\t{JOB}CRON_TIMEOUT=9m\n#  \n@daily /bin/ü  "
    table(f"{before}CRON_TIMEOUT = '1h' \n{after}")
    client = signed_in()
    save(client, timeout="1h")
    assert disk() == f"{before}CRON_TIMEOUT = '1h' \n{after}".encode()
    answer = save(client, timeout="3h").headers["Location"]
    assert disk() == f"{before}CRON_TIMEOUT = 3h\n{after}".encode()
    assert AuditRow.objects.get(act="settings.save").subject == "CRON_TIMEOUT"
    assert "Settings saved: CRON_TIMEOUT" in client.get(answer).content.decode()


def test_a_default_is_taken_back_and_the_save_undone(
    table: Write, signed_in: SignIn, disk: Bytes
) -> None:
    table(DEFAULTS + JOB)
    client = signed_in()
    save(client)
    assert disk() == JOB.encode()
    page = client.get("/settings").content.decode()
    (undo,) = re.findall(r'action="(/crontab/versions/\d+/undo)"', page)
    client.post(undo, {"table": "root", "next": "settings"})
    assert disk() == (DEFAULTS + JOB).encode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("timeout", "2h\n* * * * * /bin/evil"),
        ("timeout", "2h; rm -rf /"),
        ("timeout", "9" * 100_000),
        ("timeout", "\x00"),
        ("timeout", "<script>alert(1)</script>"),
        ("timeout", "\u202e2h"),
        ("timeout", "\u0663h"),
        ("overlap", "<script>alert(1)</script>"),
        ("overlap", "allow\n* * * * * /bin/evil"),
        ("mail", "QUEUE"),
        ("catch-up", "always"),
    ],
)
def test_what_is_no_default_is_refused_at_its_field(
    table: Write, signed_in: SignIn, disk: Bytes, field: str, value: str
) -> None:
    table(JOB)
    answer = save(signed_in(), **{field: value})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="{field}-error"' in page
    assert f'aria-describedby="{field}-error {field}-held"' in page
    assert "<script>alert" not in page
    assert disk() == JOB.encode()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_only_who_may_edit_sets_defaults(
    table: Write, signed_in: SignIn, disk: Bytes, role: Role
) -> None:
    table(JOB)
    assert save(signed_in(role), timeout="2h").status_code == 403
    assert disk() == JOB.encode()


def test_a_table_without_jobs_tells_of_none(table: Write, signed_in: SignIn) -> None:
    table("")
    page = signed_in().get("/settings").content.decode()
    policies = page.partition('id="policies"')[2].partition("</section>")[0]
    assert policies.count("default: ") == 4
    assert "Jobs of this table" not in policies
    assert "aria-describedby" not in policies, "there is nothing that it could name"


SAID = ["start it afterwards", "run once for the latest", "after a failure", "2 h"]


def test_a_jobs_form_says_what_its_table_says(table: Write, signed_in: SignIn) -> None:
    (entry,) = table(DEFAULTS + JOB)
    client = signed_in()
    for address in (f"/entries/{entry.pk}", "/entries/new?table=root"):
        page = client.get(address).content.decode()
        for words in SAID:
            assert f"as the table: {words}" in page
    table(DEFAULTS)
    assert "as the table: 2 h" in client.get("/entries/new?table=root").content.decode()


def test_only_the_lines_above_a_job_count_for_its_form(table: Write, signed_in: SignIn) -> None:
    first, second = table(f"{JOB}CRON_OVERLAP=allow\n@daily /bin/b\n")
    client = signed_in()
    words = "as the table: run side by side"
    assert words not in client.get(f"/entries/{first.pk}").content.decode()
    assert words in client.get(f"/entries/{second.pk}").content.decode()


def test_a_default_that_cannot_be_read_is_none(table: Write, signed_in: SignIn) -> None:
    (entry,) = table(f"CRON_OVERLAP=<b>maybe\n{JOB}")
    client = signed_in()
    page = client.get(f"/entries/{entry.pk}").content.decode()
    assert "default: skip the new one" in page
    assert "as the table" not in page
    text = client.get("/crontab?table=root").content.decode()
    assert "CRON_OVERLAP: &#x27;&lt;b&gt;maybe&#x27; is not" in text
    assert "<b>maybe" not in text


def test_defaults_are_told_in_russian(table: Write, signed_in: SignIn) -> None:
    (entry,) = table(DEFAULTS + JOB)
    client = signed_in()
    for address in ("/settings", f"/entries/{entry.pk}"):
        page = client.get(address, headers={"accept-language": "ru"}).content.decode()
        for words in ("as the table", "default: ", "no limit", *SAID):
            assert words not in page, address
