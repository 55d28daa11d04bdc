"""The versions of a crontab on their page: told, compared, brought back, undone."""

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


@pytest.fixture
def three(table: Write) -> Callable[[], str]:
    """Three versions: from outside, by a user, from outside; and what is there now."""
    table("0 1 * * * /bin/a\n0 2 * * * /bin/b\n")
    mine = Tables().table("root")
    mine.edit(lambda crontab: crontab.remove(crontab.entries[0]), author="anna", note="delete 1")
    table("0 2 * * * /bin/b\n0 3 * * * /bin/c\n")
    return lambda: mine.place.path.read_text(encoding="utf-8")


def test_each_version_tells_who_what_and_when(three: Callable[[], str], signed_in: SignIn) -> None:
    page = signed_in().get("/crontab/versions").content.decode()
    assert page.count("changed outside") == 2
    assert "anna" in page
    assert "delete 1" in page
    assert page.count("in force") == 1
    assert page.index("/crontab/versions/3") < page.index("/crontab/versions/1")


def test_a_version_shows_what_it_changed_and_what_since(
    three: Callable[[], str], signed_in: SignIn
) -> None:
    client = signed_in()
    changed = client.get("/crontab/versions/2").content.decode()
    assert "0 1 * * * /bin/a" in changed.partition('class="del"')[2]
    assert "/bin/c" not in changed.partition("<main")[2]
    since = client.get("/crontab/versions/1?against=now").content.decode()
    assert "0 3 * * * /bin/c" in since.partition('class="add"')[2]


def test_a_version_is_brought_back_byte_for_byte(
    three: Callable[[], str], signed_in: SignIn
) -> None:
    seen = Tables().table("root").load().digest
    given = {"table": "root", "seen": seen}
    page = signed_in().post("/crontab/versions/1/restore", given, follow=True).content.decode()
    assert three() == "0 1 * * * /bin/a\n0 2 * * * /bin/b\n"
    assert "Version 1 of root is back" in page
    assert AuditRow.objects.get(act="crontab.restore").subject == "1"


def test_a_version_is_not_brought_back_over_what_was_not_shown(
    three: Callable[[], str], signed_in: SignIn
) -> None:
    before = three()
    given = {"table": "root", "seen": "0" * 64}
    page = signed_in().post("/crontab/versions/1/restore", given, follow=True).content.decode()
    assert "was changed since it was shown" in page
    assert three() == before


def test_one_edit_is_undone_and_what_came_later_stays(
    three: Callable[[], str], signed_in: SignIn
) -> None:
    signed_in().post("/crontab/versions/2/undo", {"table": "root"})
    assert three() == "0 1 * * * /bin/a\n0 2 * * * /bin/b\n0 3 * * * /bin/c\n"


def test_an_edit_that_others_built_on_is_left_to_a_person(
    table: Write, signed_in: SignIn, settings: LazySettings
) -> None:
    for hour in (1, 2, 3):
        table(f"0 {hour} * * * /bin/a\n")
    answer = signed_in().post("/crontab/versions/2/undo", {"table": "root"})
    assert answer.status_code == 409
    assert "nothing is lost" in answer.content.decode()
    assert (settings.SPOOL / "root").read_text() == "0 3 * * * /bin/a\n"


def test_versions_that_are_none_are_not_found(three: Callable[[], str], signed_in: SignIn) -> None:
    client = signed_in()
    assert client.get("/crontab/versions/99").status_code == 404
    page = client.post("/crontab/versions/99/restore", {"table": "root"}, follow=True)
    assert "the table root has no version 99" in page.content.decode()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_only_root_brings_back(three: Callable[[], str], signed_in: SignIn, role: Role) -> None:
    before = three()
    client = signed_in(role)
    assert "Restore" not in client.get("/crontab/versions").content.decode()
    for what in ("restore", "undo"):
        assert client.post(f"/crontab/versions/1/{what}", {"table": "root"}).status_code == 403
    assert three() == before


def test_a_long_history_is_shown_in_pages(table: Write, signed_in: SignIn) -> None:
    for number in range(30):
        table(f"{number} * * * * /bin/a\n")
    client = signed_in()
    first = client.get("/crontab/versions").content.decode()
    assert "before=6" in first
    assert "/crontab/versions/5?" not in first
    assert "/crontab/versions/5?" in client.get("/crontab/versions?before=6").content.decode()
