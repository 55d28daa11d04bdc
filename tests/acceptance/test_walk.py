"""A person's way through the Scheduler, from the first start to the undo, in a real browser.

Three times: at a desk, on a phone by touch, and without JavaScript. Without it these parts are
missing, since nothing but a script can do them: the preview follows a press on its button instead
of the typing; the output comes by a page that loads itself again every five seconds; the other of
the two modes is filled in when the form has been sent once; a menu is not closed by a press beside
it. Everything that changes something is a plain form, and is walked here all the same.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.acceptance.product import ROOT, Product, Started, until
from tests.conftest import CHROMIUM

pytestmark = pytest.mark.chromium

PASSWORD = "a clock of ledger paper"
ARTICLE = (ROOT / "tests/data/article.txt").read_text(encoding="utf-8")
IMPORTED = (ROOT / "tests/data/article-imported.crontab").read_bytes()
COUNTING = 'n=0; while echo "line $((n+=1))"; do sleep 0.05; done'
LINE = f"45 2 28 * * {COUNTING}\n".encode()
MENDS = 8
"""Lines of the article whose mend guesses nothing; the ninth is in the text's own prompt line."""

DESK: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True,
}  # fmt: skip
BARE: dict[str, Any] = {**DESK, "java_script_enabled": False}


@dataclass
class Visit:
    """One person's browser on the product: where, with or without script, by mouse or touch."""

    product: Product
    page: Page
    touch: bool = False
    script: bool = True

    def go(self, path: str) -> None:
        self.page.goto(f"{self.product.address}{path}", wait_until="load")

    def press(self, what: Locator) -> None:
        if self.touch:
            what.tap()
        else:
            what.click()

    def button(self, name: str | re.Pattern[str], within: Locator | None = None) -> Locator:
        return (within or self.page).get_by_role("button", name=name, exact=True)

    @property
    def spool(self) -> Path:
        return self.product.home / "spool" / "root"

    def row(self, title: str) -> Locator:
        return self.page.locator("tr[data-row]").filter(has_text=title)

    def fits(self) -> None:
        """Nothing is wider than the screen."""
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert not self.script or self.page.evaluate(wide) <= 0, self.page.url


@pytest.fixture(scope="module")
def up(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    settings = {"TZ": "Europe/Berlin", "BILLCLOCK_MAIL_A_NIGHT": "0"}
    product = Product(checkout, tmp_path_factory.mktemp("walk") / "home", settings)
    with product.started() as started:
        yield started
    assert "Traceback" not in started.text


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def session(up: Started, browser: Browser) -> Any:
    """The first start: the link that ./run printed makes the first user, who is signed in."""
    (link,) = re.findall(r"first user here, once: (\S+)", up.text)
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    page.get_by_label("E-mail address").fill("anna.weiss@example.net")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the user").click()
    page.get_by_role("heading", name="No jobs for root yet").wait_for()
    state = context.storage_state()
    assert page.goto(link).status == 410  # type: ignore[union-attr]
    context.close()
    return state


@pytest.fixture
def visit(up: Started, browser: Browser, session: Any) -> Iterator[Callable[..., Visit]]:
    """Begin a visit to an empty table; in the end nobody's console has complained."""
    complaints: list[str] = []
    contexts = []

    def begin(how: dict[str, Any]) -> Visit:
        up.product.billclock("crontab", "-r")
        context = browser.new_context(storage_state=session, **how)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        script, touch = how.get("java_script_enabled", True), how.get("has_touch", False)
        return Visit(up.product, page, touch, script)

    yield begin
    for context in contexts:
        context.close()
    assert [said for said in complaints if "status of 409" not in said] == []


@pytest.mark.parametrize("how", [DESK, PHONE, BARE], ids=["desk", "phone", "without scripts"])
def test_a_person_walks_from_an_empty_table_to_the_undo(
    visit: Callable[..., Visit], how: dict[str, Any]
) -> None:
    me = visit(how)
    imports_the_article(me, one_by_one=how is DESK)
    creates_a_job(me)
    changes_it_in_expert_mode(me)
    runs_it_watches_and_stops_it(me)
    switches_it_off_deletes_it_and_takes_it_back(me)
    meets_an_edit_from_outside(me)


def imports_the_article(me: Visit, *, one_by_one: bool) -> None:
    """Paste the article's text; a click mends a broken line; install what came of it."""
    me.go("/")
    me.press(me.page.get_by_role("link", name="Import", exact=True))
    me.page.get_by_label("Or paste here").fill(ARTICLE)
    me.press(me.button("Look at its lines"))
    mends = me.page.get_by_role("button", name=re.compile(r"^Mend \d+$"))
    expect(mends).to_have_count(MENDS)
    me.fits()
    if one_by_one:
        for left in range(MENDS - 1, -1, -1):
            me.press(mends.first)
            expect(mends).to_have_count(left)
    else:
        me.press(me.button("Mend all 8"))
    assert not me.spool.exists() or me.spool.read_bytes() == b""
    me.press(me.button("Install 22 jobs"))
    me.page.get_by_text("22 jobs imported").wait_for()
    assert me.spool.read_bytes() == IMPORTED
    assert until(lambda: me.product.in_force() == 22)


def creates_a_job(me: Visit) -> None:
    """Monthly at half past two, so that the next ten runs cross a change of the clocks."""
    me.press(me.page.get_by_role("link", name="Create job"))
    tries_it_out(me)
    me.page.get_by_label("Command", exact=True).fill(COUNTING)
    me.page.get_by_label("Description").fill("Tally")
    me.page.get_by_label("Run", exact=True).select_option("month")
    me.page.get_by_label("Day of the month").fill("28")
    me.page.get_by_label("Start time").fill("02:30")
    previews(me, "At 02:30 on the 28th of every month")
    expect(me.page.locator(".next tbody tr")).to_have_count(10)
    changes = me.page.locator(".next").get_by_text(re.compile("the clock goes (forward|back)"))
    assert changes.count() >= 1
    me.fits()
    folds_the_preview(me)
    me.press(me.button("Save"))
    me.page.get_by_text("Saved: Tally").wait_for()
    assert me.spool.read_bytes() == IMPORTED + b"## Tally\n" + LINE.replace(b"45 2", b"30 2")


def tries_it_out(me: Visit) -> None:
    """Run what is typed before it is saved, in a tab beside the form."""
    me.page.get_by_label("Command", exact=True).fill("echo tried $((6 * 7))")
    with me.page.context.expect_page() as opened:
        me.press(me.button("Test run"))
    tab = opened.value
    expect(tab.locator("[data-rows]")).to_contain_text("tried 42", timeout=20_000)
    tab.close()
    assert me.spool.read_bytes() == IMPORTED


def previews(me: Visit, sentence: str) -> None:
    """Look at the preview; on a phone it is folded at the foot of the screen."""
    if not me.script:
        me.press(me.button("Preview"))
    shown = me.page.locator("#sentence").filter(has_text=sentence)
    shown.wait_for(state="attached")
    if not shown.is_visible():
        me.press(me.page.get_by_role("complementary").locator("summary"))
    expect(shown).to_be_visible()


def folds_the_preview(me: Visit) -> None:
    if me.touch:
        me.press(me.page.get_by_role("complementary").locator("summary"))


def changes_it_in_expert_mode(me: Visit) -> None:
    opens_the_menu(me, "Tally")
    me.press(me.row("Tally").get_by_role("link", name="Edit"))
    me.press(me.page.get_by_text("Expert", exact=True))
    assert me.page.get_by_label("Or as one line").input_value() == "30 2 28 * *"
    me.page.get_by_label("Minute 0–59").fill("45")
    previews(me, "02:45")
    folds_the_preview(me)
    me.press(me.button("Save"))
    me.page.get_by_text("Saved: Tally").wait_for()
    assert me.spool.read_bytes() == IMPORTED + b"## Tally\n" + LINE


def opens_the_menu(me: Visit, title: str) -> None:
    me.press(me.row(title).locator("summary"))


def runs_it_watches_and_stops_it(me: Visit) -> None:
    until(lambda: me.product.in_force() == 23)
    opens_the_menu(me, "Tally")
    me.press(me.button("Run now", me.row("Tally")))
    me.page.wait_for_url(re.compile(r"/runs/\d+$"))
    output = me.page.locator("[data-rows]")
    for line in ("line 1", "line 60"):
        expect(output).to_contain_text(line, timeout=20_000)
    me.fits()
    me.press(me.page.locator("summary").filter(has_text="Stop…"))
    me.press(me.button("Stop the run"))
    expect(me.page.locator(".head .st")).to_contain_text("stopped", timeout=20_000)
    number = int(me.page.url.rpartition("/")[2])
    (last,) = (run for run in me.product.runs() if run["run"] == number)
    assert (last["outcome"], last["trigger"]) == ("stopped", "manual")
    assert "anna.weiss@example.net" in last["reason"]


def switches_it_off_deletes_it_and_takes_it_back(me: Visit) -> None:
    me.go("/")
    me.press(me.row("Tally").get_by_role("switch"))
    me.page.get_by_text("Switched off: Tally").wait_for()
    off = IMPORTED + b"## Tally\n#" + LINE
    assert me.spool.read_bytes() == off
    opens_the_menu(me, "Tally")
    me.press(me.button("Delete…", me.row("Tally")))
    expect(me.page.locator("#main")).to_contain_text("Tally")
    me.press(me.button("Delete 1 job"))
    me.page.get_by_text("1 job deleted: Tally").wait_for()
    assert me.spool.read_bytes() == IMPORTED
    me.press(me.button("Undo"))
    me.row("Tally").wait_for()
    assert me.spool.read_bytes() == off


def meets_an_edit_from_outside(me: Visit) -> None:
    """Somebody saves the table by an editor while the form is open: both edits stay."""
    opens_the_menu(me, "Tally")
    me.press(me.row("Tally").get_by_role("link", name="Edit"))
    me.page.get_by_label("Description").fill("Tally for me")
    theirs = me.spool.read_bytes().replace(b"1 0 * * * ", b"7 0 * * * ", 1)
    beside = me.spool.with_name(".root.theirs")
    beside.write_bytes(theirs)
    beside.replace(me.spool)
    folds = me.page.get_by_role("complementary").locator("details")
    assert me.touch is (folds.get_attribute("open") is None)
    me.press(me.button("Save"))
    me.page.get_by_text("root’s crontab was changed while you were editing it").wait_for()
    expect(me.page.locator(".threeway")).to_contain_text("## Tally for me")
    expect(me.page.locator(".threeway")).to_contain_text("7 0 * * * ")
    me.fits()
    assert me.spool.read_bytes() == theirs
    me.press(me.button("Keep both"))
    me.page.get_by_text("The crontab of root was saved").wait_for()
    assert me.spool.read_bytes() == theirs.replace(b"## Tally", b"## Tally for me")
