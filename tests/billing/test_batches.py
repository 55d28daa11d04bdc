"""Ranges that others are in the way of: tried again, halved, and nobody is parked for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from billclock.billing import batches, engine
from billclock.billing.batches import Figures
from billclock.billing.progress import JobRun, Parked, begin
from billclock.sqlite.base import DatabaseWrapper
from tests.billing.company import TODAY, House
from tests.billing.engines import on_postgresql
from tests.billing.test_lock_order import WAITING, other

pytestmark = pytest.mark.django_db

TAKE = "SELECT id FROM billing_ledgeraccount WHERE id = %s FOR UPDATE"


@pytest.fixture
def accounts(postgres_database: dict[str, object]) -> Iterator[list[int]]:
    """Give two clients' accounts on PostgreSQL that other connections see too."""
    with ExitStack() as stack:
        with on_postgresql(postgres_database):
            maker = stack.enter_context(other())
            made = [_made(maker, owner) for owner in ("one", "two")]
            maker.commit()
            engine.execute("SET LOCAL deadlock_timeout = '50ms'")
            yield made
        maker.execute("DELETE FROM billing_ledgeraccount WHERE id = ANY(%s)", (made,))


def _made(maker: psycopg.Connection[tuple[object, ...]], owner: str) -> int:
    made = maker.execute(
        "INSERT INTO billing_ledgeraccount"
        " (kind, owner, currency, exponent, balance_minor, floor_minor)"
        " VALUES (1, %s, 'EUR', 2, 0, 0) RETURNING id",
        (owner,),
    ).fetchone()
    assert made
    return int(str(made[0]))


def run_of(house: House) -> JobRun:
    return begin("test", house.provider, TODAY)


@pytest.mark.postgres
@pytest.mark.parametrize("collisions", [1, len(batches.WAITS) + 1])
def test_a_deadlock_is_tried_again_then_halved_and_parks_nobody(
    accounts: list[int], collisions: int
) -> None:
    """The other connection holds the second account and wants the first one, again and again."""
    pid = engine.rows("SELECT pg_backend_pid()")[0][0]
    tried: list[tuple[int, int]] = []
    first, last = accounts

    @transaction.atomic
    def act(one: int, two: int) -> Figures:
        tried.append((one, two))
        meeting = _meet(pid, first, last) if len(tried) <= collisions else None
        try:
            batches.lock(one, two)
        finally:
            if meeting:
                freed.append(meeting)
        return Figures()

    freed: list[Thread] = []
    batches.halved(first, last, act, run_of(House()))
    for meeting in freed:
        meeting.join()
    whole = [(first, last)] * (collisions if collisions > 1 else 2)
    halves = [(first, first), (last, last)] if collisions > 1 else []
    assert tried == whole + halves
    assert not Parked.objects.exists()


def _meet(pid: int, first: int, last: int) -> Thread:
    """Let another connection take the last account, and ask for the first once we wait for it."""
    enemy, watcher = other(), other()
    watcher.autocommit = True
    enemy.execute("SET deadlock_timeout = '60s'")
    enemy.execute(TAKE, (last,))

    def close_in() -> None:
        with closing(enemy), closing(watcher):
            while watcher.execute(WAITING, (pid,)).fetchone() == (0,):
                pass
            enemy.execute(TAKE, (first,))
            enemy.rollback()

    meeting = Thread(target=close_in)
    meeting.start()
    return meeting


def test_a_writer_who_stays_too_long_is_waited_for_again(tmp_path: Path) -> None:
    file = tmp_path / "books.sqlite3"
    ours = DatabaseWrapper({**connection.settings_dict, "NAME": str(file), "OPTIONS": {
        "timeout": 0.02, "transaction_mode": "IMMEDIATE"}}, "default")  # fmt: skip
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    tried = []

    def act(one: int, two: int) -> Figures:
        tried.append((one, two))
        if len(tried) == 3:
            writer.rollback()
        ours.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        ours.rollback()
        return Figures()

    with closing(writer), closing(ours):
        batches.halved(1, 9, act, run_of(House()))
        assert tried == [(1, 9)] * 3
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            batches.halved(1, 9, lambda *_: act(0, 0), run_of(House("two")))
    assert tried[3:] == [(0, 0)] * (len(batches.WAITS) + 1)
    assert not Parked.objects.exists()


def test_a_database_in_trouble_is_not_tried_again() -> None:
    tried = []

    def act(one: int, two: int) -> Figures:
        tried.append((one, two))
        raise OperationalError("disk I/O error")

    with pytest.raises(OperationalError):
        batches.halved(1, 9, act, run_of(House()))
    assert tried == [(1, 9)]
