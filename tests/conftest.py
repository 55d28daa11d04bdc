"""What all tests share: needs that are not met are told, and fail where everything is at hand."""

import os
import shutil
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NEEDS = {
    "root": (os.geteuid() == 0, "root"),
    "chromium": (CHROMIUM is not None, "a Chromium (apt-get install chromium)"),
    "debian_cron": (Path("/usr/sbin/cron").exists(), "Debian's cron (apt-get install cron)"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the tests of full counts too")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out, or under BILLCLOCK_TEST_ALL fail, a test whose needs are not met."""
    if item.get_closest_marker("long") and not item.config.getoption("--long"):
        pytest.skip("full counts: ./run test --long")
    for name, (met, what) in NEEDS.items():
        if item.get_closest_marker(name) and not met:
            message = f"not run: it needs {what}"
            if os.environ.get("BILLCLOCK_TEST_ALL"):
                pytest.fail(message)
            pytest.skip(message)
