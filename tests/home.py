"""A folder of the tests' own, set by `-p tests.home` before Django reads its settings."""

import os
import shutil
import tempfile

HOME = tempfile.mkdtemp(prefix="billclock-tests-")
os.environ["BILLCLOCK_HOME"] = HOME
os.environ["BILLCLOCK_SECRET_KEY"] = "for tests only"


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME, ignore_errors=True)
