"""Where the simulated gateway keeps its truth: an SQLite file, or memory."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

WAIT = 30.0  # seconds for another process's transaction; each is far under one

SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    act TEXT, key TEXT, count INTEGER NOT NULL, PRIMARY KEY (act, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    act TEXT, key TEXT, digest TEXT NOT NULL, answer TEXT NOT NULL,
    PRIMARY KEY (act, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS late (
    id INTEGER PRIMARY KEY, due TEXT NOT NULL, act TEXT NOT NULL, request TEXT NOT NULL,
    decline TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS payments (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, minor INTEGER NOT NULL,
    currency TEXT NOT NULL, reference TEXT NOT NULL, return_url TEXT NOT NULL,
    state TEXT NOT NULL, decline TEXT NOT NULL, at TEXT NOT NULL, due TEXT);
CREATE TABLE IF NOT EXISTS refunds (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, payment INTEGER NOT NULL,
    minor INTEGER NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS disputes (
    id INTEGER PRIMARY KEY, payment INTEGER NOT NULL UNIQUE, won INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS setups (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
    return_url TEXT NOT NULL, state TEXT NOT NULL, token TEXT NOT NULL,
    at TEXT NOT NULL, due TEXT);
CREATE TABLE IF NOT EXISTS cards (
    token TEXT PRIMARY KEY, account TEXT NOT NULL, behaviour TEXT NOT NULL,
    forgotten INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notices (
    id INTEGER PRIMARY KEY, event INTEGER NOT NULL, due TEXT NOT NULL, sent TEXT);
CREATE INDEX IF NOT EXISTS late_due ON late (due);
CREATE INDEX IF NOT EXISTS payments_due ON payments (due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS setups_due ON setups (due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS notices_due ON notices (due) WHERE sent IS NULL;
"""


class Store:
    """Gives one transaction after another; a path is shared by processes, None is memory."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._memory = None if path else _connected(":memory:")
        self._made = False

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give a connection in a write transaction, which ends with the block."""
        with self._lock:
            if self._memory:
                with _transaction(self._memory):
                    yield self._memory
            else:
                with closing(self._opened()) as connection, _transaction(connection):
                    yield connection

    def close(self) -> None:
        """Give back what memory held; a file needs no closing."""
        if self._memory:
            self._memory.close()

    def _opened(self) -> sqlite3.Connection:
        if self._path and not self._made:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = _connected(str(self._path), schema=not self._made)
        self._made = True
        return connection


def _connected(place: str, *, schema: bool = True) -> sqlite3.Connection:
    connection = sqlite3.connect(place, timeout=WAIT, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    if schema:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def stamp(moment: datetime) -> str:
    """Write an aware moment so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def moment(text: str) -> datetime:
    """Read what `stamp` wrote."""
    return datetime.fromisoformat(text)
