"""One-time links: they work once, in time, for the user they were made for."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client, RequestFactory

from billclock import clock
from billclock.accounts import links, sessions
from billclock.accounts.models import AuditRow, OneTimeLink, Purpose, User

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)
PASSWORD = "a clock of ledger paper"
REQUEST = RequestFactory().post("/")


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna@example.net", "the old clock stood still")


def token(user: User, purpose: Purpose = Purpose.RESET) -> str:
    return links.make(user, purpose).rpartition("/")[2]


def test_a_link_sets_the_password_once_and_ends_all_sessions(anna: User) -> None:
    Client().force_login(anna)
    secret = token(anna)
    links.use(secret, PASSWORD, REQUEST)
    assert User.objects.get().check_password(PASSWORD)
    assert sessions.of(anna) == []
    assert AuditRow.objects.latest("id").act == "password.reset"
    with pytest.raises(links.LinkError):
        links.use(secret, "another clock entirely", REQUEST)
    assert User.objects.get().check_password(PASSWORD)


def test_of_two_who_found_a_link_one_uses_it(anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = token(anna)
    found = links.find(secret)
    monkeypatch.setattr(links, "find", lambda _secret: found)  # both looked before either used it
    links.use(secret, PASSWORD, REQUEST)
    with pytest.raises(links.LinkError):
        links.use(secret, "another clock entirely", REQUEST)
    assert User.objects.get().check_password(PASSWORD)


def test_a_newer_link_ends_the_older(anna: User) -> None:
    old, new = token(anna), token(anna)
    with pytest.raises(links.LinkError):
        links.find(old)
    assert links.find(new).user == anna


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_link_ends_with_its_time(anna: User, purpose: Purpose) -> None:
    with clock.at(NOON):
        secret = token(anna, purpose)
    with clock.at(NOON + links.VALID_FOR[purpose] - timedelta(seconds=1)):
        links.find(secret)
    with clock.at(NOON + links.VALID_FOR[purpose]), pytest.raises(links.LinkError):
        links.use(secret, PASSWORD, REQUEST)


def test_who_was_shut_out_has_no_link(anna: User) -> None:
    secret = token(anna)
    User.objects.update(is_active=False)
    with pytest.raises(links.LinkError):
        links.find(secret)


def test_the_database_does_not_know_the_secret(anna: User) -> None:
    assert token(anna) not in str(OneTimeLink.objects.values_list())


@pytest.mark.parametrize("guess", ["", "x", "ü", "None", "a" * 10_000])
def test_a_guess_is_refused(anna: User, guess: str) -> None:
    token(anna)
    with pytest.raises(links.LinkError):
        links.find(guess)
