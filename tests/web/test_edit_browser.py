"""A job's form in a real browser: previewed while typing, both modes, by keyboard, on a phone."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.conftest import CHROMIUM
from tests.web.conftest import PASSWORD
from tests.web.server import Server, serving

pytestmark = pytest.mark.chromium

CRONTAB = "## Nightly\n15 2 * * * /bin/echo night\n0 3 * * * /bin/true\n"
LINK = "from billclock.accounts.setup import setup_link; print(setup_link())"
FIRST = """
from billclock.scheduler.models import Entry
from billclock.scheduler.tables import Tables
print(Tables().table("root").load().keys[0])
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("home")) as running:
        (running.home / "spool").mkdir()
        yield running


@pytest.fixture
def disk(server: Server) -> Path:
    spool = server.home / "spool" / "root"
    spool.write_text(CRONTAB, encoding="utf-8")
    return spool


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def session(server: Server, browser: Browser) -> Any:
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.python(LINK))
    page.get_by_label("E-mail address").fill("anna.weiss@example.net")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the user").click()
    page.wait_for_url(server.address + "/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def opened(
    server: Server, browser: Browser, session: Any, complaints: list[str]
) -> Iterator[Callable[..., Page]]:
    contexts: list[BrowserContext] = []

    def open_page(path: str, **how: Any) -> Page:
        context = browser.new_context(storage_state=session, **how)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(server.address + path, wait_until="load")
        return page

    yield open_page
    for context in contexts:
        context.close()


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
