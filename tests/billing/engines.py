"""The database `default` on an engine of choice, for tests that prove both alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections, transaction
from django.db.backends.postgresql.base import DatabaseWrapper

from tests import postgres, prepared


@contextmanager
def on_postgresql(database: dict[str, object]) -> Iterator[None]:
    """Let `default` be a PostgreSQL database, and undo at the end what was done in it.

    `database` is the fixture postgres_database. What a test sees of commits is what a savepoint
    shows of them.
    """
    ours = connections["default"]
    theirs = join(database)
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        theirs.close()
        connections["default"] = ours


@contextmanager
def committed() -> Iterator[dict[str, object]]:
    """Let `default` be such a database in which all is committed, and drop it at the end.

    Gives its entry, by which a thread can connect too: `join(entry)`.
    """
    with postgres.database(prepared.database()) as entry:
        ours = connections["default"]
        theirs = join(entry)
        try:
            yield entry
        finally:
            theirs.close()
            connections["default"] = ours


def join(entry: dict[str, object]) -> DatabaseWrapper:
    """Make a database this thread's `default`; whoever does so closes it."""
    settings = {**connections.settings["default"], "OPTIONS": {}, **entry}
    connections["default"] = DatabaseWrapper(settings, alias="default")
    return connections["default"]
