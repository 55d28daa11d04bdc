"""What the tests of the web share: who is signed in, a spool, entries with a history, a browser."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from billclock import clock
from billclock.accounts import freshness
from billclock.accounts.models import Role, User
from billclock.scheduler.models import Beat, Entry, Outcome, Run
from billclock.scheduler.tables import Tables
from tests.billing.conftest import engine  # noqa: F401 - a fixture
from tests.conftest import CHROMIUM
from tests.web.server import Server, serving


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: LazySettings) -> Path:
    """A folder of the test's own for crontabs and outputs."""
    settings.HOME = tmp_path
    settings.SPOOL = tmp_path / "spool"
    settings.RUN_OUTPUTS = tmp_path / "runs"
    settings.CONTROL_SOCKET = tmp_path / "daemon.sock"
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SPOOL.mkdir()
    return tmp_path


@pytest.fixture
def signed_in() -> Callable[..., Client]:
    """Sign a user of a role in, with some tables open to him or all."""

    def sign_in(role: Role = Role.ROOT, tables: str = "") -> Client:
        user = User.objects.create_user(f"{role}@example.net", role=role, tables=tables)
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def table(settings: LazySettings) -> Callable[..., list[Entry]]:
    """Write a crontab, let it be read as the daemon does, and give its entries in order."""

    def write(text: str, name: str = "root") -> list[Entry]:
        (settings.SPOOL / name).write_text(text, encoding="utf-8")
        Tables().table(name).load()
        return list(Entry.objects.filter(table=name, gone_at=None).order_by("line"))

    return write


def proven(client: Client) -> Client:
    """Let the user of a session have just shown who he is."""
    session = client.session
    freshness.prove(session)
    session.save()
    return client


def beat(at: datetime | None = None, *, stopped: bool = False) -> None:
    """Give a sign of the daemon's life."""
    at = at or clock.now()
    values = {"pid": 1, "at": at, "served": at, "boot": "b", "offset": 0.0, "stopped": stopped}
    Beat.objects.update_or_create(host="test", defaults=values)


def ran(entry: Entry, at: datetime, seconds: float = 1.0, **values: object) -> Run:
    """Put a run that is over into the history."""
    fields = {
        "planned": at,
        "started": at + timedelta(milliseconds=10),
        "finished": at + timedelta(milliseconds=10) + timedelta(seconds=seconds),
        "outcome": Outcome.SUCCEEDED,
        "exit_code": 0,
        **values,
    }
    return Run.objects.create(entry=entry, **fields)


# a browser before a server: a module whose server has more to begin with brings its own `server`


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module; for longer it would keep the database from the tests after it."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a folder of the module's own, with a spool and no table in it."""
    with serving(tmp_path_factory.mktemp("home")) as running:
        (running.home / "spool").mkdir()
        yield running


@pytest.fixture(scope="module")
def session(server: Server) -> Any:
    """Sign the root user EMAIL in, and give a browser's cookies."""
    return server.signed_in()


@pytest.fixture
def complaints() -> list[str]:
    """Collect what consoles say, errors of scripts, and what is fetched from outside."""
    return []


@pytest.fixture
def opened(
    server: Server, browser: Browser, session: Any, complaints: list[str]
) -> Iterator[Callable[..., Page]]:
    """Open a page of the server, signed in unless `storage_state` says who else."""
    contexts: list[BrowserContext] = []

    def open_page(path: str, **how: Any) -> Page:
        context = browser.new_context(**{"storage_state": session, **how})
        contexts.append(context)
        page = context.new_page()
        listen(page, server.address, complaints)
        page.goto(server.address + path, wait_until="load")
        return page

    yield open_page
    for context in contexts:
        context.close()


def listen(page: Page, address: str, complaints: list[str]) -> None:
    """Add to `complaints` what the console says, and each request that leaves the server."""

    def asked(url: str) -> None:
        if not url.startswith((address, "data:")):
            complaints.append(f"fetched {url}")

    def told(said: ConsoleMessage) -> None:
        if said.type != "info":  # a note, such as that signing out emptied the cache
            complaints.append(said.text)

    page.on("console", told)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked(request.url))
