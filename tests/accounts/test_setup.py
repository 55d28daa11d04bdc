"""The link that makes the first root user: once, in time, and only by who holds it."""

from datetime import UTC, datetime, timedelta

import pytest

from billclock import clock
from billclock.accounts import setup
from billclock.accounts.models import Role, SetupLink, User

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)
PASSWORD = "a clock of ledger paper"


def secret() -> str:
    link = setup.setup_link()
    assert link is not None
    return link.rpartition("/")[2]


@pytest.mark.usefixtures("slow_passwords")
def test_the_link_makes_a_root_user_who_has_the_password_given() -> None:
    user = setup.make_first_user(secret(), "Anna.Weiss@Example.NET", PASSWORD, "ru")
    kept = User.objects.get()
    assert (kept.pk, kept.email, kept.role, kept.language) == (
        user.pk,
        "anna.weiss@example.net",
        Role.ROOT,
        "ru",
    )
    assert kept.check_password(PASSWORD)
    assert kept.password.startswith("argon2")


def test_the_link_is_under_the_public_address(settings) -> None:
    settings.PUBLIC_URL = "https://clock.example.net/"
    assert str(setup.setup_link()).startswith("https://clock.example.net/setup/")


def test_a_link_works_once() -> None:
    token = secret()
    setup.make_first_user(token, "anna@example.net", PASSWORD)
    with pytest.raises(setup.SetupError) as refused:
        setup.make_first_user(token, "mallory@example.net", PASSWORD)
    assert refused.value.reason == "done"
    assert User.objects.count() == 1


def test_there_is_no_link_once_a_root_user_exists() -> None:
    User.objects.create_user("anna@example.net", PASSWORD, role=Role.ROOT)
    assert setup.setup_link() is None


def test_a_user_of_a_lower_role_does_not_end_the_set_up() -> None:
    User.objects.create_user("victor@example.net", PASSWORD, role=Role.VIEWER)
    setup.check(secret())


def test_the_link_printed_last_is_the_only_one() -> None:
    old, new = secret(), secret()
    with pytest.raises(setup.SetupError) as refused:
        setup.check(old)
    assert refused.value.reason == "unknown"
    setup.check(new)


def test_a_link_is_no_use_after_a_day() -> None:
    with clock.at(NOON):
        token = secret()
    with clock.at(NOON + timedelta(hours=24) - timedelta(seconds=1)):
        setup.check(token)
    with clock.at(NOON + timedelta(hours=24)), pytest.raises(setup.SetupError) as refused:
        setup.make_first_user(token, "anna@example.net", PASSWORD)
    assert refused.value.reason == "expired"
    assert not User.objects.exists()


@pytest.mark.parametrize("token", ["", "x", "None", "ü", "a" * 10_000])
def test_a_guess_is_refused(token: str) -> None:
    secret()
    with pytest.raises(setup.SetupError):
        setup.make_first_user(token, "mallory@example.net", PASSWORD)


def test_the_database_does_not_know_the_secret() -> None:
    token = secret()
    assert token not in str(SetupLink.objects.values_list())
