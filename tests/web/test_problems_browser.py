"""Problems and timeline in a real browser: mended by a click, asked why, walked by arrow keys."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import CHROMIUM
from tests.web.server import Server, serving

pytestmark = pytest.mark.chromium

CRONTAB = """## hourly sync
0 * * * * /bin/sync
## nightly copies
30 2 * * * /bin/copies
5 0 * 0 * /bin/bad
"""
HISTORY = """
from datetime import timedelta
from billclock import clock
from billclock.accounts.models import Role, User
from billclock.scheduler.models import Beat, Entry, Run, Slot
from billclock.scheduler.tables import Tables
from django.test import Client
now = clock.now().replace(minute=0, second=0, microsecond=0)
with clock.at(now - timedelta(days=3)):
    Tables().table("root").load()
sync, copies = Entry.objects.order_by("line")
for hour in range(5, 0, -1):
    at = now - timedelta(hours=hour)
    Run.objects.create(entry=sync, planned=at, started=at, finished=at + timedelta(minutes=hour),
        outcome="failed" if hour == 1 else "succeeded", exit_code=int(hour == 1))
missed = now.replace(hour=2, minute=30) - timedelta(days=1)
Slot.objects.create(entry=copies, planned=missed, claimed_at=missed, outcome="missed",
    reason="the scheduler was not running")
Beat.objects.create(host="x", pid=1, at=clock.now(), served=clock.now(), boot="b", offset=0)
client = Client()
client.force_login(User.objects.create_user("anna@example.net", role=Role.ROOT))
print(client.cookies["billclock"].value)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("home")) as running:
        (running.home / "spool").mkdir()
        (running.home / "spool" / "root").write_text(CRONTAB, encoding="utf-8")
        yield running


@pytest.fixture(scope="module")
def cookie(server: Server) -> str:
    return server.python(HISTORY)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(server: Server, browser: Browser, cookie: str) -> Iterator[Callable[..., Page]]:
    """Open a page signed in; what the console says or is fetched from outside is a failure."""
    complaints: list[str] = []
    contexts = []

    def open_page(path: str, **how: Any) -> Page:
        context = browser.new_context(**how)
        contexts.append(context)
        context.add_cookies([{"name": "billclock", "value": cookie, "url": server.address}])
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda asked: (
                asked.url.startswith((server.address, "data:")) or complaints.append(asked.url)
            ),
        )
        page.goto(server.address + path, wait_until="load")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "without script"])
def test_why_is_asked_and_answered(opened: Callable[..., Page], script: bool) -> None:
    page = opened("/problems", java_script_enabled=script)
    page.get_by_label("Job", exact=True).select_option("nightly copies")
    page.get_by_role("link", name="Why?").click()
    answer = page.get_by_role("article", name="nightly copies")
    assert "and missed: the scheduler was not running." in answer.inner_text()
    assert answer.get_by_role("button", name="Run it now").is_visible()
    page.get_by_label("Moment", exact=False).fill("2026-11-20T03:10")
    page.get_by_role("button", name="Ask").click()
    said = page.get_by_role("article").inner_text()
    assert "Nothing is known of this table on" in said or "did not ask for" in said


@pytest.mark.parametrize("script", [True, False], ids=["script", "without script"])
def test_a_problem_is_put_aside_and_shown_again(opened: Callable[..., Page], script: bool) -> None:
    page = opened("/problems", java_script_enabled=script)
    failing = page.locator(".feed > li", has_text="hourly sync")
    failing.get_by_text("Put aside").click()
    failing.get_by_role("button", name="for a week").click()
    assert page.get_by_text("1 problem was put aside.").is_visible()
    assert page.locator(".feed > li", has_text="hourly sync").count() == 0
    page.get_by_role("button", name="Show again").click()
    assert page.locator(".feed > li", has_text="hourly sync").count() == 1


def test_a_line_is_mended_on_a_phone(opened: Callable[..., Page], server: Server) -> None:
    page = opened("/problems", viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page.get_by_role("button", name="Fix the line").click()
    assert page.get_by_text("Put right in root: line 5").first.is_visible()
    table = (server.home / "spool" / "root").read_text(encoding="utf-8")
    assert table == CRONTAB.replace("5 0 * 0 *", "5 0 * 1 *")


def test_arrow_keys_go_from_run_to_run(opened: Callable[..., Page]) -> None:
    page = opened("/timeline")
    runs = page.locator("[data-lanes] a")
    runs.first.focus()

    def label() -> str:
        return str(page.evaluate("document.activeElement.getAttribute('aria-label')"))

    first = label()
    page.keyboard.press("ArrowRight")
    assert label() not in (first, "None")
    page.keyboard.press("ArrowLeft")
    assert label() == first
    for _ in range(9):
        page.keyboard.press("ArrowRight")
    assert "failed" in label()
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")


def test_a_click_on_an_empty_place_proposes_a_quiet_minute(opened: Callable[..., Page]) -> None:
    page = opened("/timeline?zoom=day")
    box = page.locator("[data-lanes]").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] - 30)
    page.wait_for_url("**quiet=**")
    assert page.get_by_role("status").get_by_text("is quiet: near").is_visible()


def test_on_a_phone_the_timeline_is_a_list(opened: Callable[..., Page]) -> None:
    page = opened("/timeline", viewport={"width": 390, "height": 844})
    assert not page.locator("[data-lanes]").is_visible()
    assert page.get_by_role("heading", name="To come").is_visible()
    page.get_by_role("link", name="Week", exact=True).click()
    assert page.locator(".agenda").get_by_text("nightly copies").first.is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    ["/problems", "/problems?entry=1&at=2026-11-20T03:10", "/timeline", "/timeline?zoom=month"],
)
def test_a_page_fits_every_width(opened: Callable[..., Page], path: str, theme: Any) -> None:
    page = opened(path, color_scheme=theme)
    for width in (360, 390, 640, 641, 820, 1023, 1360, 2200):
        page.set_viewport_size({"width": width, "height": 900})
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{wider} pixels too wide for {width}"


@pytest.mark.parametrize("path", ["/problems", "/timeline", "/timeline?zoom=month"])
def test_on_a_phone_everything_one_presses_is_large_enough(
    opened: Callable[..., Page], path: str
) -> None:
    page = opened(path, viewport={"width": 390, "height": 844})
    small = page.evaluate(
        """[...document.querySelectorAll("main button, main summary, main select, main input, "
            + ".seg a, a.b")]
            .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)
            .map(e => e.outerHTML)"""
    )
    assert small == []


def test_the_server_said_nothing_of_trouble(server: Server) -> None:
    log = (server.home / "web.log").read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert "Warning" not in log
