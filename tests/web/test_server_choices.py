"""Settings of the scheduler chosen on the page: in force at once, audited, the environment wins."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.test import Client

from billclock.accounts.models import AuditRow, Role
from billclock.scheduler import chosen
from billclock.scheduler.models import Entry, Setting

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def _a_table(table: Write) -> None:
    table("0 1 * * * /bin/a\n")


def post(client: Client, **values: str) -> object:
    return client.post("/settings/server", {"table": "root", **values}, follow=True)


def test_what_is_chosen_is_in_force_and_in_the_trail(signed_in: SignIn) -> None:
    post(signed_in(), KEEP_DAYS="7", DIGEST_HOUR="6", PARALLEL="0")
    now = chosen.in_force()
    assert (now.keep_days, now.digest_hour) == (7, 6)
    assert set(Setting.objects.values_list("name", flat=True)) == {"KEEP_DAYS", "DIGEST_HOUR"}
    row = AuditRow.objects.get(act="settings.choose")
    assert row.before == "KEEP_DAYS=30\nDIGEST_HOUR=7"
    assert row.after == "KEEP_DAYS=7\nDIGEST_HOUR=6"


def test_an_emptied_field_goes_back_to_the_default(signed_in: SignIn) -> None:
    client = signed_in()
    post(client, KEEP_RUNS="9")
    post(client, KEEP_RUNS="")
    assert chosen.in_force().keep_runs == 200
    assert not Setting.objects.exists()


@pytest.mark.parametrize("hour", ["24", "-1", "seven", "٧"])
def test_one_wrong_number_saves_nothing(signed_in: SignIn, hour: str) -> None:
    page = post(signed_in(), DIGEST_HOUR=hour, KEEP_DAYS="3")
    assert "a whole number from 0 to 23" in page.content.decode()  # type: ignore[attr-defined]
    assert not Setting.objects.exists()


def test_the_environment_wins(signed_in: SignIn, settings: LazySettings) -> None:
    client = signed_in()
    post(client, KEEP_DAYS="7")
    settings.GIVEN, settings.KEEP_DAYS = {"KEEP_DAYS"}, 90
    post(client, KEEP_DAYS="5")
    assert chosen.in_force().keep_days == 90
    with pytest.raises(ValueError, match="unset it there first"):
        chosen.choose({"KEEP_DAYS": "5"}, "a@example.net")


def test_an_operator_may_look_but_not_change(signed_in: SignIn) -> None:
    client = signed_in(Role.OPERATOR)
    assert 'id="chosen-KEEP_DAYS"' in client.get("/settings").content.decode()
    assert post(client, KEEP_DAYS="7").status_code == 403  # type: ignore[attr-defined]
    assert not Setting.objects.exists()
