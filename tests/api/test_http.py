"""/billmgr over HTTP: who calls, how errors are told, what can't be done by a stranger's link."""

import json
from collections.abc import Callable
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client

from billclock import clock
from billclock.accounts.models import AuditRow, Role, User
from billclock.api import keys
from billclock.api.models import ApiKey
from billclock.scheduler.models import Entry
from tests.api.conftest import PASSWORD, World

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
ANNA = "root@example.net"


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


def ask(client: Client, func: str, method: str = "get", **params: str):
    return getattr(client, method)("/billmgr", {"func": func, "out": "json", **params})


def error(answer) -> dict[str, str]:
    return answer.json()["doc"]["error"]


@pytest.fixture
def anna(user: Callable[..., User]) -> User:
    return user(Role.ROOT)


def test_a_list_comes_in_each_form(world: World, keyed: Callable[..., Client]) -> None:
    client = keyed()
    text = client.get("/billmgr", {"func": "scheduler"})
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert text.content.startswith(b"key=%d command=/opt/copy" % world.entry.pk)
    assert ask(client, "scheduler").json()["doc"]["elem"][0]["command"] == "/opt/copy"
    for out in ("xml", "devel"):
        answer = client.get("/billmgr", {"func": "scheduler", "out": out})
        assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
        assert ET.fromstring(answer.content).findtext("elem/command") == "/opt/copy"


def test_a_key_opens_by_header_and_by_parameter(world: World, anna: User) -> None:
    _, token = keys.make(anna, "a test", Role.ROOT, None)
    assert Client().get("/billmgr?func=tables", headers={"authorization": f"bearer {token}"})
    assert ask(Client(), "tables", auth=token).status_code == 200
    assert ask(Client(), "scheduler.suspend", auth=token, elid=str(world.entry.pk)).json()["doc"][
        "ok"
    ]
    assert ApiKey.objects.get().used_at is not None


def test_a_key_does_no_more_than_it_was_made_for_nor_than_its_user_may(
    world: World, anna: User
) -> None:
    _, token = keys.make(anna, "a monitor", Role.VIEWER, None)
    elid = str(world.entry.pk)
    assert error(ask(Client(), "scheduler.delete", auth=token, elid=elid))["type"] == "access"
    _, whole = keys.make(anna, "a tool", Role.ROOT, None)
    User.objects.update(role=Role.VIEWER)
    assert ask(Client(), "scheduler.delete", auth=whole, elid=elid).status_code == 403


@pytest.mark.parametrize("end", ["revoked", "over", "user shut out", "user gone"])
def test_a_key_that_is_ended_opens_nothing(home, anna: User, end: str) -> None:
    key, token = keys.make(anna, "a test", Role.ROOT, timedelta(days=1))
    assert ask(Client(), "tables", auth=token).status_code == 200
    now = clock.now()
    if end == "revoked":
        keys.revoke(anna, key.pk)
    elif end == "user shut out":
        User.objects.update(is_active=False)
    elif end == "user gone":
        User.objects.all().delete()
    with clock.at(now + timedelta(days=1 if end == "over" else 0)):
        assert ask(Client(), "tables", auth=token).status_code == 401


def test_the_database_does_not_know_a_key(home, anna: User) -> None:
    _, token = keys.make(anna, "a test", Role.ROOT, None)
    assert token[keys.SHOWN :] not in str(ApiKey.objects.values_list())


def test_a_password_opens_one_call_or_a_session(world: World, anna: User) -> None:
    assert ask(Client(), "tables", authinfo=f"{ANNA}:{PASSWORD}").status_code == 200
    answer = ask(Client(), "auth", "post", username=ANNA, password=PASSWORD)
    session = answer.json()["doc"]["auth"]
    assert "Set-Cookie" not in answer.headers
    assert ask(Client(), "tables", auth=session).status_code == 200
    assert ask(Client(), "tables").status_code == 401


def test_a_session_ends_after_an_idle_hour_and_with_the_password(home, anna: User) -> None:
    now = clock.now()
    with clock.at(now):
        session = keys.begin_session(anna)
    with clock.at(now + timedelta(minutes=50)):
        assert ask(Client(), "tables", auth=session).status_code == 200
    with clock.at(now + timedelta(minutes=100)):
        assert ask(Client(), "tables", auth=session).status_code == 200
        anna.set_password("another clock of paper")
        anna.save()
        assert ask(Client(), "tables", auth=session).status_code == 401
        anna.set_password(PASSWORD)
        session = keys.begin_session(anna)
        anna.save()
    with clock.at(now + timedelta(minutes=161)):
        assert ask(Client(), "tables", auth=session).status_code == 401


def test_a_wrong_password_gets_one_answer_whoever_it_is(home, anna: User) -> None:
    answers = [
        ask(Client(), "tables", authinfo=f"{who}:wrong").content
        for who in (ANNA, "nobody@example.net")
    ]
    answers += [
        ask(Client(), "auth", username=who, key="k" * 20).content
        for who in (ANNA, "nobody@example.net")
    ]
    assert answers[0] == answers[1]
    assert answers[2] == answers[3]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_thousand_guesses_come_to_five(home, anna: User, method: str) -> None:
    guesses = [ask(Client(), "auth", method, username=ANNA, password=str(n)) for n in range(7)]
    assert [guess.status_code for guess in guesses] == [401] * 5 + [429] * 2
    right = ask(Client(), "tables", method, authinfo=f"{ANNA}:{PASSWORD}")
    assert error(right)["type"] == "limit"


def test_the_limit_is_that_of_the_sign_in_page(home, anna: User) -> None:
    for _ in range(5):
        Client().post("/sign-in", {"login": ANNA, "password": "wrong"})
    assert ask(Client(), "tables", authinfo=f"{ANNA}:{PASSWORD}").status_code == 429


def test_a_wrong_key_is_refused_though_the_browser_is_signed_in(home, anna: User) -> None:
    client = Client()
    client.force_login(anna)
    assert ask(client, "tables", auth="bck_wrong").status_code == 401


def test_a_browser_changes_by_a_form_with_its_token_and_not_by_a_link(
    world: World, anna: User
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna)
    elid = str(world.entry.pk)
    assert ask(client, "scheduler").status_code == 200
    linked = ask(client, "scheduler.suspend", elid=elid)
    assert (linked.status_code, linked.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert error(ask(client, "scheduler.suspend", "post", elid=elid))["type"] == "csrf"
    token = client.get("/account/keys").context["csrf_token"]
    done = ask(client, "scheduler.suspend", "post", elid=elid, csrfmiddlewaretoken=str(token))
    assert done.json()["doc"]["ok"]


@pytest.mark.parametrize("sok", ["ok", "yes", "1", "On"])
def test_a_link_does_not_save_a_form_however_it_says_so(world: World, anna: User, sok: str) -> None:
    client = Client()
    client.force_login(anna)
    assert ask(client, "scheduler.prop", sok=sok, mailto="").status_code == 405


def test_what_was_done_is_in_the_audit_trail_without_secrets(world: World, anna: User) -> None:
    _, token = keys.make(anna, "a test", Role.ROOT, None)
    ask(Client(), "scheduler.edit", "post", auth=token, elid=str(world.entry.pk), sok="ok",
        command="/opt/copy --all")  # fmt: skip
    ask(Client(), "session.newkey", auth=token, username=ANNA, key="s3cret" * 4)
    edited, opened = AuditRow.objects.exclude(act="look").order_by("id")
    assert (edited.actor, edited.act, edited.table) == (ANNA, "scheduler.edit", "root")
    assert edited.before == "## Nightly copy\n15 1 * * * /opt/copy"
    assert edited.after == "## Nightly copy\n15 1 * * * /opt/copy --all"
    assert edited.address == "127.0.0.1"
    assert "s3cret" not in str(list(AuditRow.objects.values_list()))
    assert opened.subject == ANNA


def test_looking_and_failing_are_not_noted(world: World, keyed: Callable[..., Client]) -> None:
    client = keyed()
    ask(client, "scheduler")
    ask(client, "scheduler.edit", elid=str(world.entry.pk))
    ask(client, "scheduler.delete", elid="99999")
    assert not AuditRow.objects.exclude(act="look").exists()


def test_a_key_of_another_program_begins_one_session(home, anna: User) -> None:
    _, token = keys.make(anna, "a site", Role.ROOT, None)
    once = "0123456789abcdef"
    assert ask(Client(), "session.newkey", auth=token, username=ANNA, key=once).status_code == 200
    assert ask(Client(), "tables", auth=once).status_code == 401, "it is no key for calls"
    assert ask(Client(), "auth", username="sam@example.net", key=once).status_code == 401
    session = ask(Client(), "auth", username=ANNA, key=once).json()["doc"]["auth"]
    assert ask(Client(), "tables", auth=session).status_code == 200
    assert ask(Client(), "auth", username=ANNA, key=once).status_code == 401, "it works once"


@pytest.mark.parametrize(("key", "said"), [("short", "16 random"), ("k" * 16, "known already")])
def test_such_a_key_is_long_and_new(home, anna: User, key: str, said: str) -> None:
    _, token = keys.make(anna, "a site", Role.ROOT, None)
    keys.keep_once(anna, "k" * 16)
    fault = error(ask(Client(), "session.newkey", auth=token, username=ANNA, key=key))
    assert (fault["object"], fault["value"]) == ("key", "")
    assert said in fault["msg"]


@pytest.mark.parametrize(
    ("params", "status", "type_"),
    [
        ({}, 404, "query"),
        ({"func": "scheduler.prp"}, 404, "query"),
        ({"func": "scheduler", "tabel": "root"}, 400, "value"),
        ({"func": "scheduler", "table": "../../etc"}, 400, "value"),
        ({"func": "scheduler", "elid": "9" * 18}, 404, "missing"),
        ({"func": "scheduler", "elid": "9" * 30}, 400, "value"),
        ({"func": "scheduler", "elid": "9" * 5000}, 400, "value"),
        ({"func": "runs.output", "elid": "1", "offset": "-1"}, 400, "value"),
        ({"func": "runs", "since": "0001-01-01T00:00+14:00"}, 400, "value"),
        ({"func": "runs", "outcome": "great"}, 400, "value"),
        ({"func": "scheduler.next", "expression": "* 5 4-10 0-3 *"}, 400, "value"),
        ({"func": "scheduler.next", "expression": "@daily", "zone": "../x"}, 400, "value"),
        ({"func": "pauses.begin", "until": "2020-01-01"}, 400, "value"),
        ({"func": "pauses.begin"}, 503, "engine"),
        ({"func": "currencyrate.enter", "plid": "USD/EUR", "value": "1e999999"}, 400, "value"),
        ({"func": "currencyrate.enter", "plid": "USD/EUR", "value": "NaN"}, 400, "value"),
        ({"func": "versions.restore", "number": "77"}, 404, "missing"),
    ],
)
def test_an_error_is_a_document_with_a_status(
    world: World, keyed: Callable[..., Client], params: dict[str, str], status: int, type_: str
) -> None:
    answer = keyed().get("/billmgr", {"out": "json", **params})
    assert (answer.status_code, error(answer)["type"]) == (status, type_)


def test_a_form_that_is_none_is_told(keyed: Callable[..., Client]) -> None:
    answer = keyed().get("/billmgr", {"func": "tables", "out": "pdf"})
    assert answer.status_code == 400
    assert b"'pdf' is not one of text, xml, devel, json" in answer.content


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"a" * 3_000_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a%d=1" % n for n in range(2000)), "application/x-www-form-urlencoded", 400),
        (b"no boundary", "multipart/form-data; boundary=", 400),
        (b"\xff\x00\xfe=%00%ff", "application/x-www-form-urlencoded", 404),
        (b"{}", "application/json", 404),
    ],
)
def test_a_body_that_is_no_form_is_refused_in_words(
    home, keyed: Callable[..., Client], body: bytes, kind: str, status: int
) -> None:
    answer = keyed().post("/billmgr?out=json", body, content_type=kind)
    assert answer.status_code == status
    assert b"ERROR" in answer.content or error(answer)


def test_a_parameter_is_given_once(keyed: Callable[..., Client]) -> None:
    answer = keyed().post("/billmgr?func=scheduler.delete&elid=1", {"elid": "2"})
    assert (answer.status_code, b"elid is given twice" in answer.content) == (400, True)


def test_other_methods_are_not_taken(keyed: Callable[..., Client]) -> None:
    assert keyed().delete("/billmgr?func=tables").status_code == 405


def test_the_answer_asks_for_a_key_and_is_kept_by_nobody(home) -> None:
    answer = Client().get("/billmgr?func=tables")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Billclock"'
    assert "no-store" in answer.headers["Cache-Control"]
    assert json.loads(ask(Client(), "tables").content)["doc"]["error"]["type"] == "auth"


def test_who_has_a_second_factor_needs_a_key(home, anna: User) -> None:
    Authenticator.objects.create(user=anna, type=Authenticator.Type.TOTP, data={})
    for answer in (
        ask(Client(), "tables", authinfo=f"{ANNA}:{PASSWORD}"),
        ask(Client(), "auth", "post", username=ANNA, password=PASSWORD),
    ):
        assert answer.status_code == 401
        assert "make a key" in error(answer)["msg"]


def test_a_browser_that_was_idle_looks_and_changes_nothing(world: World, anna: User) -> None:
    client = Client()
    client.force_login(anna)
    with clock.at(clock.now() + timedelta(minutes=16)):
        assert ask(client, "scheduler").status_code == 200
        answer = ask(client, "scheduler.suspend", "post", elid=str(world.entry.pk))
        assert error(answer)["type"] == "idle"
        answer = client.post(f"/api/v1/entries/{world.entry.pk}/disable")
        assert answer.json()["error"]["type"] == "idle"
        assert client.post("/account/keys", {"name": "x"}).status_code == 302
    assert Entry.objects.get(pk=world.entry.pk).active


def test_the_trail_keeps_no_secret_of_an_address(home, anna: User) -> None:
    source = "https://shop:WORD@rates.example.org/daily?key=TOKEN"
    _, token = keys.make(anna, "a test", Role.ROOT, None)
    ask(Client(), "currencyrate.upload", auth=token, plid="USD/EUR", sok="ok", source=source)
    assert (
        "TOKEN" in ask(Client(), "currencyrate.upload", auth=token, plid="USD/EUR").content.decode()
    )
    (row,) = AuditRow.objects.filter(act="currencyrate.upload")
    assert "plid=USD/EUR" in row.subject
    assert "WORD" not in row.subject
    assert "TOKEN" not in row.subject


def test_an_entry_of_another_table_is_told_as_one_that_is_not_there(
    world: World, user: Callable[..., User]
) -> None:
    """Else numbers could be tried to learn which tables there are."""
    _, token = keys.make(user(Role.ROOT, "sam"), "a test", Role.ROOT, None)
    for func in ("scheduler", "scheduler.edit", "scheduler.prop", "scheduler.suspend", "run"):
        others = error(ask(Client(), func, auth=token, elid=str(world.entry.pk)))
        none = error(ask(Client(), func, auth=token, elid="987654"))
        assert others["type"] == none["type"] == "missing"
        assert "root" not in json.dumps(others)


def test_a_text_that_is_checked_tells_a_viewer_no_users_of_the_machine(
    home, user: Callable[..., User]
) -> None:
    text = "# billclock: user=%s\n* * * * * /bin/true\n"
    _, token = keys.make(user(Role.VIEWER), "a test", Role.VIEWER, None)
    there, not_there = (
        ask(Client(), "scheduler.check", auth=token, text=text % name).json()["doc"].get("elem")
        for name in ("daemon", "nobody-of-this-name")
    )
    assert there == not_there
