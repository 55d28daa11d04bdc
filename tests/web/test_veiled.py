"""Secrets of a crontab are told to those who may edit it, and to nobody else, by whatever door."""

import json
from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.test import Client

from billclock.accounts.models import AuditRow, Role
from billclock.api.registry import ROOT, Actor, call
from billclock.scheduler.models import Entry
from billclock.scheduler.tables import Tables

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]
SECRETS = ("hunter2", "t0ps3cret", "s3crethook", "0ldpassword")
TABLE = (
    "DB_PASSWORD=hunter2\n## Copy\n"
    '# billclock: env="MODE=fast API_TOKEN=t0ps3cret" webhook=https://example.org/s3crethook\n'
    "0 1 * * * /bin/a\n"
)
LOOKS = ["edit", "clone", "settings", "crontab", "text", "export", "version", "against"]


def door(name: str, entry: Entry) -> str:
    """Give the address of a page that shows a table's text, or a part of it."""
    return {
        "edit": f"/entries/{entry.pk}",
        "clone": f"/entries/{entry.pk}/clone",
        "settings": "/settings",
        "crontab": "/crontab",
        "text": "/crontab/edit",
        "export": "/crontab/export",
        "version": "/crontab/versions/2",
        "against": "/crontab/versions/1?against=now",
    }[name]


@pytest.fixture
def entry(table: Write) -> Entry:
    table(TABLE.replace("hunter2", "0ldpassword"))
    (entry,) = table(TABLE)
    return entry


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
@pytest.mark.parametrize("name", LOOKS)
def test_who_may_not_edit_sees_stars(
    entry: Entry, signed_in: SignIn, role: Role, name: str
) -> None:
    shown = page(signed_in(role), door(name, entry))
    for secret in SECRETS:
        assert secret not in shown
    assert "******" in shown


@pytest.mark.parametrize("name", [name for name in LOOKS if name not in ("clone", "against")])
def test_who_may_edit_sees_what_he_edits(entry: Entry, signed_in: SignIn, name: str) -> None:
    shown = page(signed_in(), door(name, entry))
    assert any(secret in shown for secret in SECRETS)
    assert "******" not in shown


def test_the_form_of_who_may_not_edit_is_whole(entry: Entry, signed_in: SignIn) -> None:
    shown = page(signed_in(Role.VIEWER), door("edit", entry))
    assert 'value="MODE=fast API_TOKEN=******"' in shown
    assert 'value="https://example.org/******"' in shown
    assert "Every day at 01:00" in shown


def test_a_mend_of_a_line_shows_no_secret(table: Write, signed_in: SignIn) -> None:
    table("0 1 * * * /bin/a\nDB_PASSWORD=hunter2")
    client = signed_in(Role.VIEWER)
    for path in ("/crontab", "/problems"):
        assert "hunter2" not in page(client, path)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_functions_give_stars_to_who_may_not_edit(entry: Entry, role: Role) -> None:
    for actor in (Actor("v@example.net", role), ROOT):
        answers = json.dumps(
            [
                call("versions.show", {"number": "2"}, actor=actor).values,
                call("versions.show", {"number": "1"}, actor=actor).values,
                call("scheduler.edit", {"elid": str(entry.pk)}, actor=actor).values,
            ]
        )
        assert [secret in answers for secret in SECRETS] == [actor is ROOT] * len(SECRETS)


def test_the_trail_tells_that_a_secret_changed_and_not_which(
    entry: Entry, signed_in: SignIn, settings: LazySettings
) -> None:
    seen = Tables().table("root").load().digest
    text = TABLE.replace("hunter2", "n3wpassword")
    client = signed_in()
    client.post("/crontab/edit", {"table": "root", "seen": seen, "text": text, "do": "install"})
    assert (settings.SPOOL / "root").read_text() == text
    row = AuditRow.objects.get(act="crontab.edit")
    assert (row.before, row.after) == ("DB_PASSWORD=******", "DB_PASSWORD=******")
    number = Tables().table("root").versions.first().number
    client.post(f"/crontab/versions/{number}/undo", {"table": "root"})
    assert not any("passw0rd" in row.after or "n3w" in row.before for row in AuditRow.objects.all())
    call("versions.restore", {"number": "1"}, actor=ROOT)
    assert (settings.SPOOL / "root").read_text() == TABLE.replace("hunter2", "0ldpassword")
