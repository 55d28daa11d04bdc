"""What a plain entry can't say, in a real browser: from the form to its directive line and back.

Chains and webhooks are set in the form and seen to work, by the scheduler itself.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from billclock.web.job_form import FOLDED
from tests.web.server import Server
from tests.web.stage.play import scheduling

pytestmark = pytest.mark.chromium

CRONTAB = """## Back up
0 0 1 1 * /bin/echo copied
## Send away
0 0 1 2 * /bin/echo sent
## Alarm
0 0 1 3 * /bin/echo alarm
"""
VALUES = {
    "overlap": "queue",
    "catch-up": "once",
    "mail": "failure",
    "zone": "Asia/Tokyo",
    "timeout": "2h",
    "grace": "30s",
    "retries": "2",
    "backoff": "5m",
    "expected": "3h",
    "user": "nobody",
    "workdir": "/tmp",
    "env": "LANG=C.UTF-8 MODE='two words'",
    "success": "0,3",
    "nice": "10",
    "ionice": "best-effort:7",
    "memory": "512M",
    "keep": "30d,50M",
    "name": "copies",
    "on-success": "Send away",
    "on-failure": "Alarm",
    "webhook": "https://example.org/hook?of=copies",
    "webhook-when": "failure",
}
KEYS = """
from billclock.scheduler.tables import Tables
print(Tables().table("root").load().keys[0])
"""


@pytest.fixture
def disk(server: Server) -> Path:
    spool = server.home / "spool" / "root"
    spool.write_text(CRONTAB, encoding="utf-8")
    return spool


@contextmanager
def listening() -> Iterator[tuple[str, "Queue[dict[str, Any]]"]]:
    """Have an HTTP server on loopback; give its address, and what is posted there as it comes."""
    heard: Queue[dict[str, Any]] = Queue()

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Ear) as ear:
        threading.Thread(target=ear.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{ear.server_port}/hook", heard
        ear.shutdown()


def unfolded(page: Page) -> Page:
    page.locator("details.advanced summary", has_text="Advanced").click()
    return page


def put(page: Page, values: dict[str, str]) -> None:
    for name, value in values.items():
        field = page.locator(f"[id='{name}']")
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def directives(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("# billclock:"))


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
def test_every_advanced_field_goes_into_the_directive_line_and_comes_back(
    server: Server, disk: Path, opened: Callable[..., Page], script: bool
) -> None:
    assert VALUES.keys() == set(FOLDED), "a field without a value here is not tested"
    key = server.python(KEYS)
    page = unfolded(opened(f"/entries/{key}", java_script_enabled=script))
    put(page, VALUES)
    page.get_by_role("button", name="Save", exact=True).click()
    asked = page.get_by_role("alert", name="This changes more than the job’s own line")
    assert "timeout=2h" in asked.inner_text()
    assert disk.read_text() == CRONTAB
    asked.get_by_role("button", name="Save this").click()
    page.get_by_text("Saved: Back up").wait_for()
    written = directives(disk.read_text())
    for name, value in VALUES.items():
        assert f'{name}="{value}"' in written or f"{name}={value}" in written.split()
    assert disk.read_text().replace(written + "\n", "") == CRONTAB
    page = opened(f"/entries/{key}", java_script_enabled=script)
    summary = page.locator("details.advanced summary", has_text="Advanced")
    assert summary.inner_text().split() == ["Advanced", str(len(VALUES)), "set"]
    summary.click()
    shown = {name: page.locator(f"[id='{name}']").input_value() for name in VALUES}
    assert shown == VALUES
    # emptied again, the line goes with the last of them
    put(page, dict.fromkeys(VALUES, ""))
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save this").click()
    page.get_by_text("Saved: Back up").wait_for()
    assert disk.read_text() == CRONTAB


def test_a_wrong_webhook_is_refused_at_its_field(
    server: Server, disk: Path, opened: Callable[..., Page]
) -> None:
    page = opened(f"/entries/{server.python(KEYS)}", java_script_enabled=False)
    unfolded(page)
    put(page, {"webhook": "ftp://example.org/hook"})
    page.get_by_role("button", name="Save", exact=True).click()
    assert page.locator("#webhook").is_visible(), "what is wrong is not folded away"
    assert page.locator("#webhook").get_attribute("aria-invalid") == "true"
    assert "http" in page.locator("#webhook-error").inner_text()
    assert disk.read_text() == CRONTAB


def test_a_chain_that_leads_nowhere_is_a_problem_until_its_job_is_changed(
    disk: Path, opened: Callable[..., Page], server: Server
) -> None:
    disk.write_text(CRONTAB.replace("## Back up\n", "## Back up\n# billclock: on-success=Gone\n"))
    server.python(KEYS)
    page = opened("/problems", java_script_enabled=False)
    problem = page.locator(".feed > li", has_text="does not start the job it names")
    assert "Back up" in problem.inner_text()
    assert "no active entry of this table is called" in problem.inner_text()
    assert "Gone" in problem.inner_text()
    problem.get_by_role("link", name="Change the job").click()
    assert "no active entry" in page.locator(".findings").inner_text()
    unfolded(page)
    assert page.locator("#on-success").input_value() == "Gone"
    put(page, {"on-success": "Send away"})
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save this").click()
    assert 'on-success="Send away"' in directives(disk.read_text())
    page.goto(f"{server.address}/problems")
    assert page.get_by_text("does not start the job it names").count() == 0


def test_a_chain_and_a_webhook_set_in_the_form_are_seen_to_work(
    server: Server, disk: Path, opened: Callable[..., Page], complaints: list[str]
) -> None:
    disk.write_text(CRONTAB.replace("0 0 1 1 *", "* * * * *"))
    key = server.python(KEYS)
    with listening() as (address, heard), scheduling(server):
        page = unfolded(opened(f"/entries/{key}"))
        put(page, {"on-success": "Send away", "webhook": address, "webhook-when": "always"})
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("button", name="Save this").click()
        page.get_by_text("Saved: Back up").wait_for()
        told = heard.get(timeout=150)
        assert (told["job"]["id"], told["trigger"]) == (int(key), "schedule")
        assert told["outcome"] == "succeeded"
        page.goto(f"{server.address}/runs?trigger=chain")
        expect(page.locator("main")).to_contain_text("Send away")
        page.goto(f"{server.address}/runs/{told['run']}")
        chain = page.get_by_role("region", name="Chain")
        chain.get_by_role("link", name="Send away").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Send away")
        chain.get_by_role("link", name="Back up").wait_for()
        assert complaints == []
