"""Users on their screen: who may manage them, invitations, rights, and the last root user."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from billclock.accounts.models import AuditRow, OneTimeLink, Role, User
from billclock.outbox.models import Message
from tests.web.server import PASSWORD

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
SignedIn = Callable[..., Client]


@pytest.fixture
def root(signed_in: SignedIn) -> Client:
    cache.clear()
    return signed_in()


@pytest.fixture
def victor() -> User:
    return User.objects.create_user("victor@example.net", PASSWORD)


def link_on(page: str) -> str:
    found = re.search(r'value="https?://\S+(/password/[^"]+)"', page)
    assert found is not None
    return urlsplit(found[1]).path


@pytest.mark.parametrize(
    ("role", "tables"), [(Role.VIEWER, ""), (Role.OPERATOR, ""), (Role.ROOT, "www-data")]
)
def test_users_are_for_root_users_of_every_table(
    signed_in: SignedIn, victor: User, role: Role, tables: str
) -> None:
    client = signed_in(role, tables)
    at = f"/users/{victor.pk}"
    for path in ("/users", "/users/invite", at):
        assert client.get(path).status_code == 403, path
    invitation = {"email": "mallory@example.net", "role": "root"}
    assert client.post("/users/invite", invitation).status_code == 403
    for path in (at, f"{at}/shut-out", f"{at}/let-in", f"{at}/link", f"{at}/factors"):
        assert client.post(path, {"role": "root"}).status_code == 403, path
    victor.refresh_from_db()
    assert (victor.role, victor.is_active) == (Role.VIEWER, True)
    assert not User.objects.filter(email="mallory@example.net").exists()


def test_an_invited_user_chooses_a_password_and_has_the_rights_given(root: Client) -> None:
    page = root.post(
        "/users/invite",
        {"email": "Olga@Example.net", "role": "operator", "tables": "root, www-data root"},
    ).content.decode()
    olga, path = User.objects.get(email="olga@example.net"), link_on(page)
    assert (olga.role, olga.tables) == (Role.OPERATOR, "root www-data")
    client = Client()
    assert "olga@example.net" in client.get(path).content.decode()
    client.post(path, {"password": PASSWORD})
    client.post("/sign-in", {"login": "olga@example.net", "password": PASSWORD})
    assert client.get("/account").status_code == 200
    assert client.post(path, {"password": PASSWORD}).status_code == 410
    acts = list(AuditRow.objects.order_by("id").values_list("actor", "act"))
    assert ("root@example.net", "user.invite") in acts
    assert ("olga@example.net", "user.accept") in acts


def test_an_invitation_goes_out_by_mail_where_there_is_a_server(root: Client, settings) -> None:
    invitation = {"email": "olga@example.net", "role": "viewer"}
    settings.SMTP = "smtp://localhost:25"
    path = link_on(root.post("/users/invite", invitation).content.decode())
    assert path in Message.objects.get().body


def test_an_address_is_given_once(root: Client, victor: User) -> None:
    answer = root.post("/users/invite", {"email": "VICTOR@example.net", "role": "root"})
    assert "a user of this address already" in answer.content.decode()
    assert User.objects.get(pk=victor.pk).role == Role.VIEWER


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "no address", "role": "root"},
        {"email": "a@example.net", "role": "emperor"},
        {"email": "a@example.net", "role": "root", "tables": "../etc"},
        {"email": "a@example.net", "role": "root", "tables": "<script>"},
        {},
    ],
)
def test_what_can_not_be_is_told_at_its_field(root: Client, fields: dict[str, str]) -> None:
    answer = root.post("/users/invite", fields)
    assert answer.status_code == 200
    assert 'class="err"' in answer.content.decode()
    assert User.objects.count() == 1


def test_rights_are_in_force_with_the_next_request(root: Client, victor: User) -> None:
    client = Client()
    client.force_login(victor)
    assert client.get("/audit").status_code == 403
    root.post(f"/users/{victor.pk}", {"role": "root", "tables": "www-data"})
    assert client.get("/audit").status_code == 200
    row = AuditRow.objects.get(act="user.change")
    assert (row.before, row.after) == (
        "role: viewer\ntables: *\n",
        "role: root\ntables: www-data\n",
    )


def test_saving_what_is_there_already_leaves_no_trace(root: Client, victor: User) -> None:
    root.post(f"/users/{victor.pk}", {"role": "viewer", "tables": ""})
    assert not AuditRow.objects.filter(act="user.change").exists()


def test_who_is_shut_out_is_outside_at_once_and_comes_back_as_he_was(
    root: Client, victor: User
) -> None:
    client = Client()
    client.force_login(victor)
    root.post(f"/users/{victor.pk}/link")
    root.post(f"/users/{victor.pk}/shut-out")
    assert client.get("/account").status_code == 302
    assert not OneTimeLink.objects.exists()
    client.post("/sign-in", {"login": victor.email, "password": PASSWORD})
    assert client.get("/account").status_code == 302
    root.post(f"/users/{victor.pk}/let-in")
    client.post("/sign-in", {"login": victor.email, "password": PASSWORD})
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize(
    ("act", "fields"),
    [
        ("", {"role": "operator", "tables": ""}),
        ("", {"role": "root", "tables": "www-data"}),
        ("/shut-out", {}),
    ],
)
def test_the_last_root_user_stays_one(root: Client, act: str, fields: dict[str, str]) -> None:
    User.objects.create_user("second@example.net", PASSWORD, role=Role.ROOT, tables="www-data")
    User.objects.create_user("third@example.net", PASSWORD, role=Role.ROOT, is_active=False)
    me = User.objects.get(email="root@example.net")
    answer = root.post(f"/users/{me.pk}{act}", fields, follow=True)
    assert "last user who can make and change users" in answer.content.decode()
    me.refresh_from_db()
    assert (me.role, me.tables, me.is_active) == (Role.ROOT, "", True)
    assert not AuditRow.objects.filter(act__in=("user.change", "user.shut-out")).exists()


def test_lost_second_factors_are_taken_away(root: Client, victor: User) -> None:
    Authenticator.objects.create(user=victor, type="totp", data={"secret": "x"})
    client = Client()
    client.force_login(victor)
    root.post(f"/users/{victor.pk}/factors")
    assert not Authenticator.objects.exists()
    assert client.get("/account").status_code == 302
    assert AuditRow.objects.get(act="user.forget-factors").before == "totp"


def test_only_a_post_changes_a_user(root: Client, victor: User) -> None:
    for act in ("shut-out", "let-in", "link", "factors"):
        assert root.get(f"/users/{victor.pk}/{act}").status_code == 405


def test_there_is_no_user_of_another_number(root: Client) -> None:
    assert root.get("/users/999").status_code == 404
    assert root.post("/users/999/shut-out").status_code == 404


def test_the_list_takes_as_many_queries_for_many_as_for_few(
    root: Client, django_assert_num_queries
) -> None:
    def count() -> int:
        with django_assert_num_queries(4) as queries:
            assert root.get("/users").status_code == 200
        return len(queries)

    root.get("/users")  # notes whence the session is used
    few = count()
    for number in range(20):
        User.objects.create_user(f"u{number}@example.net")
    assert count() == few
