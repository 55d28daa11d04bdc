"""A section in a real browser: ticks and the bar, a form not left unsaved, by phone, no script."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page

from tests.web.server import Server, serving

pytestmark = pytest.mark.chromium

PAGES = ["/dashboard", "/currencies", "/currencies/EUR", "/rate-pairs", "/rate-pairs/1",
         "/rate-pairs/1/edit", "/rates", "/rates/new", "/rates?q=nothing"]  # fmt: skip
BOOKS = """
from datetime import timedelta
from decimal import Decimal
from billclock import clock
from billclock.billing import currencies, statistics
for n in range(60):
    on = clock.today() - timedelta(days=n)
    currencies.enter(currencies.find_pair("USD/EUR"), on, Decimal("0.9") + Decimal(n) / 500)
    statistics.record("runs", on, {"billdaily: succeeded": 20 + n, "billdaily: failed": n % 3})
    statistics.record("bytes", on, {"billclock.sqlite3": 2**20 * (90 - n)})
currencies.configure(currencies.find_pair("USD/EUR"), source="ecb", formula="*1.02", guard=20)
for code in ("GBP", "CHF", "JPY"):
    currencies.take_up(code)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("home")) as running:
        (running.home / "spool").mkdir()
        (running.home / "spool" / "root").write_text("## Poll\n*/7 * * * * /bin/poll\n")
        running.python(
            "from billclock.scheduler.tables import Tables; Tables().table('root').load()"
        )
        running.python(BOOKS)
        yield running


def test_what_is_ticked_is_named_and_acted_on_after_a_question(
    opened: Callable[..., Page], complaints: list[str]
) -> None:
    page = opened("/currencies")
    bar = page.get_by_role("toolbar", name="Ticked rows")
    assert not bar.is_visible()
    page.get_by_role("checkbox", name="Tick: CHF").check()
    page.get_by_role("checkbox", name="Tick: GBP").check()
    assert "2 ticked" in bar.inner_text()
    assert "CHF · GBP" in bar.inner_text()
    bar.get_by_role("button", name="Use no longer").click()
    assert page.locator(".named li").count() == 2
    page.get_by_role("button", name="Use no longer").click()
    assert page.get_by_text("Use no longer: CHF · GBP").is_visible()
    page.locator("select[name=active]").select_option("not in use")
    page.wait_for_url("**active=0**")
    assert page.locator("tbody tr").count() == 2
    page.get_by_label("Name of the view").fill("Left")
    page.get_by_role("button", name="Save view").click()
    assert page.get_by_role("link", name="Left").get_attribute("aria-current") == "true"
    assert complaints == []


def test_a_changed_form_is_left_only_after_a_question(opened: Callable[..., Page]) -> None:
    page = opened("/rate-pairs/1/edit")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", stay)
    page.get_by_label("Formula").fill("*1.03")
    page.get_by_role("link", name="Cancel").click()
    assert asked == ["Leave without saving?"]
    assert page.url.endswith("/rate-pairs/1/edit")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/rate-pairs/1")
    assert page.get_by_text("Saved: USD/EUR").is_visible()
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/rate-pairs/1")
    assert len(asked) == 1


def test_errors_take_the_focus_and_lead_to_their_fields(opened: Callable[..., Page]) -> None:
    page = opened("/rates/new")
    page.get_by_label("One unit of").fill("USD")
    page.get_by_label("costs in").fill("EUR")
    page.get_by_label("Rate").fill("9")
    page.get_by_role("button", name="Save").click()
    note = page.get_by_role("alert").filter(has_text="Nothing was saved yet")
    assert note.evaluate("note => note === document.activeElement")
    note.get_by_role("link", name="Rate").click()
    assert page.url.endswith("#id_value")
    assert "the rate of" in page.locator("#id_value_error").inner_text()


def test_everything_is_done_without_a_script_and_by_phone(opened: Callable[..., Page]) -> None:
    how: dict[str, Any] = {
        "java_script_enabled": False,
        "viewport": {"width": 390, "height": 844},
    }
    page = opened("/dashboard", **how)
    page.get_by_role("link", name="Money", exact=True).click()
    page.get_by_role("link", name="Currencies", exact=True).click()
    page.get_by_role("link", name="Rates", exact=True).click()
    page.get_by_role("link", name="New rate").click()
    page.get_by_label("One unit of").fill("JPY")
    page.get_by_label("costs in").fill("EUR")
    page.get_by_label("Rate").fill("0.0061")
    page.get_by_role("button", name="Save").click()
    assert page.get_by_role("heading", name="JPY/EUR").is_visible()
    page.goto(page.url.partition("/rates")[0] + "/currencies")
    page.get_by_role("checkbox", name="Tick: JPY").check()
    bar = page.get_by_role("toolbar", name="Ticked rows")
    bar.get_by_role("button", name="Use no longer").click()
    page.get_by_role("button", name="Use no longer").click()
    assert page.get_by_text("Use no longer: JPY").is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_fit_every_width_and_nothing_is_against_the_policy(
    opened: Callable[..., Page], complaints: list[str], server: Server, theme: Any
) -> None:
    page = opened(PAGES[0], color_scheme=theme)
    for path in PAGES:
        page.goto(server.address + path)
        for width in (360, 390, 641, 820, 901, 1181, 1440, 2200):
            page.set_viewport_size({"width": width, "height": 900})
            wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wider <= 0, (path, width)
    assert complaints == []
