"""The database engine `billclock.sqlite`: a transaction waits for its turn in short steps.

SQLite's own waiting sleeps up to 100 ms between two looks, so that a page that wants to write would
miss every gap that a long job leaves between its transactions.
"""

import sqlite3
import time

from django.db import OperationalError
from django.db.backends.sqlite3 import base

STEP = 0.002
"""Seconds between two looks whether the database is free to be written."""


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that looks often while it waits to write, for its `timeout` in all."""

    def _start_transaction_under_autocommit(self) -> None:
        """Begin a transaction; raise OperationalError when others write for too long."""
        wait = float(self.settings_dict["OPTIONS"].get("timeout", 5))
        deadline = time.monotonic() + wait
        self._busy_timeout(0)
        try:
            while True:
                try:
                    super()._start_transaction_under_autocommit()  # type: ignore[misc]
                except OperationalError as error:
                    if not _busy(error) or time.monotonic() >= deadline:
                        raise
                else:
                    return
                time.sleep(STEP)
        finally:
            self._busy_timeout(round(wait * 1000))

    def _busy_timeout(self, milliseconds: int) -> None:
        self.cursor().execute(f"PRAGMA busy_timeout = {milliseconds}")


def _busy(error: OperationalError) -> bool:
    """Tell whether an error says that another connection is writing."""
    cause = error.__cause__
    return isinstance(cause, sqlite3.Error) and cause.sqlite_errorname.startswith("SQLITE_BUSY")
