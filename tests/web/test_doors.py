"""Who gets in: everything asks for a sign-in but what must stand open, and roles are kept."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import URLPattern

from billclock import clock
from billclock.accounts.models import Role, Session, User
from billclock.accounts.setup import setup_link
from billclock.scheduler.models import Entry
from billclock.urls import urlpatterns
from billclock.web.policy import POLICY
from tests.web.conftest import ran
from tests.web.server import PASSWORD

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

PAGES = [pattern for pattern in urlpatterns if isinstance(pattern, URLPattern)]
OPEN = {
    "billmgr",
    "payment_notice",
    "unsubscribe",
    "setup",
    "account_login",
    "account_inactive",
    "theme",
    "set_language",
    "healthz",
    "metrics",
    "account_reset_password",
    "account_forgotten_sent",
    "choose_password",
}


def address(pattern: URLPattern) -> str:
    return "/" + re.sub(r"<(?:int:|str:|slug:)?\w+>", "1", str(pattern.pattern))


@pytest.mark.parametrize("pattern", PAGES, ids=lambda pattern: pattern.name)
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_is_not_signed_in_gets_the_sign_in_page_and_nothing_else(
    pattern: URLPattern, method: str
) -> None:
    answer = getattr(Client(), method)(address(pattern))
    if pattern.name in OPEN:
        assert not answer.headers.get("Location", "").startswith("/sign-in")
    else:
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/sign-in") or pattern.name == "account_logout"


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/nothing", "/healthz", "/static/nothing.css", "/runs/999"]
)
def test_every_answer_carries_the_policy(path: str, signed_in: Callable[..., Client]) -> None:
    answer = signed_in().get(path)
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "no-" in answer.headers["Cache-Control"], "nothing of it is for others or for later"


@pytest.fixture
def anna() -> User:
    return User.objects.create_user("anna@example.net", PASSWORD, role=Role.ROOT)


def sign_in(client: Client, password: str, email: str = "anna@example.net"):
    return client.post("/sign-in", {"login": email, "password": password})


def test_the_right_password_opens_the_door_and_signing_out_shuts_it(anna: User) -> None:
    client = Client()
    answer = sign_in(client, PASSWORD)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/dashboard")
    assert client.get("/").status_code == 200
    assert client.get("/sign-out").status_code == 200, "looking at the question does not sign out"
    assert client.get("/").status_code == 200
    left = client.post("/sign-out")
    assert left.headers["Clear-Site-Data"] == '"cache"', "Back shows the pages to nobody"
    assert client.get("/").status_code == 302
    assert not any("_auth_user_id" in s.get_decoded() for s in Session.objects.all())


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(anna: User) -> None:
    cookie = sign_in(Client(), PASSWORD).cookies["billclock"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.parametrize("email", ["anna@example.net", "nobody@example.net"])
def test_a_wrong_password_gets_one_answer_whoever_it_is_and_is_not_repeated(
    anna: User, email: str
) -> None:
    answer = sign_in(Client(), "my other password", email)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "my other password" not in text
    assert 'role="alert"' in text
    assert "not correct" in text


def test_after_five_wrong_passwords_even_the_right_one_has_to_wait(anna: User) -> None:
    for _ in range(5):
        sign_in(Client(), "wrong")
    client = Client()
    answer = sign_in(client, PASSWORD)
    assert answer.status_code in (200, 429)
    assert client.get("/").status_code == 302


def test_a_user_who_was_shut_out_stays_outside(anna: User) -> None:
    client = Client()
    sign_in(client, PASSWORD)
    User.objects.update(is_active=False)
    assert client.get("/").status_code == 302
    sign_in(client, PASSWORD)
    assert client.get("/").status_code == 302


def test_the_set_up_link_makes_a_user_and_signs_him_in() -> None:
    client, path = Client(), "/setup/" + str(setup_link()).rpartition("/")[2]
    assert client.get(path).status_code == 200
    weak = client.post(path, {"email": "anna@example.net", "password": "password1"})
    assert weak.status_code == 200
    assert b"password1" not in weak.content
    assert not User.objects.exists()
    answer = client.post(path, {"email": "anna@example.net", "password": PASSWORD})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.get("/").status_code == 200
    assert client.get(path).status_code == 410, "it works once"


@pytest.mark.parametrize("password", ["short", "1234567890", "anna@example.net", "qwertyuiop"])
def test_the_set_up_refuses_a_weak_password(password: str) -> None:
    path = "/setup/" + str(setup_link()).rpartition("/")[2]
    answer = Client().post(path, {"email": "anna@example.net", "password": password})
    assert 'class="err"' in answer.content.decode()
    assert not User.objects.exists()


def test_a_form_without_its_token_is_refused(anna: User) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = sign_in(client, PASSWORD)
    assert answer.status_code == 403
    assert "too old" in answer.content.decode()


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_choosing_a_theme_leads_to_no_other_site(back: str) -> None:
    answer = Client().post("/theme", {"theme": "dark", "next": back})
    assert answer.headers["Location"] == "/"


def test_a_theme_is_kept_and_an_unknown_one_is_not() -> None:
    client = Client()
    client.post("/theme", {"theme": "dark", "next": "/sign-in"})
    client.post("/theme", {"theme": '"><script>', "next": "/sign-in"})
    assert 'data-theme="dark"' in client.get("/sign-in").content.decode()


@pytest.fixture
def entry(table: Callable[..., list[Entry]]) -> Entry:
    table("0 1 * * * /bin/true\n", "www-data")
    return table("0 1 * * * /bin/true\n")[0]


def test_a_viewer_sees_and_neither_runs_nor_stops(
    entry: Entry, signed_in: Callable[..., Client]
) -> None:
    run = ran(entry, clock.now())
    client = signed_in(Role.VIEWER)
    assert client.get(f"/runs/{run.pk}").status_code == 200
    assert client.post(f"/entries/{entry.pk}/run").status_code == 403
    assert client.post(f"/runs/{run.pk}/stop").status_code == 403
    assert "Run now:" not in client.get("/").content.decode()


def test_a_user_of_one_table_finds_nothing_of_another(
    entry: Entry, signed_in: Callable[..., Client]
) -> None:
    run = ran(entry, clock.now())
    client = signed_in(Role.OPERATOR, "www-data")
    assert client.get("/").context["table"] == "www-data"
    assert client.get("/?table=root").status_code == 404
    assert client.get(f"/runs/{run.pk}").status_code == 404
    assert client.get(f"/runs/{run.pk}/output").status_code == 404
    assert client.post(f"/runs/{run.pk}/stop").status_code == 404
    assert client.post(f"/entries/{entry.pk}/run").status_code == 403
    assert f"#{run.pk}" not in client.get("/runs").content.decode()


def test_only_a_post_runs_or_stops(entry: Entry, signed_in: Callable[..., Client]) -> None:
    client = signed_in()
    assert client.get(f"/entries/{entry.pk}/run").status_code == 405
    assert client.get("/runs/1/stop").status_code == 405


def test_running_without_a_daemon_says_how_to_start_it(
    entry: Entry, signed_in: Callable[..., Client]
) -> None:
    answer = signed_in().post(f"/entries/{entry.pk}/run", follow=True)
    assert "start it with ./run" in answer.content.decode()
