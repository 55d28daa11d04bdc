"""Brings the databases to this version's tables; a stamp tells when there is nothing to do."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from pathlib import Path

import allauth
import django
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.migrations.loader import MigrationLoader

import billclock
from billclock.commands.errors import UsageError

STAMP = "migrated"


def bring_up_to_date(home: Path) -> None:
    """Migrate what the stamp in `home` does not call migrated; leave no connection open.

    Raise UsageError saying what to do where a database can't be used.
    """
    stamp, now = home / STAMP, wanted()
    if _is_stamped(stamp, now):
        return
    with _one_at_a_time(home / "locks" / "prepare"):
        if _is_stamped(stamp, now):
            return
        for alias in settings.DATABASES:
            _migrate(alias)
        beside = stamp.with_name(f".{STAMP}")
        beside.write_text(now, encoding="ascii")
        beside.replace(stamp)


def held_open() -> list[sqlite3.Connection]:
    """Give a connection to each SQLite file, to be kept as long as others come and go.

    The last to leave removes the -wal and -shm files, which none can make anew on a full disk: no
    page could then be shown.
    """
    held = []
    for alias in settings.DATABASES:
        if file := _file(alias):
            connection = sqlite3.connect(file)
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
            held.append(connection)
    return held


@cache
def wanted() -> str:
    """Name the tables this version wants: its migrations' bytes, the versions of foreign ones."""
    digest = blake2b(digest_size=16)
    versions = (billclock.__version__, django.__version__, allauth.__version__, settings.DATABASE)
    digest.update(" ".join(map(str, versions)).encode())
    for migration in sorted(Path(billclock.__file__).parent.glob("*/migrations/0*.py")):
        digest.update(migration.name.encode() + migration.read_bytes())
    return digest.hexdigest()


def _is_stamped(stamp: Path, now: str) -> bool:
    files = [file for alias in settings.DATABASES if (file := _file(alias))]
    there = all(file.exists() for file in (stamp, *files))
    return there and stamp.read_text(encoding="ascii") == now


def _migrate(alias: str) -> None:
    place = _file(alias) or alias
    try:
        _refuse_newer(alias, place)
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    except DatabaseError as error:
        raise UsageError(f"the database {place} can't be used, {error}: {_mend(error)}") from None
    finally:
        connections.close_all()


def _refuse_newer(alias: str, place: Path | str) -> None:
    loader = MigrationLoader(connections[alias])
    ours = {name.rpartition(".")[2] for name in settings.INSTALLED_APPS if "billclock." in name}
    unknown = [
        f"{app}.{name}"
        for app, name in loader.applied_migrations.keys() - loader.disk_migrations.keys()
        if app in ours
    ]
    if unknown:
        raise UsageError(
            f"the database {place} is of a newer Billclock (it has {min(unknown)}): "
            "start that version, or name another folder with BILLCLOCK_HOME"
        )


def _mend(error: DatabaseError) -> str:
    text = str(error)
    if "locked" in text:
        return "another process holds it; wait until it ends, or stop it"
    if "full" in text:
        return f"make room, see df -h {settings.HOME}"
    if "not a database" in text or "malformed" in text:
        return "bring it back from a backup, or name another folder with BILLCLOCK_HOME"
    if "readonly" in text or "unable to open" in text:
        return f"give this user the right to write {settings.HOME}"
    return "name another folder with BILLCLOCK_HOME, or tell us"


def _file(alias: str) -> Path | None:
    """Give the file of a database; None of one on a server or in memory."""
    connection = connections[alias]
    if not isinstance(connection, DatabaseWrapper) or connection.is_in_memory_db():
        return None
    return Path(connection.settings_dict["NAME"])


@contextmanager
def _one_at_a_time(place: Path) -> Iterator[None]:
    descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
