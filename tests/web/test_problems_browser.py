"""Problems and timeline in a real browser: mended by a click, asked why, walked by arrow keys."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

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
from billclock.scheduler.models import Beat, Entry, Run, Slot
from billclock.scheduler.tables import Tables
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
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("home")) as running:
        (running.home / "spool").mkdir()
        (running.home / "spool" / "root").write_text(CRONTAB, encoding="utf-8")
        running.python(HISTORY)
        yield running


@pytest.fixture(autouse=True)
def nothing_is_complained_of(complaints: list[str]) -> Iterator[None]:
    yield
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
    page.get_by_text("1 problem was put aside.").wait_for()
    assert page.locator(".feed > li", has_text="hourly sync").count() == 0
    page.get_by_role("button", name="Show again").click()
    page.locator(".feed > li", has_text="hourly sync").wait_for()


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
    assert page.locator("[data-lanes] a[tabindex='0']").count() == 1, "Tab stops here but once"
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")


def test_a_click_on_an_empty_place_proposes_a_quiet_minute(opened: Callable[..., Page]) -> None:
    page = opened("/timeline?zoom=day")
    box = page.locator("[data-lanes]").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] - 30)
    spot = page.locator("[data-spot]")
    spot.get_by_text("is quiet: near").wait_for()
    page.keyboard.press("Escape")
    assert not spot.is_visible()
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] - 30)
    spot.get_by_role("link", name="Create job here").click()
    page.wait_for_url("**/entries/new?**")


def test_on_a_phone_the_timeline_is_a_list(opened: Callable[..., Page]) -> None:
    page = opened("/timeline", viewport={"width": 390, "height": 844})
    assert not page.locator("[data-lanes]").is_visible()
    assert page.get_by_role("heading", name="To come").is_visible()
    page.get_by_role("link", name="Week", exact=True).click()
    assert page.locator(".agenda").get_by_text("nightly copies").first.is_visible()


def test_the_server_said_nothing_of_trouble(server: Server) -> None:
    log = (server.home / "web.log").read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert "Warning" not in log
