"""The JSON API: the functions with types, and a crontab taken through its life."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from billclock import clock
from billclock.accounts.models import AuditRow, Role, User
from billclock.scheduler import output
from billclock.scheduler.models import Outcome, Pause, Run
from tests.api.conftest import World

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])


class Api:
    """A client of the JSON API."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def __call__(self, method: str, path: str, body: object = None, status: int = 200, **query):
        answer = self.client.generic(
            method,
            f"/api/v1/{path}",
            b"" if body is None else json.dumps(body),
            "application/json",
            query_params=query,
        )
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None


@pytest.fixture
def api(keyed: Callable[..., Client]) -> Api:
    return Api(keyed())


def test_an_entry_lives_from_making_to_deleting(
    world: World, api: Api, settings: LazySettings
) -> None:
    place: Path = settings.SPOOL / "root"
    made = api(
        "POST",
        "entries",
        {"expression": "@daily", "command": "/opt/new", "description": "New"},
        201,
    )
    assert b"## New\n@daily /opt/new\n" in place.read_bytes()
    path = f"entries/{made['key']}"
    entry = api("GET", path)
    assert (entry["expression"], entry["interval"]) == ("@daily", "Every day at 00:00")
    assert (entry["active"], entry["hideout"]) == (True, False)
    assert entry["next"].endswith("+00:00") or "T00:00:00" in entry["next"]
    changed = api("PATCH", path, {"expression": "5 4 * * *", "hideout": True, "seen": made["seen"]})
    assert changed["key"] == made["key"]
    assert b"5 4 * * * /opt/new >/dev/null 2>&1\n" in place.read_bytes()
    stale = api("PATCH", path, {"command": "/opt/x", "seen": made["seen"]}, 409)
    assert stale["error"]["type"] == "conflict"
    api("POST", f"{path}/disable", status=204)
    assert api("GET", path)["active"] is False
    api("POST", f"{path}/enable", status=204)
    api("DELETE", path, status=204)
    assert api("GET", path, status=404)["error"]["object"] == "elid"
    assert [row.act for row in AuditRow.objects.exclude(act="look").order_by("id")] == [
        "scheduler.edit",
        "scheduler.edit",
        "scheduler.suspend",
        "scheduler.resume",
        "scheduler.delete",
    ]


def test_a_change_is_undone_and_restored(world: World, api: Api, settings: LazySettings) -> None:
    place: Path = settings.SPOOL / "root"
    before = place.read_bytes()
    api("PATCH", "settings", {"mailto": "ops@example.org"})
    versions = api("GET", "versions")
    shown = api("GET", f"versions/{versions[0]['number']}")
    assert "+MAILTO=ops@example.org" in shown["difference"]
    api("POST", f"versions/{versions[0]['number']}/undo")
    assert place.read_bytes() == before
    api("POST", f"versions/{versions[0]['number']}/restore")
    assert b"MAILTO=ops@example.org" in place.read_bytes()
    older = api("GET", "versions", before=versions[0]["number"], limit=1)
    assert [one["number"] for one in older] == [versions[1]["number"]]


def test_runs_are_found_by_what_they_were_and_read_page_by_page(world: World, api: Api) -> None:
    start = clock.now() - timedelta(hours=1)
    for number in range(5):
        outcome = Outcome.FAILED if number % 2 else Outcome.SUCCEEDED
        Run.objects.create(entry=world.other, started=start, outcome=outcome, exit_code=number % 2)
    assert len(api("GET", "runs")) == 6
    assert len(api("GET", "runs", table="sam")) == 5
    assert len(api("GET", "runs", outcome="failed", exit_code=1)) == 2
    assert len(api("GET", "runs", entry=world.entry.pk)) == 1
    assert len(api("GET", "runs", until=start.isoformat())) == 0
    page = api("GET", "runs", limit=4)
    rest = api("GET", "runs", limit=4, before=page[-1]["key"])
    assert [run["key"] for run in page + rest] == sorted(
        Run.objects.values_list("id", flat=True), reverse=True
    )


def test_output_is_read_piece_by_piece_without_cutting_a_sign(world: World, api: Api) -> None:
    data = ("x" + "€" * 100_000).encode() + b"\xff\xe2\x82"
    output.write_all(world.run.pk, data)
    text, offset, pieces = "", 0, 0
    while piece := api("GET", f"runs/{world.run.pk}/output", offset=offset):
        text, offset, pieces = text + piece["text"], piece["next"], pieces + 1
        if not piece["text"]:
            break
    assert pieces > 2
    assert offset == len(data)
    assert text == data.decode("utf-8", "replace")


def test_a_sign_that_is_still_being_printed_is_waited_for(world: World, api: Api) -> None:
    Run.objects.update(outcome="")
    output.write_all(world.run.pk, "é".encode()[:1])
    path = f"runs/{world.run.pk}/output"
    assert (api("GET", path)["text"], api("GET", path)["next"]) == ("", 0)
    output.write_all(world.run.pk, "é!".encode())
    assert api("GET", path)["text"] == "é!"


def test_an_expression_is_told_by_the_engine(home, api: Api) -> None:
    told = api(
        "GET", "next", expression="30 2 * * *", zone="Europe/Berlin", count=2,
        since="2027-03-27T12:00+01:00",
    )  # fmt: skip
    assert told["words"] == "Every day at 02:30"
    assert told["next"] == ["2027-03-28T03:00:00+02:00", "2027-03-29T02:30:00+02:00"]
    wrong = api("GET", "next", expression="* 5 4-10 0-3 *", status=400)["error"]
    assert wrong["object"] == "expression"
    assert "month: 0 is out of range 1-12 (column 10)" in wrong["message"]


def test_a_text_is_checked_and_kept_nowhere(home, api: Api, settings: LazySettings) -> None:
    found = api("POST", "check", {"text": "* 5 * * * /opt/x\n0 0 * * /opt/y\n"})
    assert {one["line"] for one in found} >= {1, 2}
    assert any(one["level"] == "error" and one["fix"] for one in found)
    assert list(settings.SPOOL.iterdir()) == []


def test_a_text_does_not_tell_which_files_there_are(home, api: Api) -> None:
    there, nowhere = (
        api("POST", "check", {"text": f"0 5 * * * {path}\n"}) for path in ("/bin/sh", "/bin/nix")
    )
    assert there == nowhere


def test_a_rate_is_entered_and_listed_exactly(home, api: Api) -> None:
    api("POST", "rates", {"pair": "USD/EUR", "value": "0.10", "on": "2026-11-01"}, 201)
    api("POST", "rates", {"pair": "153/50", "value": "0.9231", "on": "2026-11-02"}, 201)
    listed = api("GET", "rates", pair="USD/EUR", limit=1)
    assert [(rate["on"], rate["value"], rate["manual"]) for rate in listed] == [
        ("2026-11-02", "0.9231", True)
    ]
    assert [one["code"] for one in api("GET", "currencies")] == ["EUR", "USD"]
    assert AuditRow.objects.last().subject == "USD/EUR on 2026-11-02"


def test_pauses_of_others_entries_are_not_listed(
    world: World, keyed: Callable[..., Client]
) -> None:
    for scope in ("", "tag:night", f"entry:{world.entry.pk}", f"entry:{world.other.pk}"):
        Pause.objects.create(scope=scope, since=clock.now(), actor="ann")
    own = Api(keyed(Role.OPERATOR, "sam"))("GET", "pauses")
    assert [(one["tag"], one["entry"]) for one in own] == [
        ("", world.other.pk), ("night", None), ("", None),
    ]  # fmt: skip


def test_bytes_that_are_no_text_are_shown_and_left_as_they_are(
    world: World, api: Api, settings: LazySettings
) -> None:
    place: Path = settings.SPOOL / "root"
    place.write_bytes(b"0 1 * * * /opt/caf\xe9\n")
    [entry] = api("GET", "entries")["entries"]
    assert entry["command"] == "/opt/caf\ufffd"
    api("PATCH", f"entries/{entry['key']}", {"description": "Coffee"})
    assert place.read_bytes() == b"## Coffee\n0 1 * * * /opt/caf\xe9\n"


@pytest.mark.parametrize(
    ("body", "about"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "expression"),
        (b'{"command": "/bin/true"}', "expression"),
        (b'{"command": 5, "expression": "@daily"}', "command"),
        (b'{"command": "a\\nb", "expression": "@daily"}', "command"),
        (b'{"command": "\\ud800", "expression": "@daily"}', "command"),
        (b'{"command": "a", "expression": "@daily", "table": "../x"}', "table"),
    ],
)
def test_a_bad_body_is_told_by_the_place(
    world: World, keyed: Callable[..., Client], body: bytes, about: str, settings: LazySettings
) -> None:
    before = (settings.SPOOL / "root").read_bytes()
    answer = keyed().post("/api/v1/entries", body, content_type="application/json")
    assert answer.status_code == 400
    assert about in answer.json()["error"]["object"]
    assert (settings.SPOOL / "root").read_bytes() == before


def test_a_browser_needs_its_token_and_a_key_does_not(
    world: World, user: Callable[..., User], api: Api
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user(email="anna@example.net"))
    path = f"/api/v1/entries/{world.entry.pk}/disable"
    assert browser.get("/api/v1/entries").status_code == 200
    assert browser.post(path).json()["error"]["type"] == "csrf"
    token = str(browser.get("/account/keys").context["csrf_token"])
    assert browser.post(path, headers={"x-csrftoken": token}).status_code == 204


def test_the_document_is_for_callers_and_names_both_ways_in(
    home, keyed: Callable[..., Client]
) -> None:
    assert Client().get("/api/v1/openapi.json").status_code == 401
    document = keyed().get("/api/v1/openapi.json").json()
    assert {scheme["type"] for scheme in document["components"]["securitySchemes"].values()} == {
        "http",
        "apiKey",
    }
