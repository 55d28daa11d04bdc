"""The palette in a real browser: by keyboard alone, as screen readers hear it, without a script."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.web.server import Server

pytestmark = pytest.mark.chromium

TABLE = """## Nightly copies
0 1 * * * /bin/echo copies
## Sums
0 2 * * * /bin/echo sums
"""


@pytest.fixture
def crontab(server: Server) -> Path:
    place = server.home / "spool" / "root"
    place.write_text(TABLE, encoding="utf-8")
    server.python("from billclock.scheduler.tables import Tables; Tables().table('root').load()")
    return place


@pytest.fixture(autouse=True)
def nothing_is_complained_of(complaints: list[str]) -> Iterator[None]:
    yield
    assert [text for text in complaints if "net::ERR_FAILED" not in text] == []


def chosen(page: Page) -> str:
    """What a screen reader says is chosen: the option that the field names as active."""
    active = page.get_by_role("combobox", name="Screen, job or run")
    key = active.get_attribute("aria-activedescendant")
    return page.locator(f"#{key}[aria-selected=true] .word").inner_text() if key else ""


def open_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.locator("#palette [role=option]").first.wait_for()


def test_a_job_is_gone_to_by_what_was_typed_last_however_fast(
    opened: Callable[..., Page], crontab: Path
) -> None:
    page = opened("/runs")
    open_palette(page)
    field = page.get_by_role("combobox", name="Screen, job or run")
    assert field.get_attribute("aria-expanded") == "true"
    assert page.get_by_role("listbox", name="Go to").is_visible()
    page.keyboard.type("nightly", delay=5)
    page.keyboard.press("Enter")
    page.wait_for_url("**/entries/*")
    assert page.get_by_label("Description").input_value() == "Nightly copies"


def test_arrow_keys_choose_and_escape_leads_back(opened: Callable[..., Page]) -> None:
    page = opened("/runs")
    page.get_by_role("link", name="Timeline").first.focus()
    open_palette(page)
    first = chosen(page)
    page.keyboard.press("ArrowDown")
    second = chosen(page)
    assert "" not in (first, second)
    assert first != second
    page.keyboard.press("ArrowUp")
    assert chosen(page) == first
    page.keyboard.press("ArrowUp")
    last = page.locator("#palette [role=option]").last
    assert last.get_attribute("aria-selected") == "true"
    assert page.locator("#palette [aria-selected=true]").count() == 1
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog", name="Go to").is_visible()
    assert page.evaluate("document.activeElement.textContent") == "Timeline"


def test_the_job_under_the_cursor_is_switched_off(
    opened: Callable[..., Page], crontab: Path
) -> None:
    page = opened("/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    open_palette(page)
    assert page.get_by_role("group", name="Sums").is_visible()
    page.keyboard.type("disab")
    page.keyboard.press("Enter")
    page.get_by_text("Switched off: Sums").wait_for()
    assert "\n#0 2 * * * /bin/echo sums" in crontab.read_text()
    assert "\n0 1 * * * /bin/echo copies" in crontab.read_text()


def test_the_theme_changes_and_the_page_stays(opened: Callable[..., Page]) -> None:
    page = opened("/runs?outcome=failed")
    open_palette(page)
    page.keyboard.type("theme: dark")
    page.keyboard.press("Enter")
    page.locator("html[data-theme=dark]").wait_for()
    assert page.url.endswith("/runs?outcome=failed")


def test_the_keys_of_a_russian_keyboard_open_it_too(opened: Callable[..., Page]) -> None:
    page = opened("/runs", locale="ru-RU")
    page.evaluate(
        """document.dispatchEvent(new KeyboardEvent("keydown",
            { key: "л", code: "KeyK", ctrlKey: true, bubbles: true, cancelable: true }))"""
    )
    page.get_by_role("dialog", name="Перейти").wait_for()


def test_what_is_not_found_and_a_server_that_is_away_are_said(opened: Callable[..., Page]) -> None:
    page = opened("/runs")
    page.get_by_role("button", name="Go to").click()
    page.locator("#palette [role=option]").first.wait_for()
    page.route("**/go/choices*", lambda route: route.abort())
    page.keyboard.type("x")
    page.get_by_role("status").filter(has_text="The server does not answer").wait_for()
    page.keyboard.press("Enter")
    assert page.get_by_role("dialog", name="Go to").is_visible()
    page.get_by_role("button", name="Close").click()
    assert not page.get_by_role("dialog", name="Go to").is_visible()


def test_without_a_script_the_link_leads_to_a_page_that_does_the_same(
    opened: Callable[..., Page], crontab: Path
) -> None:
    page = opened("/runs", java_script_enabled=False)
    page.get_by_role("link", name="Go to").click()
    page.get_by_role("searchbox", name="Screen, job or run").fill("nightly")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("link", name="Nightly copies").click()
    assert page.get_by_label("Description").input_value() == "Nightly copies"
    page.get_by_role("link", name="Go to").click()
    page.get_by_role("button", name="Disable").click()
    assert "\n#0 1 * * * /bin/echo copies" in "\n" + crontab.read_text()
