"""Users: whom they are found by, and which tables they see."""

import pytest
from django.core.management import call_command

from billclock.accounts.models import Role, User

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])


def test_a_user_is_found_by_his_address_in_any_case() -> None:
    made = User.objects.create_user("Anna@Example.net", "a clock of ledger paper")
    assert User.objects.get_by_natural_key("ANNA@example.NET") == made


def test_a_new_user_may_only_look() -> None:
    assert User.objects.create_user("victor@example.net").role == Role.VIEWER


def test_a_user_without_a_password_has_none_that_fits() -> None:
    user = User.objects.create_user("victor@example.net")
    assert not user.check_password("")
    assert not user.has_usable_password()


@pytest.mark.parametrize(
    ("tables", "seen", "unseen"),
    [
        ("", ["root", "www-data"], []),
        ("root", ["root"], ["www-data", "roo", "root2"]),
        ("root www-data", ["root", "www-data"], ["backup"]),
    ],
)
def test_tables_narrow_what_a_user_sees(tables: str, seen: list[str], unseen: list[str]) -> None:
    user = User(email="victor@example.net", tables=tables)
    assert all(user.sees(name) for name in seen)
    assert not any(user.sees(name) for name in unseen)


@pytest.mark.parametrize(
    ("email", "initials"),
    [("anna.weiss@example.net", "AW"), ("anna@example.net", "A"), ("a.b.c@x.net", "AB"), ("", "?")],
)
def test_initials_stand_for_a_user(email: str, initials: str) -> None:
    assert User(email=email).initials == initials


def test_the_migrations_are_the_models() -> None:
    call_command("makemigrations", "accounts", check=True, dry_run=True, verbosity=0)
