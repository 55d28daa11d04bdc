"""A job's form in a real browser: previewed while typing, both modes, by keyboard, on a phone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.web.server import Server

pytestmark = pytest.mark.chromium

CRONTAB = "## Nightly\n15 2 * * * /bin/echo night\n0 3 * * * /bin/true\n"
FIRST = """
from billclock.scheduler.models import Entry
from billclock.scheduler.tables import Tables
print(Tables().table("root").load().keys[0])
"""


@pytest.fixture
def disk(server: Server) -> Path:
    spool = server.home / "spool" / "root"
    spool.write_text(CRONTAB, encoding="utf-8")
    return spool


def test_typing_is_previewed_and_saved_by_the_keyboard(
    server: Server, disk: Path, opened: Callable[..., Page], complaints: list[str]
) -> None:
    page = opened(f"/entries/{server.python(FIRST)}", viewport={"width": 1360, "height": 900})
    sentence = page.locator("#sentence")
    assert sentence.inner_text() == "Every day at 02:15"
    page.get_by_label("Start time").fill("04:40")
    sentence.filter(has_text="04:40").wait_for()
    page.get_by_text("Expert", exact=True).click()
    assert page.get_by_label("Or as one line").input_value() == "40 4 * * *"
    page.get_by_label("Hour 0–23").fill("4,16")
    sentence.filter(has_text="16:40").wait_for()
    page.get_by_label("Hour 0–23").fill("24")
    page.locator("#hour-error").filter(has_text="0-23").wait_for()
    page.get_by_label("Hour 0–23").fill("5")
    sentence.filter(has_text="05:40").wait_for()
    page.get_by_text("Basic", exact=True).click()
    assert page.get_by_label("Start time").input_value() == "05:40"
    page.keyboard.press("Control+s")
    page.get_by_text("Saved: Nightly").wait_for()
    assert disk.read_text().startswith("## Nightly\n40 5 * * * /bin/echo night\n")
    assert complaints == []


def test_what_is_folded_is_checked_at_its_field_while_one_types(
    server: Server, disk: Path, opened: Callable[..., Page], complaints: list[str]
) -> None:
    page = opened(f"/entries/{server.python(FIRST)}", viewport={"width": 1360, "height": 900})
    page.get_by_text("Advanced", exact=True).click()
    page.get_by_label("Memory limit").fill("lots")
    page.locator("#memory-error").filter(has_text="512M").wait_for()
    page.get_by_label("Memory limit").fill("1G")
    page.get_by_label("Success codes").fill("0,3")
    page.get_by_text("# billclock: success=0,3 memory=1G").wait_for()
    assert page.locator("#memory-error").inner_text() == ""
    assert disk.read_text() == CRONTAB
    assert complaints == []


def test_a_phone_shows_the_form_with_the_preview_at_the_bottom(
    disk: Path, opened: Callable[..., Page], complaints: list[str]
) -> None:
    assert disk.exists()
    page = opened("/entries/new?table=root", viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    summary = page.get_by_role("complementary").locator("summary")
    box = summary.bounding_box()
    assert box is not None
    assert box["y"] > 600
    summary.click()
    assert page.locator("[data-result]").is_visible()
    assert complaints == []


def test_without_scripts_the_button_previews_and_saves(
    disk: Path, opened: Callable[..., Page]
) -> None:
    page = opened("/entries/new?table=root", java_script_enabled=False)
    page.get_by_label("Command", exact=True).fill("/bin/echo made")
    page.get_by_label("Run", exact=True).select_option("hours")
    page.get_by_label("Every … hours").select_option("6")
    page.get_by_label("Minutes past the hour").fill("7")
    page.get_by_role("button", name="Preview").click()
    assert "1460 runs a year" in page.content().replace(",", "")
    page.get_by_role("button", name="Save", exact=True).click()
    assert disk.read_text().endswith("7 */6 * * * /bin/echo made\n")
