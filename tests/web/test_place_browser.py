"""The list of jobs in the hand: what was done is told in place, and nothing moves for it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.web.server import Server

pytestmark = pytest.mark.chromium

LONG = "/usr/local/mgr5/sbin/billmaintain --command a_name_that_is_much_too_long_for_its_column_"
TABLE = "".join(
    f"## job {number}\n0 {number % 24} * * * {LONG}{number}\n" for number in range(10, 50)
)
PHONE = {"width": 390, "height": 844}
WIDE = {"width": 1360, "height": 900}


@pytest.fixture
def crontab(server: Server) -> Path:
    place = server.home / "spool" / "root"
    place.write_text(TABLE, encoding="utf-8")
    server.python("from billclock.scheduler.tables import Tables; Tables().table('root').load()")
    return place


def top(page: Page, name: str) -> float:
    """Where a row's switch stands in the window."""
    box = page.get_by_role("switch", name=f"Active: {name}").bounding_box()
    assert box is not None
    return box["y"]


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_row_stays_under_the_hand_that_switched_it(
    opened: Callable[..., Page], crontab: Path, viewport: dict[str, int]
) -> None:
    page = opened("/", viewport=viewport)
    switch = page.get_by_role("switch", name="Active: job 45")
    switch.scroll_into_view_if_needed()
    before = top(page, "job 45")
    switch.click()
    said = page.get_by_role("status").filter(has_text="Switched off: job 45")
    said.wait_for()
    assert abs(top(page, "job 45") - before) < 2
    box = said.bounding_box()
    assert box is not None
    assert 0 < box["y"] < viewport["height"] - box["height"]
    said.get_by_role("button", name="Undo").click()
    page.get_by_role("status").filter(has_text="Switched off").wait_for(state="detached")
    assert crontab.read_text(encoding="utf-8") == TABLE
    assert abs(top(page, "job 45") - before) < 2


def test_what_was_done_can_be_put_out_of_sight(opened: Callable[..., Page], crontab: Path) -> None:
    page = opened("/", viewport=WIDE)
    page.get_by_role("switch", name="Active: job 10").click()
    said = page.get_by_role("status").filter(has_text="Switched off: job 10")
    said.get_by_role("button", name="Close").click()
    assert said.count() == 0
    assert "#0 10 * * *" in crontab.read_text(encoding="utf-8")


def test_escape_closes_a_menu_and_leaves_the_ticks(
    opened: Callable[..., Page], crontab: Path
) -> None:
    page = opened("/", viewport=WIDE)
    page.get_by_role("checkbox", name="Tick: job 10").check()
    menu = page.get_by_label("More for job 11")
    menu.click()
    page.get_by_role("button", name="Copy the command").wait_for()
    page.keyboard.press("Escape")
    assert page.get_by_role("checkbox", name="Tick: job 10").is_checked()
    assert not page.get_by_role("button", name="Copy the command").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("checkbox", name="Tick: job 10").is_checked()


def test_a_long_command_keeps_its_end_and_is_copied_whole(
    opened: Callable[..., Page], crontab: Path
) -> None:
    page = opened("/", viewport=WIDE, permissions=["clipboard-read", "clipboard-write"])
    row = page.locator("tr[data-row]").filter(has_text="job 44")
    end = row.locator(".cmd > :last-child")
    assert end.inner_text().endswith("_column_44")
    right = "e => e.getBoundingClientRect().right"
    assert end.evaluate(right) <= row.locator("td.c-job").evaluate(right)
    assert row.locator(".cmd .stem").evaluate("e => e.scrollWidth > e.clientWidth")
    row.get_by_label("More for job 44").click()
    row.get_by_role("button", name="Copy the command").click()
    assert page.evaluate("navigator.clipboard.readText()") == f"{LONG}44"


def test_in_russian_the_columns_button_stands_beside_the_filters(
    opened: Callable[..., Page], crontab: Path
) -> None:
    crontab.write_text(
        TABLE.replace("## job 10\n", "## job 10\n# billclock: tags=night\n"), encoding="utf-8"
    )
    page = opened("/", viewport=WIDE, locale="ru-RU")
    search, columns = page.get_by_role("searchbox"), page.get_by_text("Столбцы")
    boxes = search.bounding_box(), columns.bounding_box()
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert abs(boxes[0]["y"] - boxes[1]["y"]) < 12


def test_that_nothing_starts_stays_in_sight(opened: Callable[..., Page], crontab: Path) -> None:
    page = opened("/", viewport=WIDE)
    told = page.get_by_role("alert").filter(has_text="The scheduler is not running")
    page.get_by_role("switch", name="Active: job 45").scroll_into_view_if_needed()
    page.mouse.wheel(0, 400)
    page.wait_for_function("scrollY > 400")
    box = told.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 10


def test_of_many_broken_lines_few_are_told_above_the_jobs(
    opened: Callable[..., Page], crontab: Path
) -> None:
    crontab.write_text(TABLE + "0 0 1 0 * /bin/true\n" * 9, encoding="utf-8")
    page = opened("/", viewport=PHONE)
    told = page.locator(".note").filter(has_text="9 lines do not run")
    assert told.inner_text().count("out of range") == 3
    assert "and 6 more" in told.inner_text()
    told.get_by_role("link", name="Mend").click()
    assert page.locator("li.say.error").count() == 9
