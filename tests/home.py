"""A folder of the tests' own, set by `-p tests.home` before Django reads its settings.

`SHARED` is one for all workers of a test run (pytest-xdist's inherit the environment of who starts
them): what is costly to make lies there, made by whoever needs it first (tests/prepared.py).
"""

import os
import shutil
import tempfile

HOME = tempfile.mkdtemp(prefix="billclock-tests-")
os.environ["BILLCLOCK_HOME"] = HOME
os.environ["BILLCLOCK_SECRET_KEY"] = "for tests only"
OURS = "BILLCLOCK_TESTS_SHARED" not in os.environ
SHARED = os.environ.setdefault(
    "BILLCLOCK_TESTS_SHARED", tempfile.mkdtemp(prefix="billclock-tests-shared-") if OURS else ""
)


def pytest_unconfigure() -> None:
    from tests import prepared

    shutil.rmtree(HOME, ignore_errors=True)
    if OURS:
        prepared.forget()
        shutil.rmtree(SHARED, ignore_errors=True)
