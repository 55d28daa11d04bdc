"""The audit trail on the screen: who reads it, how one finds a row, what it shows, and as CSV."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.test import Client

from billclock import clock
from billclock.accounts.audit import note
from billclock.accounts.models import AuditRow, Role, User
from tests.web.server import PASSWORD

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]
NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)


def seen(client: Client, query: str = "") -> list[str]:
    """Give the subjects of the rows a page shows, newest first."""
    answer = client.get(f"/audit?{query}")
    assert answer.status_code == 200
    return [line.subject for line in answer.context["lines"]]


@pytest.fixture
def trail() -> None:
    with clock.at(NOON):
        note("anna@example.net", "job.edit", "Backup", table="root", before="old /bin/a", after="x")
    with clock.at(NOON + timedelta(days=1)):
        note("boris@example.net", "job.delete", "Report", table="www-data")
    with clock.at(NOON + timedelta(days=2)):
        note("boris@example.net", "job.edit", "Rates", table="root", after="new /bin/b")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_the_trail_is_for_root_users(signed_in: SignedIn, role: Role) -> None:
    row = note("a", "x", "y")
    client = signed_in(role)
    for path in ("/audit", f"/audit/{row.pk}", "/audit.csv"):
        assert client.get(path).status_code == 403, path


def test_a_root_user_of_one_table_reads_of_this_one(signed_in: SignedIn, trail: None) -> None:
    client = signed_in(tables="www-data")
    assert seen(client) == ["Report"]
    other = AuditRow.objects.get(subject="Backup")
    assert client.get(f"/audit/{other.pk}").status_code == 404
    text = client.get("/audit.csv").content.decode()
    assert "Report" in text
    assert "Backup" not in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("table=root", ["Rates", "Backup"]),
        ("actor=anna@example.net", ["Backup"]),
        ("act=job.delete", ["Report"]),
        ("q=/BIN/", ["Rates", "Backup"]),
        ("q=/bin/&actor=boris@example.net", ["Rates"]),
        ("since=2026-10-25&until=2026-10-25", ["Report"]),
        ("since=2026-10-26&table=root", ["Rates"]),
        ("until=2026-10-23", []),
        ("table=nothing", []),
    ],
)
def test_rows_are_found_by_what_the_address_asks(
    signed_in: SignedIn, trail: None, query: str, found: list[str]
) -> None:
    jobs = [subject for subject in seen(signed_in(), query) if "@" not in subject]
    assert jobs == found


@pytest.mark.parametrize(
    "query",
    ["since=yesterday", "until=2026-13-40", "before=x", "before=-1", "before=" + "9" * 40, "q=%00"],
)
def test_nonsense_in_the_address_is_left_out(signed_in: SignedIn, query: str) -> None:
    assert signed_in().get(f"/audit?{query}").status_code == 200


def test_pages_follow_each_other_without_gap_or_repeat(signed_in: SignedIn) -> None:
    for number in range(120):
        note("a", "x", f"number {number}")
    client, subjects, query = signed_in(), [], "act=x"
    while True:
        answer = client.get(f"/audit?{query}")
        subjects += [line.subject for line in answer.context["lines"]]
        if answer.context["older"] is None:
            break
        note("a", "x", "meanwhile")
        query = f"act=x&before={answer.context['older']}"
    assert subjects == [f"number {number}" for number in reversed(range(120))]


def test_a_row_shows_what_changed(signed_in: SignedIn) -> None:
    row = note("anna@example.net", "job.edit", "Backup", before="a\nb\n", after="a\nc\n")
    changes = signed_in().get(f"/audit/{row.pk}").context["changes"]
    assert [(line.sign, line.text) for line in changes.lines if line.kind in ("add", "del")] == [
        ("−", "b"),
        ("+", "c"),
    ]


def test_hostile_texts_are_shown_and_do_nothing(signed_in: SignedIn) -> None:
    row = note(
        "<b>me</b>",
        "<i>x",
        "<script>alert(1)</script> \u202eevil\x1b[2J",
        before="<img src=x onerror=1>",
        after="\x07\udce9",
    )
    client = signed_in()
    for path in ("/audit", f"/audit/{row.pk}"):
        page = client.get(path).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<i>x" not in page
        assert "⟨U+202E⟩" in page
        assert "\x1b" not in page
    assert "\ufffd" in AuditRow.objects.get(pk=row.pk).after


def test_the_csv_holds_what_was_asked_for_and_no_formulas(signed_in: SignedIn, trail: None) -> None:
    note("boris@example.net", "job.edit", '=HYPERLINK("http://evil")', table="root", after="-1")
    answer = signed_in().get("/audit.csv?table=root&actor=boris@example.net")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(StringIO(answer.content.decode())))
    assert [row["subject"] for row in rows] == ['\'=HYPERLINK("http://evil")', "Rates"]
    assert rows[0]["after"] == "'-1"
    assert rows[1]["at"] == "2026-10-26T12:00:00+00:00"


def test_a_wrong_password_stands_in_the_trail_without_the_password(
    signed_in: SignedIn,
) -> None:
    User.objects.create_user("anna@example.net", PASSWORD)
    Client().post("/sign-in", {"login": "anna@example.net", "password": "my secret guess"})
    Client().post("/sign-in", {"login": "my secret guess", "password": "x"})
    assert "anna@example.net" in seen(signed_in(), "act=sign-in.refused")
    assert "secret guess" not in str(list(AuditRow.objects.values_list()))


def test_the_number_of_queries_is_fixed(signed_in: SignedIn, django_assert_num_queries) -> None:
    client = signed_in()
    client.get("/audit")  # notes whence the session is used
    for many in (1, 60):
        for number in range(many):
            note(f"user {number}", "x", "y")
        with django_assert_num_queries(5):
            client.get("/audit")
