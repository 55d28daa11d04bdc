"""Jobs switched, mailed, tagged, deleted from their list: the text after it, and the way back."""

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
TABLE = """MAILTO=a@example.net
## first
0 1 * * * /bin/a
## second
# billclock: tags=night timeout=5m
0 2\t* * *  /bin/b >/dev/null 2>&1
0 3 * * * /bin/c
"""


@pytest.fixture
def text(settings: LazySettings) -> Callable[[], str]:
    """The table as it lies on disk."""
    return lambda: (settings.SPOOL / "root").read_text(encoding="utf-8")


def do(client: Client, act: str, *entries: Entry, **values: str) -> str:
    keys = [entry.pk for entry in entries]
    given = {"act": act, "entry": keys, "table": "root", "back": "?table=root", **values}
    return client.post("/jobs/act", given, follow=True).content.decode()


def test_several_are_switched_off_and_on_in_one_version_each(
    table: Write, signed_in: SignIn, text: Callable[[], str]
) -> None:
    first, second, _ = table(TABLE)
    client = signed_in()
    page = do(client, "disable", first, second)
    assert "#0 1 * * * /bin/a\n" in text()
    assert "#0 2\t* * *  /bin/b >/dev/null 2>&1\n" in text()
    assert "Switched off: first · second" in page
    do(client, "enable", first, second)
    assert text() == TABLE
    assert Tables().table("root").versions.count() == 3


def test_the_switch_of_one_row_acts_on_that_row(
    table: Write, signed_in: SignIn, text: Callable[[], str]
) -> None:
    first, *_ = table(TABLE)
    signed_in().post("/jobs/act", {"one": f"disable:{first.pk}", "table": "root"})
    assert text() == TABLE.replace("0 1 * * * /bin/a", "#0 1 * * * /bin/a")


def test_deleting_names_the_jobs_and_asks_first(
    table: Write, signed_in: SignIn, text: Callable[[], str]
) -> None:
    first, second, _ = table(TABLE)
    client = signed_in()
    page = do(client, "delete", first, second)
    assert "Delete these 2 jobs?" in page
    assert '<span class="n">3</span>' in page, "the tab counts the jobs here too"
    named = page.partition('class="named"')[2]
    assert named.index("first") < named.index("second")
    assert text() == TABLE, "nothing happens before the answer"
    page = do(client, "delete", first, second, confirmed="yes")
    assert text() == "MAILTO=a@example.net\n0 3 * * * /bin/c\n"
    assert "2 jobs deleted: first · second" in page


def test_what_was_done_can_be_undone_at_once(
    table: Write, signed_in: SignIn, text: Callable[[], str]
) -> None:
    first, second, _ = table(TABLE)
    client = signed_in()
    page = do(client, "delete", first, second, confirmed="yes")
    undo = re.search(r'action="(/crontab/versions/\d+/undo)"', page)
    assert undo is not None
    again = client.post(undo[1], {"table": "root", "next": "jobs"}, follow=True)
    assert text() == TABLE
    assert again.request["PATH_INFO"] == "/"
    ids = Entry.objects.filter(gone_at=None).values_list("pk", flat=True)
    assert {first.pk, second.pk} <= set(ids), "they are the same jobs, with their history"
    client.get("/")
    assert "note good undo" not in client.get("/").content.decode(), "it is offered once"


@pytest.mark.parametrize(
    ("value", "line", "directive"),
    [
        ("never", "0 1 * * * /bin/a >/dev/null 2>&1", None),
        ("failure", "0 1 * * * /bin/a", "# billclock: mail=failure"),
        ("output", "0 1 * * * /bin/a", None),
        ("always", "0 1 * * * /bin/a", "# billclock: mail=always"),
    ],
)
def test_when_jobs_are_reported_is_said_for_several(
    table: Write,
    signed_in: SignIn,
    text: Callable[[], str],
    value: str,
    line: str,
    directive: str | None,
) -> None:
    first, second, _ = table(TABLE)
    client = signed_in()
    assert "When is a run of these 2 jobs reported?" in do(client, "mail", first, second)
    do(client, "mail", first, second, confirmed="yes", value=value)
    found = text().splitlines()
    assert line in found
    assert ("# billclock: mail=" in text()) == (directive is not None)
    assert ("/bin/b >/dev/null 2>&1" in text()) == (value == "never")
    assert "timeout=5m" in text(), "what else is directed stays"


def test_what_cron_does_by_itself_is_said_where_the_table_says_otherwise(
    table: Write, signed_in: SignIn, text: Callable[[], str]
) -> None:
    (job,) = table("CRON_MAIL=never\n0 1 * * * /bin/a\n")
    do(signed_in(), "mail", job, confirmed="yes", value="output")
    assert text() == "CRON_MAIL=never\n# billclock: mail=output\n0 1 * * * /bin/a\n"


def test_tags_are_put_on_and_taken_off(
    table: Write, signed_in: SignIn, text: Callable[[], str]
) -> None:
    first, second, _ = table(TABLE)
    client = signed_in()
    do(client, "tag", first, second, confirmed="yes", value="disk, night")
    assert "## first\n# billclock: tags=disk,night\n0 1 * * * /bin/a\n" in text()
    assert "# billclock: timeout=5m tags=night,disk\n" in text()
    do(client, "tag", first, second, confirmed="yes", value="disk", how="remove")
    do(client, "tag", first, confirmed="yes", value="night", how="remove")
    assert "## first\n0 1 * * * /bin/a\n" in text()
    assert "tags=night\n" in text()


def test_every_act_is_in_the_audit_trail_with_what_was_and_is(
    table: Write, signed_in: SignIn
) -> None:
    first, *_ = table(TABLE)
    do(signed_in(), "disable", first)
    row = AuditRow.objects.get(act="job.disable")
    assert (row.actor, row.table, row.subject) == ("root@example.net", "root", "first")
    assert (row.before, row.after) == ("0 1 * * * /bin/a", "#0 1 * * * /bin/a")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
@pytest.mark.parametrize("act", ["enable", "disable", "delete", "mail", "tag", "edit", "clone"])
def test_only_root_changes_jobs(
    table: Write, signed_in: SignIn, text: Callable[[], str], role: Role, act: str
) -> None:
    first, *_ = table(TABLE)
    answer = signed_in(role).post(
        "/jobs/act",
        {"act": act, "entry": first.pk, "table": "root", "confirmed": "yes", "value": "never"},
    )
    assert answer.status_code == 403
    assert "needs the role Root" in answer.content.decode()
    assert text() == TABLE


def test_another_users_table_is_not_there(
    table: Write, signed_in: SignIn, text: Callable[[], str]
) -> None:
    first, *_ = table(TABLE)
    table("* * * * * /bin/w\n", "www-data")
    client = signed_in(tables="www-data")
    given = {"act": "disable", "entry": first.pk}
    assert client.post("/jobs/act", {**given, "table": "root"}).status_code == 404
    client.post("/jobs/act", {**given, "table": "www-data"})
    assert text() == TABLE, "an entry of another table is not found by its key"


def test_nothing_ticked_and_nonsense_are_told(
    table: Write, signed_in: SignIn, text: Callable[[], str]
) -> None:
    first, *_ = table(TABLE)
    client = signed_in()
    assert "Nothing is ticked" in do(client, "disable")
    assert client.post("/jobs/act", {"act": "shred", "entry": first.pk}).status_code == 400
    bad = {"act": "mail", "entry": first.pk, "value": "sometimes", "confirmed": "yes"}
    assert client.post("/jobs/act", bad).status_code == 400
    assert text() == TABLE


def test_running_without_a_daemon_says_so(table: Write, signed_in: SignIn) -> None:
    first, *_ = table(TABLE)
    page = do(signed_in(Role.OPERATOR), "run", first)
    assert "the scheduler is not running" in page


def test_going_back_leads_to_no_other_site(table: Write, signed_in: SignIn) -> None:
    first, *_ = table(TABLE)
    given = {"act": "disable", "entry": first.pk, "table": "root", "back": "//evil.example"}
    assert signed_in().post("/jobs/act", given)["Location"] == "/?table=root"


def test_the_billing_set_is_loaded_into_an_empty_table_only(
    signed_in: SignIn, text: Callable[[], str]
) -> None:
    client = signed_in()
    page = client.post("/jobs/billing-set", {"table": "root"}, follow=True).content.decode()
    assert "22 jobs of the billing set loaded" in page
    held = text()
    client.post("/jobs/billing-set", {"table": "root"})
    assert text() == held
    assert signed_in(Role.OPERATOR).post("/jobs/billing-set").status_code == 403
