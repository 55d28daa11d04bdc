"""What SQLite and PostgreSQL say differently in our set statements."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import (
    DEFAULT_DB_ALIAS,
    OperationalError,
    ProgrammingError,
    connection,
    connections,
)

Values = Mapping[str, Any]

_STAMP = "billing_stamp"

COLLISIONS = ("40001", "40P01")
"""PostgreSQL's codes of a serialisation failure and of a deadlock."""


def on_postgresql() -> bool:
    """Tell which of the two engines the books lie in."""
    return connection.vendor == "postgresql"


def execute(sql: str, values: Values | None = None) -> int:
    """Execute one statement with named values (`%(on)s`) and give the number of rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values or {})
        return max(int(cursor.rowcount), 0)


def rows(sql: str, values: Values | None = None) -> list[tuple[Any, ...]]:
    """Give a query's rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values or {})
        return list(cursor.fetchall())


def execute_many(sql: str, lines: list[Mapping[str, Any]]) -> None:
    """Execute one statement for each line of named values."""
    if lines:
        with connection.cursor() as cursor:
            cursor.executemany(sql, lines)


def insert(table: str, columns: tuple[str, ...], lines: list[tuple[Any, ...]]) -> None:
    """Insert rows of values."""
    if lines:
        marks = ", ".join(["%s"] * len(columns))
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
                lines,
            )


def scratch(table: str, columns: str) -> None:
    """Make an empty table of this connection's own, in memory where the engine can."""
    if on_postgresql():
        execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({columns})")
        execute(f"TRUNCATE {table}")
        return
    execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({columns})")
    execute(f"DELETE FROM temp.{table}")  # noqa: S608


def stamp() -> None:
    """Mark the session that this connection's tables lie in, to know it again."""
    if on_postgresql():
        mark = secrets.token_hex(8)
        scratch("session_stamp", "mark text")
        insert("session_stamp", ("mark",), [(mark,)])
        vars(connections[DEFAULT_DB_ALIAS])[_STAMP] = mark


def require_stamped() -> None:
    """Raise OperationalError where this connection's tables are not there, or are another's."""
    if not on_postgresql():
        return
    try:
        found = rows("SELECT mark FROM session_stamp")
    except ProgrammingError:
        found = []
    if found != [(vars(connections[DEFAULT_DB_ALIAS]).get(_STAMP),)]:
        raise OperationalError(
            "PostgreSQL answers from another session than before, so that the prices laid out"
            " there are not ours: a pooler shares sessions by transaction; let it share them by"
            " session, or connect past it (docs/howto/keep-the-books-in-postgresql.md)"
        )


def analyze(*tables: str) -> None:
    """Let PostgreSQL count what is in tables, by which it plans; SQLite plans well without."""
    if on_postgresql() and tables:
        execute(f"ANALYZE {', '.join(tables)}")


def analyze_grown(*tables: str) -> None:
    """Count again what has grown by a fifth: no vacuum may have come by since a load, or ever."""
    if on_postgresql():
        grown = rows(
            "SELECT relname FROM pg_stat_user_tables WHERE relname = ANY(%(tables)s) "
            "AND n_mod_since_analyze > 1000 + n_live_tup / 5",
            {"tables": list(tables)},
        )
        analyze(*(name for (name,) in grown))


def collided(error: BaseException) -> bool:
    """Tell whether PostgreSQL ended a transaction for the sake of another one: a deadlock."""
    return getattr(error.__cause__, "sqlstate", "") in COLLISIONS


def kept_waiting(error: BaseException) -> bool:
    """Tell whether SQLite gave up waiting for another connection that writes."""
    return str(getattr(error.__cause__, "sqlite_errorname", "")).startswith("SQLITE_BUSY")


def day(name: str) -> str:
    """Give a date among the values as an expression of type date."""
    return f"%({name})s::date" if on_postgresql() else f"%({name})s"


def sifted(column: str) -> str:
    """Give a column that narrows what other conditions have found, and begins no search.

    The sum keeps SQLite from going by the column's index. PostgreSQL would take the sum for a
    condition that next to nothing meets, and plan for a handful of rows.
    """
    return column if on_postgresql() else f"{column} + 0"


def moment(at: datetime) -> Any:
    """Give a moment as Django keeps it in this engine's columns; compared as text in SQLite."""
    return connection.ops.adapt_datetimefield_value(at)


def greatest(*expressions: str) -> str:
    """Give the largest of some numbers, none of them null."""
    return f"{'GREATEST' if on_postgresql() else 'max'}({', '.join(expressions)})"


@contextmanager
def roomy(mebibytes: int = 64) -> Iterator[None]:
    """Give SQLite a larger page cache for the block; PostgreSQL has its own.

    Within a transaction SQLite lets none of this be changed, and the block runs as it is.
    """
    if on_postgresql() or connection.in_atomic_block:
        yield
        return
    (before,) = rows("PRAGMA cache_size")[0]
    execute(f"PRAGMA cache_size = -{mebibytes * 1024}")
    try:
        yield
    finally:
        execute(f"PRAGMA cache_size = {before}")
