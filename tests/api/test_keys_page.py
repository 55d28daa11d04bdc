"""The page of keys, and the page of what programs can call."""

from collections.abc import Callable

import pytest
from django.test import Client

from billclock.accounts.models import AuditRow, Role, User
from billclock.api import keys
from billclock.api.models import ApiKey
from billclock.api.registry import all_functions

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])


@pytest.fixture
def olga(user: Callable[..., User], home) -> User:
    return user(Role.OPERATOR)


@pytest.fixture
def client(olga: User) -> Client:
    client = Client()
    client.force_login(olga)
    return client


def make(client: Client, **given: str):
    return client.post("/account/keys", {"name": "cron", "role": "viewer", "days": "90", **given})


def test_a_key_is_shown_once_and_opens(client: Client) -> None:
    answer = make(client)
    token = answer.context["token"]
    assert token in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert token not in client.get("/account/keys").content.decode()
    assert token[: keys.SHOWN] in client.get("/account/keys").content.decode()
    assert Client().get(f"/billmgr?func=tables&auth={token}").status_code == 200


def test_how_long_a_key_may_last_is_said_in_the_readers_language(client: Client) -> None:
    client.get("/account/keys")
    page = client.get("/account/keys", headers={"Accept-Language": "ru"}).content.decode()
    assert ">90 дней</option>" in page


@pytest.mark.parametrize(
    "given", [{"role": "root"}, {"role": "king"}, {"days": "7"}, {"name": ""}, {"name": "x" * 101}]
)
def test_a_wrong_wish_is_told_and_no_key_is_made(client: Client, given: dict[str, str]) -> None:
    assert 'class="err"' in make(client, **given).content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_is_revoked_by_its_user_and_by_nobody_else(
    client: Client, user: Callable[..., User]
) -> None:
    token = make(client).context["token"]
    key = ApiKey.objects.get()
    other = Client()
    other.force_login(user(Role.ROOT, email="anna@example.net"))
    assert other.post(f"/account/keys/{key.pk}/revoke").status_code == 404
    assert client.get(f"/account/keys/{key.pk}/revoke").status_code == 405
    assert client.post(f"/account/keys/{key.pk}/revoke").status_code == 302
    assert Client().get(f"/billmgr?func=tables&auth={token}").status_code == 401
    noted = AuditRow.objects.filter(act__startswith="key.").order_by("id")
    assert [row.act for row in noted] == ["key.make", "key.revoke"]


def test_sessions_of_programs_are_listed_and_can_be_ended(client: Client, olga: User) -> None:
    keys.begin_session(olga)
    keys.keep_once(olga, "k" * 20)
    assert "Session of a program" in client.get("/account/keys").content.decode()
    [line] = client.get("/account/keys").context["lines"]
    client.post(f"/account/keys/{line.key.pk}/revoke")
    assert client.get("/account/keys").context["lines"] == []


def test_a_hostile_name_stays_text(client: Client) -> None:
    page = make(client, name="<script>alert(1)</script>").content.decode()
    assert "<script>alert" not in page


def test_the_page_asks_the_database_no_more_for_many_keys(
    client: Client, olga: User, django_assert_max_num_queries
) -> None:
    for number in range(30):
        keys.make(olga, f"key {number}", Role.VIEWER, None)
    with django_assert_max_num_queries(12):
        client.get("/account/keys")


def test_the_reference_names_every_function_and_links_the_document(client: Client) -> None:
    page = client.get("/api/reference").content.decode()
    assert all(function.name in page for function in all_functions())
    assert "/api/v1/openapi.json" in page
    assert "/api/v1/entries/{key}" in page
