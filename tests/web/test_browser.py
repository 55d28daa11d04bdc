"""The first minutes in a real browser: link, user, sign-in, the table; no complaint of its own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.web.server import EMAIL, PASSWORD, Server, serving

pytestmark = pytest.mark.chromium

CRONTAB = """## BILLmanager daily billing
15 0 * * * /usr/local/mgr5/sbin/billmaintain --command billdaily
## select tickets
#0 1 * * * /usr/local/mgr5/sbin/billmaintain --command selecttickets
5 0 * 0 * /bin/bad
"""
HISTORY = """
from datetime import timedelta
from billclock import clock
from billclock.scheduler import output
from billclock.scheduler.models import Beat, Entry, Run
from billclock.scheduler.tables import Tables
Tables().table("root").load()
now = clock.now()
entry = Entry.objects.order_by("line").first()
for hour in range(30, 0, -1):
    at = now - timedelta(hours=hour)
    failed = hour % 7 == 0
    run = Run.objects.create(
        entry=entry, planned=at, started=at, finished=at + timedelta(seconds=5 + hour),
        outcome="failed" if failed else "succeeded", exit_code=int(failed), cpu=1.2, memory=34000,
    )
output.write_all(run.pk, b"charged <b>12</b> services\\n")
Beat.objects.create(host="x", pid=1, at=now, served=now, boot="b", offset=0)
print(run.pk)
"""
LINK = "from billclock.accounts.setup import setup_link; print(setup_link())"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("home")) as running:
        (running.home / "spool").mkdir()
        (running.home / "spool" / "root").write_text(CRONTAB, encoding="utf-8")
        yield running


@pytest.fixture(scope="module")
def last_run(server: Server) -> int:
    return int(server.python(HISTORY))


@pytest.fixture(scope="module")
def session(server: Server, browser: Browser, last_run: int) -> Any:
    """Walk through the set-up link once, and keep the cookies it leads to."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.python(LINK))
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill("too short")
    page.get_by_role("button", name="Make the user").click()
    assert "at least 10 characters" in page.content()
    assert page.get_by_label("Password").input_value() == ""
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the user").click()
    page.wait_for_url(server.address + "/")
    state = context.storage_state()
    context.close()
    return state


def test_from_the_sign_in_to_a_run(
    opened: Callable[..., Page], complaints: list[str], last_run: int
) -> None:
    page = opened("/", storage_state=None)
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill("not " + PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    assert page.get_by_role("alert").first.is_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    row = page.get_by_role("row", name="BILLmanager daily billing")
    assert "Every day at 00:15" in row.inner_text()
    assert "00:15" in row.locator(".c-next").inner_text()
    assert "succeeded" in row.locator(".c-last").inner_text()
    assert "1 line does not run" in page.content()
    row.get_by_role("link", name="succeeded").click()
    assert page.url.endswith(f"/runs/{last_run}")
    assert page.get_by_text("charged <b>12</b> services").is_visible()
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Sign out").click()
    assert page.get_by_role("heading", name="Sign in").is_visible()
    assert complaints == []


@pytest.mark.parametrize("width", [1210, 1280, 1350])
def test_on_a_laptop_nothing_of_the_head_lies_over_another(
    opened: Callable[..., Page], width: int
) -> None:
    page = opened("/", viewport={"width": width, "height": 700}, locale="ru")
    assert page.locator(".rooms").evaluate("rooms => rooms.scrollWidth <= rooms.clientWidth")


def test_on_a_phone_everything_one_presses_is_large_enough(opened: Callable[..., Page]) -> None:
    page = opened("/", viewport={"width": 390, "height": 844})
    page.get_by_label("Your account").click()
    small = page.evaluate(
        """[...document.querySelectorAll("button, summary, .seg a, .tabs a")]
            .filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 43.5)
            .map(e => e.outerHTML)"""
    )
    assert small == []


def test_the_clock_ticks_in_the_servers_zone(opened: Callable[..., Page]) -> None:
    page = opened("/", timezone_id="Asia/Tokyo")
    before = page.locator(".clock time").inner_text()
    page.wait_for_function(
        "before => document.querySelector('.clock time').textContent !== before", arg=before
    )
    after = page.locator(".clock time").inner_text()
    utc = page.evaluate("new Date().toISOString().slice(11, 16)")
    assert after[:5] == utc
    assert page.locator(".clock.apart").count() == 0


def test_a_device_whose_clock_is_wrong_is_told(opened: Callable[..., Page]) -> None:
    page = opened("/")
    page.evaluate(
        """async () => {
            const chip = document.querySelector("[data-now]");
            chip.dataset.now = Number(chip.dataset.now) + 60000;
            const script = document.querySelector("script[type=module]").src;
            (await import(new URL("clock.js", script))).start(chip);
        }"""
    )
    assert page.locator(".clock.apart").count() == 1


def test_the_end_of_a_run_appears_without_reloading(
    opened: Callable[..., Page], server: Server, last_run: int
) -> None:
    page = opened(f"/runs/{last_run}")
    server.python(
        "from billclock.scheduler.models import Run\n"
        f"Run.objects.filter(pk={last_run}).update(outcome='', finished=None)"
    )
    page.reload()
    assert page.locator(".head .st", has_text="running").is_visible()
    server.python(
        "from django.db.models import F\nfrom billclock.scheduler.models import Run\n"
        f"Run.objects.filter(pk={last_run}).update(outcome='succeeded', finished=F('started'))"
    )
    page.locator(".head .st", has_text="succeeded").wait_for(timeout=10_000)
    assert page.evaluate("document.body.dataset.refresh") == "", "and the page comes to rest"


def test_without_script_all_of_it_works(opened: Callable[..., Page], server: Server) -> None:
    page = opened("/", java_script_enabled=False)
    assert page.locator(".clock time").inner_text().count(":") == 2
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Русский").click()
    assert page.get_by_role("heading", name="Планировщик").is_visible()
    page.get_by_label("Ещё для BILLmanager daily billing").click()
    page.get_by_role("button", name="Запустить сейчас").last.click()
    assert "планировщик не работает" in page.content()


def test_the_server_said_nothing_of_trouble(server: Server) -> None:
    log = (server.home / "web.log").read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert "Warning" not in log
