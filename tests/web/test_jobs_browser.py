"""Jobs, import, text and settings in a real browser: with a script and without, by phone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.web.server import Server

pytestmark = pytest.mark.chromium

ARTICLE = Path(__file__).parent.parent / "data" / "article.txt"
TABLE = """MAILTO=ops@example.net
## first
0 1 * * * /bin/echo 1
## second
0 2 * * * /bin/echo 2
## third
#0 3 * * * /bin/echo 3
"""
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def crontab(server: Server) -> Iterator[Path]:
    """The table of each test's own, as three jobs to begin with."""
    place = server.home / "spool" / "root"
    place.write_text(TABLE, encoding="utf-8")
    server.python("from billclock.scheduler.tables import Tables; Tables().table('root').load()")
    yield place
    place.unlink(missing_ok=True)


def tick(page: Page, *names: str) -> None:
    for name in names:
        box = page.get_by_role("checkbox", name=f"Tick: {name}")
        box.evaluate("box => box.scrollIntoView({ block: 'center' })")  # as one does by thumb
        box.check()


def test_a_table_of_many_is_shown_as_soon_as_it_is_chosen(
    opened: Callable[..., Page], server: Server, crontab: Path
) -> None:
    places = [crontab.with_name(f"user{number}") for number in range(8)]
    for place in places:
        place.write_text("5 1 * * * /bin/echo\n", encoding="utf-8")
    page = opened("/")
    page.get_by_label("Table of").select_option("user7")
    page.wait_for_url("**/?table=user7")
    assert page.get_by_label("Table of").input_value() == "user7"
    for place in places:
        place.unlink()


def test_from_nothing_over_the_article_to_its_jobs(
    opened: Callable[..., Page], server: Server, complaints: list[str]
) -> None:
    page = opened("/")
    assert page.get_by_role("heading", name="No jobs for root yet").is_visible()
    page.get_by_role("link", name="Import", exact=True).click()
    page.get_by_label("File", exact=True).set_input_files(ARTICLE)
    page.get_by_role("button", name="Look at its lines").click()
    assert page.get_by_role("button", name="Install 14 jobs").is_visible()
    page.get_by_role("button", name="Mend 204", exact=True).click()
    assert page.get_by_role("button", name="Install 15 jobs").is_visible()
    assert not (server.home / "spool" / "root").exists()
    page.get_by_role("button", name="Mend all 7").click()
    page.get_by_role("button", name="Install 22 jobs").click()
    assert page.get_by_text("22 jobs imported").is_visible()
    assert page.locator("tr[data-row]").count() == 22
    page.get_by_role("button", name="Undo").click()
    assert page.get_by_text("No jobs for root yet").is_visible()
    assert complaints == []


def test_what_is_ticked_is_named_and_acts_say_why_they_wait(
    opened: Callable[..., Page], crontab: Path
) -> None:
    page = opened("/")
    tools = page.get_by_role("toolbar", name="Jobs", exact=True)
    assert tools.get_by_role("button", name="Enable").is_disabled()
    assert tools.get_by_role("button", name="Enable").get_attribute("title") == "Tick a job first"
    tick(page, "first")
    assert tools.get_by_role("button", name="Edit").is_enabled()
    assert "on already" in (tools.get_by_role("button", name="Enable").get_attribute("title") or "")
    tick(page, "second")
    assert "just one" in (tools.get_by_role("button", name="Edit").get_attribute("title") or "")
    bulk = page.get_by_role("toolbar", name="Ticked jobs")
    bulk.get_by_text("2 ticked").wait_for()
    assert bulk.locator("[data-names]").inner_text() == "first · second"
    bulk.get_by_role("button", name="Clear").click()
    assert not bulk.is_visible()


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
def test_filters_fold_on_a_phone_and_say_how_many_are_in_use(
    opened: Callable[..., Page], crontab: Path, script: bool
) -> None:
    page = opened("/?state=on&result=never", viewport=PHONE, java_script_enabled=script)
    result = page.get_by_label("Last result")
    filters = page.locator("summary", has_text="Filters")
    assert filters.inner_text().split() == ["Filters", "2"]
    assert not result.is_visible()
    filters.click()
    result.wait_for()
    page.set_viewport_size({"width": 1360, "height": 900})
    assert result.is_visible()
    assert not filters.is_visible()


@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without"])
@pytest.mark.parametrize("viewport", [{"width": 1360, "height": 900}, PHONE], ids=["wide", "phone"])
def test_jobs_are_switched_deleted_and_brought_back(
    opened: Callable[..., Page], crontab: Path, script: bool, viewport: Any
) -> None:
    page = opened("/", java_script_enabled=script, viewport=viewport)
    tick(page, "first", "second")
    page.get_by_role("toolbar", name="Jobs", exact=True).get_by_role(
        "button", name="Disable"
    ).click()
    assert "#0 1 * * * /bin/echo 1" in crontab.read_text()
    page.get_by_role("switch", name="Active: first").click()
    assert "\n0 1 * * * /bin/echo 1" in crontab.read_text()
    tick(page, "second", "third")
    page.get_by_role("toolbar", name="Jobs", exact=True).get_by_role(
        "button", name="Delete"
    ).click()
    assert page.get_by_role("heading", name="Delete these 2 jobs?").is_visible()
    page.get_by_role("button", name="Delete 2 jobs").click()
    assert crontab.read_text() == TABLE.partition("## second")[0]
    page.get_by_role("button", name="Undo").click()
    assert "#0 2 * * * /bin/echo 2\n## third" in crontab.read_text()


def test_keys_move_tick_search_and_can_be_switched_off(
    opened: Callable[..., Page], crontab: Path
) -> None:
    page = opened("/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.get_by_role("checkbox", name="Tick: second").is_checked()
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.id") == "line-3"
    page.keyboard.press("Escape")
    assert page.locator("input[name=entry]:checked").count() == 0
    page.keyboard.press("/")
    page.keyboard.type("third")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=third**")
    assert page.locator("tr[data-row]").count() == 1
    page.keyboard.press("?")
    assert page.get_by_role("heading", name="Keys").is_visible()
    page.get_by_label("Single keys act").uncheck()
    page.get_by_role("button", name="Keep").click()
    page.keyboard.press("?")
    assert not page.get_by_role("heading", name="Keys").is_visible()
    page.get_by_role("button", name="Keys").click()
    page.get_by_label("Single keys act").check()
    page.get_by_role("button", name="Keep").click()


def test_choosing_a_filter_shows_what_it_finds_at_once(
    opened: Callable[..., Page], crontab: Path
) -> None:
    page = opened("/")
    page.get_by_label("Last result").select_option("never")
    page.wait_for_url("**result=never**")
    assert page.locator("tr[data-row]").count() == 3
    page.get_by_placeholder("Name of the view").fill("new ones")
    page.get_by_role("button", name="Save view").click()
    page.get_by_role("link", name="Clear").click()
    page.get_by_role("link", name="new ones").click()
    assert "result=never" in page.url
    page.get_by_role("button", name="Forget this view").click()
    assert page.get_by_role("link", name="new ones").count() == 0


def test_an_edit_that_met_crontab_e_loses_nothing(
    opened: Callable[..., Page], crontab: Path
) -> None:
    page = opened("/crontab/edit", java_script_enabled=False)
    box = page.get_by_label("The crontab of root")
    box.fill(box.input_value().replace("0 1 * * *", "5 1 * * *"))
    crontab.write_text(TABLE + "* * * * * /bin/echo outside\n")
    page.get_by_role("button", name="Install").click()
    assert page.get_by_text("changed while you were editing it").is_visible()
    assert "5 1 * * *" not in crontab.read_text()
    page.get_by_role("button", name="Keep both").click()
    assert "5 1 * * * /bin/echo 1" in crontab.read_text()
    assert crontab.read_text().endswith("* * * * * /bin/echo outside\n")


def test_settings_are_saved_without_a_script(opened: Callable[..., Page], crontab: Path) -> None:
    page = opened("/settings", java_script_enabled=False, viewport=PHONE)
    page.get_by_label("E-mail addresses").fill("ops@example.net\nnight@example.net")
    page.get_by_label("Time zone of the schedules").fill("Europe/Berlin")
    page.get_by_role("button", name="Save", exact=True).first.click()
    assert crontab.read_text().startswith(
        "MAILTO=ops@example.net,night@example.net\nCRON_TZ=Europe/Berlin\n## first\n"
    )
    assert page.get_by_text("Settings saved: MAILTO, CRON_TZ").is_visible()


@pytest.mark.parametrize("script", [True, False])
def test_a_tables_defaults_are_chosen_and_its_jobs_forms_tell_of_them(
    opened: Callable[..., Page], crontab: Path, complaints: list[str], script: bool
) -> None:
    page = opened("/settings", java_script_enabled=script)
    jobs = page.locator("#policies")
    jobs.get_by_label("If a run is still going on").select_option("queue")
    jobs.get_by_label("Stop after").fill("soon")
    page.get_by_role("button", name="Save", exact=True).first.click()
    assert "expected a duration" in page.locator("#timeout-error").inner_text()
    assert crontab.read_text() == TABLE
    assert jobs.get_by_label("If a run is still going on").input_value() == "queue"
    jobs.get_by_label("Stop after").fill("2h")
    page.get_by_role("button", name="Save", exact=True).first.click()
    assert page.get_by_text("Settings saved: CRON_OVERLAP, CRON_TIMEOUT").is_visible()
    lines = "MAILTO=ops@example.net\nCRON_OVERLAP=queue\nCRON_TIMEOUT=2h\n"
    assert crontab.read_text() == TABLE.replace("MAILTO=ops@example.net\n", lines)
    page.goto(page.url.replace("/settings", "/entries/new"))
    page.get_by_text("Advanced", exact=True).click()
    choice = page.get_by_label("If a run is still going on").locator("option").first
    assert choice.inner_text() == "as the table: start it afterwards"
    assert page.get_by_text("as the table: 2 h").is_visible()
    assert [said for said in complaints if "422" not in said] == [], "it tells of the refusal"
