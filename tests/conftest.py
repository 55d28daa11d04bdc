"""What all tests share: needs that are not met are told, and fail where everything is at hand."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings, settings
from django.db import connections
from hypothesis import settings as hypothesis

from tests import postgres, prepared

# how long an example takes says how busy the machine is, not whether the code is right
hypothesis.register_profile("house", deadline=None)
hypothesis.load_profile("house")

QUICK = "django.contrib.auth.hashers.MD5PasswordHasher"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SLOW = tuple(
    f"tests/{name}.py"
    for name in (
        "web/test_screens",
        "api/test_permissions",
        "faults/test_payment_kills",
        "faults/test_billing_kills",
        "faults/test_numbers",
        "acceptance/test_books",
        "jobs/test_autosuspend_just",
        "simulation/test_real_month",
        "simulation/test_company",
        "faults/test_saving",
        "web/test_account_browser",
        "acceptance/test_faults_seen",
        "acceptance/test_walk",
        "web/test_jobs_browser",
        "commands/test_prepare",
        "faults/test_kills",
        "acceptance/test_first_day",
        "api/test_fuzz",
    )
)
"""What takes longest, the slowest first: `./run test --durations=100` tells."""
NEEDS = {
    "root": (lambda: os.geteuid() == 0, "root"),
    "chromium": (lambda: CHROMIUM is not None, "a Chromium (apt-get install chromium)"),
    "debian_cron": (Path("/usr/sbin/cron").exists, "Debian's cron (apt-get install cron)"),
    "busybox": (
        lambda: shutil.which("busybox") is not None,
        "busybox (apt-get install busybox-static)",
    ),
    "postgres": (postgres.answers, f"PostgreSQL at BILLCLOCK_TEST_POSTGRES={postgres.ADDRESS!r}"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the tests of full counts too")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the files begin first that take longest: none of them is left for one core at the end."""
    last = len(SLOW)
    order = {name: place for place, name in enumerate(SLOW)}
    items.sort(key=lambda item: order.get(item.nodeid.partition("::")[0], last))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out, or under BILLCLOCK_TEST_ALL fail, a test whose needs are not met."""
    if item.get_closest_marker("long") and not item.config.getoption("--long"):
        pytest.skip("full counts: ./run test --long")
    for name, (met, what) in NEEDS.items():
        if item.get_closest_marker(name) and not met():
            message = f"not run: it needs {what}"
            if os.environ.get("BILLCLOCK_TEST_ALL"):
                pytest.fail(message)
            pytest.skip(message)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what failed, a line each, in the file that `./run test` tries once more."""
    told = os.environ.get("BILLCLOCK_TEST_FAILED")
    if told:
        stats = terminalreporter.stats
        ids = {one.nodeid for kind in ("failed", "error") for one in stats.get(kind, ())}
        whole = sorted(one for one in ids if "::" in one)  # not a file, nor a worker that failed
        Path(told).write_text("".join(f"{one}\n" for one in whole))


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[dict[str, object]]:
    """Give a PostgreSQL database as an entry of DATABASES; tests need the marker postgres.

    It has the tables, and is one for the whole process: what a test makes in it, it takes away
    again.
    """
    with postgres.database(prepared.database()) as entry:
        yield entry


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """Let the databases in memory begin as a first start leaves its own: nothing to migrate."""
    addresses = {
        alias: connections[alias].creation._get_test_db_name() for alias in ("default", "scheduler")
    }
    with prepared.in_memory(addresses):
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick() -> None:
    """Leave out what each of thousands of tests would wait for, in this process alone.

    Passwords are hashed at once; a test's client does not look at all static files before its
    first request. Who proves these takes `slow_passwords` or `static_files`.
    """
    settings.PASSWORD_HASHERS = [QUICK, *settings.PASSWORD_HASHERS]
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture
def static_files(settings: LazySettings) -> None:
    """Look at all static files at the start, as the product does."""
    settings.WHITENOISE_AUTOREFRESH = False


@pytest.fixture
def slow_passwords(settings: LazySettings) -> None:
    """Hash passwords as the product does."""
    settings.PASSWORD_HASHERS = [name for name in settings.PASSWORD_HASHERS if name != QUICK]


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix() -> None:
    """Leave the databases' names alone: they lie in the memory of each worker's own process.

    pytest-django knows that of Django's SQLite engine only, and ours has another name.
    """
