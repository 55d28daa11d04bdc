"""The simulated panel's own truth: its services in a file, and the orders it has carried out."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from billclock.billing.processing.base import Action, Condition, Order, Seen, Use
from billclock.billing.processing.simulated.faults import SLOW, Fault

_TABLES = """
CREATE TABLE IF NOT EXISTS service (
    number TEXT PRIMARY KEY, condition TEXT NOT NULL, product TEXT NOT NULL, addons TEXT NOT NULL,
    ready REAL NOT NULL);
CREATE TABLE IF NOT EXISTS carried_out (key TEXT PRIMARY KEY, act TEXT NOT NULL, number TEXT);
CREATE TABLE IF NOT EXISTS usage (
    number TEXT NOT NULL, addon TEXT NOT NULL, amount INTEGER NOT NULL,
    PRIMARY KEY (number, addon));
CREATE TABLE IF NOT EXISTS told (nth INTEGER PRIMARY KEY, fault TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS call (key TEXT PRIMARY KEY, count INTEGER NOT NULL);
"""

AFTER = {
    Action.OPEN: Condition.RUNNING,
    Action.RESUME: Condition.RUNNING,
    Action.SUSPEND: Condition.STOPPED,
    Action.CLOSE: Condition.ABSENT,
}


class NotThereError(LookupError):
    """The panel has no such service."""


@dataclass(frozen=True, slots=True)
class Panel:
    """The panel at a file. Its acts are safe against others at the same file."""

    file: Path

    def fail(self, *faults: Fault) -> None:
        """Let the next calls that change something go so, in this or any other process."""
        with self._open() as db:
            db.executemany("INSERT INTO told (fault) VALUES (?)", [(fault,) for fault in faults])

    def told(self) -> Fault | None:
        """Take the next fault that somebody asked for."""
        with self._open() as db:
            query = "DELETE FROM told WHERE nth = (SELECT min(nth) FROM told) RETURNING fault"
            found = db.execute(query).fetchall()
            return Fault(found[0][0]) if found else None

    def count(self, key: str) -> int:
        """Count one more call of a key and give its number, from 1."""
        with self._open() as db:
            query = (
                "INSERT INTO call VALUES (?, 1) "
                "ON CONFLICT (key) DO UPDATE SET count = count + 1 RETURNING count"
            )
            return int(db.execute(query, (key,)).fetchone()[0])

    def carry_out(self, action: Action, order: Order, *, slowly: bool = False) -> bool:
        """Do what an order says, once a key; tell whether it is done by now.

        Raises NotThereError for a service that is to be stopped, resumed or changed and is not
        there.
        """
        with self._open() as db:
            query = "INSERT OR IGNORE INTO carried_out VALUES (?, ?, ?)"
            if db.execute(query, (order.key, action, order.service)).rowcount:
                self._do(db, action, order, ready=order.at + SLOW if slowly else order.at)
            return self._seen(db, order).condition is not Condition.BUSY

    def hold(self, services: Iterable[tuple[str, str]]) -> None:
        """Let services (number, product) run there that were never ordered from here."""
        query = "INSERT OR IGNORE INTO service VALUES (?, ?, ?, '{}', 0)"
        with self._open() as db:
            db.executemany(query, ((n, Condition.RUNNING, product) for n, product in services))

    def seen(self, order: Order) -> Seen:
        """Tell how a service is at the order's moment."""
        with self._open() as db:
            return self._seen(db, order)

    def use(self, number: str, addon: str, amount: int) -> None:
        """Let a service have so many units of an add-on in use from now on."""
        with self._open() as db:
            query = "INSERT OR REPLACE INTO usage VALUES (?, ?, ?)"
            db.execute(query, (number, addon, amount))

    def uses(self, asked: Iterable[Order]) -> list[Use]:
        """Tell what the services asked about use, by their numbers."""
        query = "SELECT addon, amount FROM usage WHERE number = ? ORDER BY addon"
        with self._open() as db:
            return [
                Use(order.service, addon, amount)
                for order in asked
                for addon, amount in db.execute(query, (order.service,))
            ]

    def times(self, action: Action, number: str) -> int:
        """Count how often something was done to a service."""
        with self._open() as db:
            query = "SELECT count(*) FROM carried_out WHERE act = ? AND number = ?"
            return int(db.execute(query, (action, number)).fetchone()[0])

    def _do(self, db: sqlite3.Connection, action: Action, order: Order, *, ready: datetime) -> None:
        query = "SELECT condition FROM service WHERE number = ?"
        found = db.execute(query, (order.service,)).fetchone()
        before = Condition(found[0]) if found else Condition.ABSENT
        if before is Condition.ABSENT and action not in {Action.OPEN, Action.CLOSE}:
            raise NotThereError(order.service)
        addons = json.dumps(dict(order.addons), sort_keys=True)
        db.execute(
            "INSERT OR REPLACE INTO service VALUES (?, ?, ?, ?, ?)",
            (order.service, AFTER.get(action, before), order.product, addons, ready.timestamp()),
        )

    def _seen(self, db: sqlite3.Connection, order: Order) -> Seen:
        query = "SELECT condition, product, addons, ready FROM service WHERE number = ?"
        found = db.execute(query, (order.service,)).fetchone()
        if not found:
            return Seen(Condition.ABSENT)
        condition, product, addons, ready = found
        if ready > order.at.timestamp():
            return Seen(Condition.BUSY)
        if condition == Condition.ABSENT:
            return Seen(Condition.ABSENT)
        return Seen(
            Condition(condition), product, json.loads(addons), {"address": f"{order.service}.test"}
        )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.file, timeout=20, isolation_level=None)) as db:
            db.executescript(f"PRAGMA synchronous = OFF; {_TABLES}")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")
