"""What goes wrong, as the person in front of the screen sees it: what happened, and what to do."""

import fcntl
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.acceptance.product import Product, Started, until
from tests.acceptance.test_full_disk import fill
from tests.conftest import CHROMIUM

pytestmark = [pytest.mark.chromium, pytest.mark.root]

PASSWORD = "a clock of ledger paper"
USERS = """
import django; django.setup()
from billclock.accounts.models import User
for name, role, tables in [("anna", "root", ""), ("boris", "root", ""), ("vera", "viewer", ""),
                           ("oleg", "operator", ""), ("fedor", "root", "www")]:
    User.objects.create_user(f"{name}@example.net", %r, role=role, tables=tables)
"""
TABLE = b"## Nightly\n15 2 1 1 * /bin/echo night\n"
BIDI, ESCAPE = "\u202e", "\x1b"
PLANTED = "<img id=planted src=/x><script id=planted>alert(1)</script>"
PRINTS = (
    r"printf '\033[31mred\033[0m \033]0;owned\007 \342\200\256 <b id=planted>bold</b>\n'; exit 3"
)


@pytest.fixture(scope="module")
def up(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """The product with its folder on a disk of 32 MiB, and five people who may use it."""
    disk = tmp_path_factory.mktemp("disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", disk], check=True)
    try:
        product = Product(checkout, disk / "home", {"TZ": "UTC"})
        with product.started() as started:
            python, settings = product.venv / "bin" / "python", "billclock.settings"
            made = product.call(python, "-c", USERS % PASSWORD, DJANGO_SETTINGS_MODULE=settings)
            assert made.returncode == 0, made.stderr
            yield started
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture(scope="module")
def people(up: Started, browser: Browser) -> Iterator[Callable[[str], BrowserContext]]:
    """Each person's browser, signed in once."""
    contexts: dict[str, BrowserContext] = {}

    def of(name: str) -> BrowserContext:
        if name not in contexts:
            context = contexts[name] = browser.new_context(base_url=up.product.address)
            context.set_default_timeout(15_000)
            page = context.new_page()
            sign_in(page, name)
            page.wait_for_url(lambda url: "sign-in" not in url)
            page.close()
        return contexts[name]

    yield of
    for context in contexts.values():
        context.close()


@pytest.fixture
def screen(people: Callable[[str], BrowserContext], spool: Path) -> Iterator[Callable[..., Page]]:
    """A page of a person's browser, of whom nobody may plant a dialog."""
    pages: list[Page] = []
    dialogs: list[str] = []

    def opened(name: str, path: str) -> Page:
        page = people(name).new_page()
        pages.append(page)
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        page.goto(path, wait_until="load")
        return page

    assert spool.exists()
    yield opened
    for page in pages:
        page.close()
    assert dialogs == []


@pytest.fixture
def spool(up: Started) -> Path:
    up.product.install(TABLE)
    (up.product.home / "spool" / "www").write_bytes(b"3 3 1 1 * /bin/www\n")
    return up.product.home / "spool" / "root"


@pytest.fixture
def key(up: Started, spool: Path) -> str:
    assert spool.read_bytes() == TABLE
    return until(lambda: up.product.key("/bin/echo night"))


def sign_in(page: Page, name: str) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail").fill(f"{name}@example.net")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def test_a_scheduler_that_is_down_is_told_and_started_from_the_page(
    up: Started, screen: Callable[..., Page]
) -> None:
    product = up.product
    before = product.daemon()
    product.ask("halt")
    with (product.home / "daemon.lock").open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # so that none can start
        anna = screen("anna", "/")
        banner = anna.get_by_role("alert").filter(has_text="The scheduler is not running")
        expect(banner).to_contain_text("Start it with ./run, or billclock scheduler alone")
        expect(banner).to_contain_text("last tick")
        for name in ("vera", "fedor"):
            other = screen(name, "/timeline").get_by_role("alert")
            expect(other).to_contain_text("The scheduler is not running")
            assert not other.get_by_role("button").count()
        until(lambda: up.text.count("the scheduler ended") >= 4)  # it waits ever longer
    banner.get_by_role("button", name="Start it").click()
    anna.get_by_text("The scheduler was asked to start").wait_for()
    assert until(lambda: product.daemon() != before and _answers(product), 5)
    anna.goto("/")
    expect(anna.locator(".engine")).to_contain_text("Running")
    assert not anna.get_by_role("alert").count()


def test_a_full_disk_refuses_a_save_and_keeps_what_was_typed(
    up: Started, screen: Callable[..., Page], spool: Path, key: str
) -> None:
    page = screen("anna", f"/entries/{key}")
    page.get_by_label("Description").fill("Nightly, said anew")
    filler = fill(up.product.home.parent)
    try:
        save(page)
        alert = page.get_by_role("alert").filter(has_text="Nothing was saved yet")
        expect(alert).to_contain_text("make room")
        assert page.get_by_label("Description").input_value() == "Nightly, said anew"
        assert spool.read_bytes() == TABLE
        assert screen("anna", "/").get_by_role("link", name="Nightly").count()
    finally:
        filler.unlink()
    save(page)
    page.get_by_text("Saved: Nightly, said anew").wait_for()
    assert spool.read_bytes() == TABLE.replace(b"Nightly", b"Nightly, said anew")


def test_a_crontab_that_cannot_be_read_says_why_and_what_mends_it(
    up: Started, screen: Callable[..., Page], spool: Path
) -> None:
    kept = spool.rename(spool.with_name(".kept"))
    spool.mkdir()
    try:
        # Between the two steps above the daemon may see no table: the job is gone then, and its
        # form says that instead.
        for path in ("/", "/settings", "/crontab", "/timeline", "/problems"):
            page = screen("anna", path)
            assert page.locator("#main").count(), path
            if path in ("/", "/settings", "/crontab"):
                expect(page.locator("#main")).to_contain_text("can't be read")
                expect(page.locator("#main")).to_contain_text(str(spool))
    finally:
        spool.rmdir()
        kept.rename(spool)
    page = screen("anna", "/")
    expect(page.get_by_role("link", name="Nightly")).to_be_visible()


def test_two_people_who_edit_one_job_lose_nothing(
    screen: Callable[..., Page], spool: Path, key: str
) -> None:
    anna, boris = screen("anna", f"/entries/{key}"), screen("boris", f"/entries/{key}")
    anna.get_by_label("Start time").fill("03:33")
    save(anna)
    anna.get_by_text("Saved: Nightly").wait_for()
    boris.get_by_label("Start time").fill("04:44")
    save(boris)
    boris.get_by_text("By anna@example.net at").wait_for()
    boris.get_by_text("Both edits touch the same lines").wait_for()
    three = boris.locator(".threeway")
    expect(three).to_contain_text("33 3 1 1 * /bin/echo night")
    expect(three).to_contain_text("44 4 1 1 * /bin/echo night")
    assert spool.read_bytes() == TABLE.replace(b"15 2", b"33 3")
    boris.get_by_role("button", name="Decide line by line").click()
    text = boris.locator("textarea[name=text]")
    text.fill(text.input_value() + "33 3 1 1 * /bin/echo night\n")
    boris.get_by_role("button", name="Install").click()
    until(lambda: b"44 4" in spool.read_bytes())
    both = TABLE.replace(b"15 2", b"44 4") + b"33 3 1 1 * /bin/echo night\n"
    assert spool.read_bytes() == both


@pytest.mark.parametrize(
    ("name", "runs"), [("vera", "Needs the role Operator"), ("oleg", "Tick a job first")]
)
def test_who_may_not_edit_reads_the_form_and_the_right_he_lacks(
    screen: Callable[..., Page], key: str, name: str, runs: str
) -> None:
    page = screen(name, f"/entries/{key}")
    expect(page.locator("#main")).to_contain_text("needs the role Root")
    for field in ("Command", "Description", "Start time"):
        expect(page.get_by_label(field, exact=True)).to_be_disabled()
    assert not page.get_by_role("button", name=re.compile("Save|Test run")).count()
    page.goto("/")
    create = page.get_by_role("link", name="Create job")
    assert create.get_attribute("aria-disabled") == "true"
    assert create.get_attribute("title") == "Needs the role Root"
    run = page.get_by_role("toolbar").first.get_by_role("button", name="Run now")
    expect(run).to_have_attribute("title", runs)
    forced = page.request.post(f"/entries/{key}", form={"do": "save"})
    assert forced.status == 403


def test_who_has_another_table_is_told_nothing_of_this_one(
    screen: Callable[..., Page], key: str
) -> None:
    page = screen("fedor", f"/entries/{key}")
    expect(page.get_by_role("heading")).to_have_text("This is not open to you")
    assert "Nightly" not in page.content()
    page.goto("/?table=root")
    assert "Nightly" not in page.content()


def test_hostile_words_are_shown_and_do_nothing(
    up: Started, screen: Callable[..., Page], spool: Path
) -> None:
    hostile = f"{PLANTED} {BIDI}desrever{ESCAPE}[2J"
    spool.write_text(f"## {hostile}\n15 2 1 1 * {PRINTS} # {hostile}\n", encoding="utf-8")
    entry = until(lambda: next((k for c, k in _keys(up) if c.startswith("printf")), None))
    run = up.product.ask("run-now", entry=int(entry), actor=PLANTED)["run"]
    until(lambda: up.product.runs("-n", "1")[0]["outcome"] == "failed")
    paths = (
        "/", f"/entries/{entry}", f"/runs/{run}", f"/runs/{run}?show=command",
        f"/runs/{run}?show=changes", f"/runs/{run}?show=events", "/runs", "/timeline", "/problems",
        "/crontab", "/crontab/edit", "/crontab/versions", "/settings",
        f"/runs?q={PLANTED}", f"/?q={PLANTED}", f"/timeline?what={PLANTED}",
    )  # fmt: skip
    for path in paths:
        page = screen("anna", path)
        assert not page.locator("#planted").count(), path
        raw = page.content()
        assert BIDI not in raw, path
        assert ESCAPE not in raw, path
        assert "owned" not in page.title()
    output = screen("anna", f"/runs/{run}").locator("[data-rows]")
    expect(output).to_contain_text("red")
    expect(output).to_contain_text("<b id=planted>bold</b>")
    expect(output).to_contain_text("⟨U+202E⟩")


def _answers(product: Product) -> bool:
    try:
        return bool(product.ask("status")["ok"])
    except OSError:
        return False


def _keys(up: Started) -> list[tuple[str, str]]:
    return [(command, row["key"]) for command, row in up.product.entries().items()]
