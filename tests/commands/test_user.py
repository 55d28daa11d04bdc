"""`billclock user` lets somebody in again who can't any more, and the audit trail says who did."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from billclock.accounts.models import AuditRow, Role, User
from billclock.commands.billclock import main
from billclock.commands.start import who

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
PASSWORD = "a clock of ledger paper"
EMAIL = "anna@example.net"


@pytest.fixture
def anna() -> User:
    cache.clear()
    return User.objects.create_user(EMAIL, PASSWORD, role=Role.ROOT)


def link_in(text: str) -> str:
    (path,) = re.findall(r"http://localhost:\d+(/\S+)", text)
    return str(path)


def test_a_link_lets_the_only_root_user_choose_a_new_password(
    anna: User, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["user", "Anna@example.net", "--link"]) == 0
    path = link_in(capsys.readouterr().out)
    new = "ledger paper of a clock"
    assert Client().post(path, {"password": new}).status_code == 302
    client = Client()
    client.post("/sign-in", {"login": EMAIL, "password": new})
    assert client.get("/account").status_code == 200
    assert Client().get(path).status_code == 410
    row = AuditRow.objects.get(act="user.link")
    assert (row.actor, row.subject, row.after, row.address) == (who(), EMAIL, "reset", "")


def test_lost_second_factors_are_forgotten_and_sessions_end(
    anna: User, capsys: pytest.CaptureFixture[str]
) -> None:
    Authenticator.objects.create(user_id=anna.pk, type="totp", data={"secret": "x"})
    client = Client()
    client.force_login(anna)
    assert main(["user", EMAIL]) == 0
    assert capsys.readouterr().out == f"{EMAIL}  root · all tables · totp\n"
    assert main(["user", EMAIL, "--forget-factors"]) == 0
    assert "totp forgotten, sessions ended" in capsys.readouterr().out
    assert client.get("/account").status_code == 302
    assert not Authenticator.objects.exists()
    row = AuditRow.objects.get(act="user.forget-factors")
    assert (row.actor, row.subject, row.before) == (who(), EMAIL, "totp")
    client.post("/sign-in", {"login": EMAIL, "password": PASSWORD})
    assert client.get("/account").status_code == 200


def test_before_the_first_user_the_set_up_link_is_made_anew(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["user"]) == 0
    assert "billclock user --setup" in capsys.readouterr().out
    paths = []
    for _ in range(2):
        assert main(["user", "--setup"]) == 0
        paths.append(link_in(capsys.readouterr().out))
    assert [Client().get(path).status_code for path in paths] == [410, 200]


def test_what_can_not_be_is_refused_with_what_to_do(
    anna: User, capsys: pytest.CaptureFixture[str]
) -> None:
    User.objects.create_user("gone@example.net", is_active=False)
    for words, code, told in (
        (["--setup"], 1, "a root user exists"),
        (["--link"], 2, "name the user: billclock user EMAIL --link"),
        (["--forget-factors"], 2, "name the user"),
        (["ana@example.net", "--link"], 1, "did you mean anna@example.net?"),
        (["\udcff", "--forget-factors"], 1, "billclock user lists them"),
        (["gone@example.net", "--link"], 1, "gone@example.net is shut out"),
        (["anna@example.net", "--link", "--setup"], 2, "not allowed with"),
    ):
        assert main(["user", *words]) == code, words
        assert told in capsys.readouterr().err
    assert not AuditRow.objects.exists()
