"""The database `default` on an engine of choice, for tests that prove both alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connections, transaction
from django.db.backends.postgresql.base import DatabaseWrapper

from tests import postgres


@contextmanager
def on_postgresql(database: dict[str, object]) -> Iterator[None]:
    """Let `default` be a PostgreSQL database, and undo at the end what was done in it.

    `database` is the fixture postgres_database. What a test sees of commits is what a savepoint
    shows of them.
    """
    ours = connections["default"]
    theirs = DatabaseWrapper({**ours.settings_dict, "OPTIONS": {}, **database}, alias="default")
    connections["default"] = theirs
    try:
        if "billing_service" not in theirs.introspection.table_names():
            call_command("migrate", database="default", verbosity=0)
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        theirs.close()
        connections["default"] = ours


@contextmanager
def committed(database: dict[str, object]) -> Iterator[dict[str, object]]:
    """Let `default` be a copy of such a database in which all is committed, and drop it at the end.

    Gives its entry, by which a thread can connect too: `join(entry)`.
    """
    with on_postgresql(database):
        pass
    with postgres.database(template=str(database["NAME"])) as entry:
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
