"""Runs by a real server: output as it is printed, resumed anywhere; exports; a browser."""

import csv
import json
import os
import urllib.request
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.conftest import CHROMIUM
from tests.web.server import Server, serving

CRONTAB = "API_TOKEN=very-secret\n## Slow import\n* * * * * /bin/slow --all\n"
MADE = """
from datetime import timedelta
from billclock import clock
from billclock.accounts.models import Role, User
from billclock.scheduler import output
from billclock.scheduler.models import Beat, Entry, Run
from billclock.scheduler.tables import Tables
from django.test import Client
Tables().table("root").load()
now = clock.now()
Beat.objects.create(host="x", pid=1, at=now, served=now, boot="b", offset=0)
entry = Entry.objects.get()
Run.objects.bulk_create(
    Run(entry=entry, planned=now, started=now, finished=now + timedelta(seconds=9),
        outcome="failed" if n % 700 == 0 else "succeeded", reason="=1+1" if n % 700 == 0 else "")
    for n in range(2100)
)
run = Run.objects.create(entry=entry, planned=now, started=now, pid=1)
output.write_all(run.pk, b"\\033[31mone\\033[0m\\ntwo\\n")
user = User.objects.create_user("anna@example.net", role=Role.ROOT)
client = Client()
client.force_login(user)
print(run.pk, client.cookies["billclock"].value)
"""
ANOTHER = """
from billclock import clock
from billclock.scheduler.models import Entry, Run
now = clock.now()
print(Run.objects.create(entry=Entry.objects.get(), planned=now, started=now).pk)
"""
OVER = """
from billclock.scheduler.models import Run
Run.objects.filter(pk={run}).update(outcome="succeeded")
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("home")) as running:
        (running.home / "spool").mkdir()
        (running.home / "spool" / "root").write_text(CRONTAB, encoding="utf-8")
        yield running


@pytest.fixture(scope="module")
def going(server: Server) -> tuple[int, str]:
    """A run that goes on, and the cookie of a user who may see it."""
    run, cookie = server.python(MADE).split()
    return int(run), cookie


def opened(server: Server, cookie: str, path: str, **headers: str) -> Any:
    headers |= {"Cookie": f"billclock={cookie}"}
    request = urllib.request.Request(server.address + path, headers=headers)
    return urllib.request.urlopen(request, timeout=20)


def event(stream: Any) -> dict[str, str]:
    """Read one event, comments and pauses passed over."""
    found: dict[str, str] = {}
    for line in stream:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name:
            found[name] = value
        elif "event" in found:
            return found
        else:
            found = {}
    raise AssertionError("the stream ended")


def lines(told: dict[str, str]) -> list[tuple[int, str]]:
    return [
        (line["n"], "".join(text for _, text in line["p"])) for line in json.loads(told["data"])
    ]


def place_of(server: Server, run: int) -> Path:
    return server.home / "runs" / str(run // 1000) / f"{run}.log"


def append(server: Server, run: int, data: bytes) -> None:
    with place_of(server, run).open("ab") as file:
        file.write(data)


def test_output_is_sent_as_it_is_printed_and_goes_on_where_it_was_left(
    server: Server, going: tuple[int, str]
) -> None:
    run, cookie = going
    with opened(server, cookie, f"/runs/{run}/stream") as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        first = event(stream)
        assert lines(first) == [(1, "one"), (2, "two")]
        assert json.loads(first["data"])[0]["p"] == [["a1", "one"]]
        append(server, run, b"thr")
        half = event(stream)
        assert lines(half) == [(3, "thr")]
        append(server, run, b"ee\nfour\n")
        assert lines(event(stream)) == [(3, "three"), (4, "four")]
    left = {"Last-Event-ID": half["id"]}
    with opened(server, cookie, f"/runs/{run}/stream", **left) as again:
        assert lines(event(again)) == [(3, "three"), (4, "four")]
        append(server, run, b"five\n")
        server.python(OVER.format(run=run))
        assert lines(event(again)) == [(5, "five")]
        assert event(again)["event"] == "end"
        assert again.read() == b""


def test_a_stream_needs_a_sign_in(server: Server, going: tuple[int, str]) -> None:
    with opened(server, "nobody", f"/runs/{going[0]}/stream") as answer:
        assert "/sign-in" in answer.url


def test_exports_hold_all_that_the_filters_keep(server: Server, going: tuple[int, str]) -> None:
    cookie = going[1]
    with opened(server, cookie, "/runs/csv?outcome=failed") as answer:
        assert "runs.csv" in answer.headers["Content-Disposition"]
        rows = list(csv.DictReader(StringIO(answer.read().decode())))
    assert [(row["command"], row["reason"]) for row in rows] == [("/bin/slow --all", "'=1+1")] * 3
    with opened(server, cookie, "/runs/json") as answer:
        keys = [json.loads(line)["id"] for line in answer]
    assert len(keys) == 2101
    assert keys == sorted(keys, reverse=True)


@pytest.fixture
def page(server: Server, going: tuple[int, str]) -> Iterator[Page]:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        context = chromium.new_context(viewport={"width": 390, "height": 844})
        cookie = {"name": "billclock", "value": going[1], "url": server.address}
        context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        assert complaints == []
        chromium.close()


@pytest.mark.chromium
def test_the_page_grows_with_the_output_on_a_phone_too(
    server: Server, going: tuple[int, str], page: Page
) -> None:
    run = int(server.python(ANOTHER))
    place_of(server, run).write_bytes(b"")
    page.goto(f"{server.address}/runs/{run}")
    page.get_by_text("Connected").wait_for()
    append(server, run, b"<b>first</b>\n10%\r")
    page.get_by_text("<b>first</b>").wait_for()
    append(server, run, b"100%\n" + b"".join(b"line %d\n" % n for n in range(200)))
    page.get_by_text("line 199", exact=True).wait_for()
    rows = page.locator("[data-rows] li")
    assert rows.count() == 202
    assert rows.nth(1).inner_text() == "100%"
    assert page.locator(".pane").evaluate("p => p.scrollHeight - p.scrollTop - p.clientHeight") < 5
    page.get_by_label("Search the output").fill("line 19")
    assert page.locator("li.hit").count() == 11
    page.keyboard.press("Enter")
    page.get_by_text("2 / 11").wait_for()
    assert "line 190" in page.locator("li.hit.at").inner_text()
    page.locator(".pane").evaluate("p => { p.scrollTop = 0 }")
    append(server, run, b"three\nmore\n")
    page.get_by_role("button", name="Follow").get_by_text("+2").wait_for()
    assert page.locator(".pane").evaluate("p => p.scrollTop") == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    server.python(OVER.format(run=run))
    page.get_by_text("The run is over").wait_for()
    page.get_by_role("button", name="Run again").wait_for()
    assert page.get_by_role("button", name="Copy link").is_visible(), "the head came anew"
    assert not page.get_by_role("button", name="Follow").is_visible()


@pytest.mark.chromium
def test_a_dead_line_is_told_and_the_output_goes_on_without_gap_or_double(
    server: Server, going: tuple[int, str], page: Page
) -> None:
    run = int(server.python(ANOTHER))
    place_of(server, run).write_bytes(b"first\n")
    watching = page.context.new_page()  # an own one: what a browser says of a dead line is expected
    watching.goto(f"{server.address}/runs/{run}")
    watching.get_by_text("Connected").wait_for()
    page.context.set_offline(True)
    watching.get_by_text("Connection lost, tries:").wait_for()
    assert "lost" in (watching.locator("[data-log]").get_attribute("class") or "")
    append(server, run, b"second\n")
    page.context.set_offline(False)
    watching.get_by_text("Connected").wait_for()
    watching.get_by_text("second").wait_for()
    assert watching.locator("[data-rows] li").all_inner_texts() == ["first", "second"]


@pytest.mark.chromium
def test_the_parts_of_a_run_are_links_and_hide_secrets(
    server: Server, going: tuple[int, str], page: Page
) -> None:
    page.goto(f"{server.address}/runs/{going[0]}")
    page.get_by_role("link", name="Environment").click()
    page.get_by_text("API_TOKEN").wait_for()
    assert "very-secret" not in page.content()
    page.get_by_role("link", name="Command", exact=True).click()
    page.get_by_text("Command as executed").wait_for()
    page.get_by_role("link", name="Events").click()
    page.get_by_text("Started", exact=True).last.wait_for()
    page.get_by_role("link", name="Changes").click()
    page.get_by_text("Nothing of the job changed").wait_for()
