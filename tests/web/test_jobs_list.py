"""Which jobs the list shows and in which order, what is marked, and how users like it."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils.html import escape

from billclock import clock
from billclock.accounts.models import Role
from billclock.jobs.registry import default_table
from billclock.scheduler.models import Entry, Outcome, Slot
from tests.web.conftest import ran

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
NOON = datetime(2026, 10, 24, 12, 0, 30, tzinfo=UTC)

Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]

TABLE = """## Close invoices
15 2 * * * /usr/local/mgr5/sbin/billmaintain --command close_accounts
## Backup of mail
# billclock: tags=night,disk
0 3 * * * /bin/echo backup
#0 1 * * * /bin/echo ticket
"""


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


def shown(client: Client, path: str = "/") -> str:
    with clock.at(NOON):
        return client.get(path).content.decode()


def lines(page: str) -> list[int]:
    """The lines of the table that are listed, in their order."""
    return [int(part.partition('"')[0]) for part in page.split('id="line-')[1:]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=backup", [5]),
        ("q=BACKUP+mail", [5]),
        ("q=%2Fbin%2Fecho", [5, 6]),
        ("q=0+3+*+*+*", [5]),
        ("q=nothing+of+this", []),
        ("tag=night", [5]),
        ("area=Finance+and+payment", [2]),
        ("area=other&state=off", [6]),
        ("state=off", [6]),
        ("state=nonsense&result=nonsense&sort=nonsense&page=nonsense", [2, 5, 6]),
        ("sort=name", [6, 5, 2]),
        ("sort=-name", [2, 5, 6]),
        ("sort=next", [2, 5, 6]),
        ("sort=-line", [6, 5, 2]),
    ],
)
def test_filters_and_orders_lie_in_the_address(
    table: Write, signed_in: SignIn, query: str, found: list[int]
) -> None:
    table(TABLE)
    assert lines(shown(signed_in(), f"/?{query}")) == found


def test_the_last_result_finds_what_failed_what_never_ran_and_what_was_missed(
    table: Write, signed_in: SignIn
) -> None:
    first, second, third = table(TABLE)
    ran(first, NOON - timedelta(hours=3), outcome=Outcome.FAILED, exit_code=1)
    ran(second, NOON - timedelta(hours=9))
    at = NOON - timedelta(hours=1)
    Slot.objects.create(entry=second, planned=at, claimed_at=at, outcome=Outcome.MISSED)
    client = signed_in()
    assert lines(shown(client, "/?result=failed")) == [first.line]
    assert lines(shown(client, "/?result=missed")) == [second.line]
    assert lines(shown(client, "/?result=never")) == [third.line]
    assert lines(shown(client, "/?problems=1")) == [first.line, second.line]
    assert lines(shown(client, f"/?entry={third.pk}")) == [third.line]


def test_the_billing_set_is_listed_by_the_articles_sections(
    signed_in: SignIn, table: Write
) -> None:
    table(default_table().decode() + "* * * * * /bin/true\n")
    page = shown(signed_in())
    names = [part.partition("<")[0] for part in page.split('scope="rowgroup">')[1:]]
    assert names[:2] == ["Notifications", "Finance and payment"]
    assert names[-1] == "Other jobs"


@pytest.mark.parametrize(
    ("text", "badge"),
    [
        ("* * * * * /bin/true\n* * * * * /bin/true\n", "duplicate"),
        ("* 5 * * * /bin/true\n", "60 times an hour"),
        ("0 5 * * * /no/such/program\n", "program missing"),
        ("0 5 * * * a | b >/dev/null 2>&1\n", "output discarded"),
        ("30 2 * * * /bin/true\n", "clock change"),
    ],
)
def test_what_a_line_gives_to_think_about_is_marked_with_its_reason(
    table: Write, signed_in: SignIn, text: str, badge: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    table(text)
    assert f"{badge}</span>" in shown(signed_in())


def test_what_another_program_changed_is_marked_for_a_day(
    table: Write, signed_in: SignIn, settings: LazySettings
) -> None:
    with clock.at(NOON - timedelta(hours=2)):
        table("0 1 * * * /bin/true\n0 2 * * * /bin/true\n")
        table("0 1 * * * /bin/true\n0 3 * * * /bin/true\n")
    client = signed_in()
    page = shown(client)
    assert page.count("changed outside") == 1
    assert page.index("changed outside") > page.index('id="line-2"')
    with clock.at(NOON + timedelta(days=2)):
        assert "changed outside" not in client.get("/").content.decode()


def test_marks_that_turn_text_around_are_named(table: Write, signed_in: SignIn) -> None:
    table("## invoice \u202egnp.exe\n* * * * * /bin/echo \u2066x\n")
    page = shown(signed_in())
    assert "\u202e" not in page
    assert "⟨U+202E⟩" in page


def test_bytes_that_are_no_text_are_shown_and_break_nothing(
    home: object, signed_in: SignIn, settings: LazySettings
) -> None:
    text = b"## caf\xe9\n* * * * * /bin/echo \xff\x07\n61 * * * * /bin/bad \xff\n"
    (settings.SPOOL / "root").write_bytes(text)
    client = signed_in()
    assert "⟨FF⟩^G" in shown(client)
    assert client.get("/jobs/export").status_code == 200
    assert "1 line does not run" in shown(client)


def test_the_list_can_be_taken_away_as_csv_with_the_same_filter(
    table: Write, signed_in: SignIn
) -> None:
    table('## =cmd|"/c calc"!A1\n0 3 * * * /bin/echo "a,b"\n#0 1 * * * /bin/off\n')
    answer = signed_in().get("/jobs/export?state=on")
    rows = list(csv.DictReader(StringIO(b"".join(answer.streaming_content).decode())))
    assert [row["command"] for row in rows] == ['/bin/echo "a,b"']
    assert rows[0]["description"] == '\'=cmd|"/c calc"!A1', "no formula for a table program"
    assert answer["Content-Disposition"] == 'attachment; filename="jobs-root.csv"'


def test_columns_are_hidden_as_each_user_likes(table: Write, signed_in: SignIn) -> None:
    table(TABLE)
    anna, viewer = signed_in(), signed_in(Role.VIEWER)
    columns = {"do": "columns", "column": ["sched", "next", "last", "command"], "back": "?q=x"}
    assert anna.post("/jobs/like", columns)["Location"] == "/?q=x"
    assert 'data-hidden="mail spark "' in shown(anna) or 'data-hidden="spark mail "' in shown(anna)
    assert 'data-hidden=""' in shown(viewer)


def test_a_view_is_kept_by_name_and_forgotten(table: Write, signed_in: SignIn) -> None:
    table(TABLE)
    client = signed_in()
    name = "<b>nights</b>"
    client.post("/jobs/like", {"do": "view", "name": name, "back": "?tag=night"})
    page = shown(client)
    assert escape(name) in page
    assert name not in page
    assert 'href="?tag=night"' in page
    client.post("/jobs/like", {"forget": name, "back": "?tag=night"})
    assert escape(name) not in shown(client)


def test_a_view_leads_to_no_other_site(table: Write, signed_in: SignIn) -> None:
    table(TABLE)
    client = signed_in()
    evil = {"do": "view", "name": "evil", "back": "//evil.example/?"}
    assert client.post("/jobs/like", evil)["Location"] == "/"
    assert "evil" not in shown(client)


def test_single_keys_can_be_switched_off(table: Write, signed_in: SignIn) -> None:
    table(TABLE)
    client = signed_in()
    assert " data-keys " in shown(client)
    client.post("/jobs/like", {"do": "keys"})
    assert " data-keys " not in shown(client)


def test_who_may_only_look_is_told_why_buttons_wait(table: Write, signed_in: SignIn) -> None:
    table(TABLE)
    page = shown(signed_in(Role.VIEWER))
    assert 'disabled title="Needs the role Root"' in page
    assert 'disabled title="Needs the role Operator"' in page
    assert 'role="switch"' not in page
    assert 'disabled title="Needs the role Operator"' not in shown(signed_in(Role.OPERATOR))
