"""The audit trail: what a row says, that it stays as it is, and who may read it."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction
from django.test import RequestFactory

from billclock import clock
from billclock.accounts.audit import note
from billclock.accounts.models import AuditRow, User

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)


def test_a_row_says_who_did_what_when_and_from_where() -> None:
    request = RequestFactory().post("/", REMOTE_ADDR="192.0.2.7")
    with clock.at(NOON):
        note("anna@example.net", "job.edit", "Backup", table="root", before="a", after="b",
             request=request)  # fmt: skip
    row = AuditRow.objects.get()
    assert (row.at, row.actor, row.act, row.subject) == (
        NOON,
        "anna@example.net",
        "job.edit",
        "Backup",
    )
    assert (row.table, row.before, row.after, row.address) == ("root", "a", "b", "192.0.2.7")


def test_rows_of_one_request_share_its_id_and_no_other() -> None:
    one, other = RequestFactory().post("/"), RequestFactory().post("/")
    first, second = note("a", "x", "y", request=one), note("a", "x", "z", request=one)
    third, without = note("a", "x", "y", request=other), note("a", "x", "y")
    assert first.request_id == second.request_id != third.request_id
    assert without.request_id == ""


def test_the_database_refuses_to_change_or_delete_a_row() -> None:
    row = note("anna@example.net", "job.delete", "Backup")
    row.actor = "somebody else"
    for attempt in (row.save, row.delete, AuditRow.objects.all().delete):
        with pytest.raises(IntegrityError, match="only ever added to"), transaction.atomic():
            attempt()
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditRow.objects.update(actor="somebody else")
    assert AuditRow.objects.get().actor == "anna@example.net"


def test_a_user_of_some_tables_is_shown_rows_of_these() -> None:
    for table in ("root", "www-data", ""):
        note("anna@example.net", "job.edit", f"of {table}", table=table)
    user = User(email="v@example.net", tables="www-data")
    assert [row.table for row in AuditRow.objects.all().open_to(user)] == ["www-data"]
    assert AuditRow.objects.all().open_to(User(email="r@example.net")).count() == 3


@pytest.mark.parametrize(("text", "found"), [("NIGHT", 1), ("5 1 *", 1), ("%", 0), ("/new", 1)])
def test_rows_are_found_by_what_was_changed(text: str, found: int) -> None:
    note("a", "job.edit", "Nightly backup", before="5 1 * * * /old", after="6 1 * * * /new")
    note("a", "job.edit", "Another")
    assert AuditRow.objects.all().saying(text).count() == found
