"""The page of a fault that nobody caught: it says what it knows and promises nothing."""

import errno
import os

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from billclock import urls

FAULTS = {
    "sqlite": OperationalError("database or disk is full"),
    "wal": OperationalError("disk I/O error"),
    "file": OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    "quota": OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
    "other": OperationalError("no such table: accounts_user"),
    "defect": ZeroDivisionError("division by zero"),
}


def fails(request: HttpRequest) -> HttpResponse:
    raise FAULTS[request.GET["how"]]


fails.login_required = False  # type: ignore[attr-defined]
urlpatterns = [path("fails", fails), *urls.urlpatterns]
handler500 = urls.handler500
pytestmark = [pytest.mark.urls(__name__)]


def answer(how: str) -> HttpResponse:
    return Client(raise_request_exception=False).get("/fails", {"how": how})


@pytest.mark.parametrize("how", ["sqlite", "wal", "file", "quota"])
def test_a_full_disk_is_named_with_what_makes_room(how: str, home: os.PathLike[str]) -> None:
    told = answer(how)
    assert told.status_code == 507
    assert "The disk is full" in told.content.decode()
    assert f"<code>df -h {home}</code>" in told.content.decode()


@pytest.mark.parametrize("how", ["other", "defect"])
def test_anything_else_is_not_said_to_have_changed_nothing(how: str) -> None:
    told = answer(how)
    assert told.status_code == 500
    assert "Look whether what you asked for was done" in told.content.decode()
    assert "division" not in told.content.decode()
    assert "accounts_user" not in told.content.decode()


def fill_up() -> None:
    for number in range(10_000):
        cache.set(f"filler-{number}", "x" * 500)


@pytest.mark.django_db(databases=["default", "scheduler"], transaction=True)
def test_signing_in_on_a_full_disk_names_the_disk(home: os.PathLike[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
    try:
        with pytest.raises(OperationalError, match="full"):
            fill_up()
        told = Client(raise_request_exception=False).post(
            "/sign-in", {"login": "anna@example.net", "password": "wrong"}
        )
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 4294967294")
    assert told.status_code == 507
    assert "The disk is full" in told.content.decode()
    assert "Too many" not in told.content.decode()
