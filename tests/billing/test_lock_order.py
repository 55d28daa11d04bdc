"""Acts take locks in one order, accounts first: none waits forever for another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
from django.db import connection
from django.db.models import Model
from pytest_django.fixtures import Settings

from billclock.billing import closing, declining, engine, invoicing, paying, stopping, storing
from billclock.billing.clients import Account
from billclock.billing.daily import due, posting
from billclock.billing.invoices import Invoice
from tests.billing.company import TODAY
from tests.billing.engines import committed, join, on_postgresql
from tests.billing.tills import Till, scripted

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"
ANYBODY_WAITS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)
HOLD = "SELECT id FROM billing_ledgeraccount FOR UPDATE"
TAKE = "SELECT id FROM billing_ledgeraccount WHERE owner = %s FOR UPDATE"


def other() -> psycopg.Connection[tuple[object, ...]]:
    """Connect as another process would."""
    return psycopg.connect(
        **connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}
    )


@pytest.fixture
def ours(postgres_database: dict[str, object]) -> Iterator[dict[str, int]]:
    """Give two accounts of ours that other connections see too: a tax's, then a revenue's."""
    with ExitStack() as stack:
        with on_postgresql(postgres_database):
            maker = stack.enter_context(other())
            found = {
                owner: _made(maker, owner, kind) for owner, kind in (("tax", 3), ("revenue", 2))
            }
            maker.commit()
            yield found
        keys = list(found.values())
        maker.execute("DELETE FROM billing_ledgeraccount WHERE id = ANY(%s)", (keys,))


def _made(maker: psycopg.Connection[tuple[object, ...]], owner: str, kind: int) -> int:
    made = maker.execute(
        "INSERT INTO billing_ledgeraccount"
        " (kind, owner, currency, exponent, balance_minor, floor_minor)"
        " VALUES (%s, %s, 'EUR', 2, 0, 0) RETURNING id",
        (kind, owner),
    ).fetchone()
    assert made
    return int(str(made[0]))


def test_the_daily_run_waits_for_the_first_account_before_it_takes_the_next(
    ours: dict[str, int],
) -> None:
    free: list[bool] = []
    through = Event()
    pid = engine.rows("SELECT pg_backend_pid()")[0][0]
    due.make_table()
    engine.execute(
        "INSERT INTO due (service_id, addon, revenue_id, tax_account_id, net_minor, tax_minor)"
        " VALUES (1, 0, %(revenue)s, %(tax)s, 100, 19)",
        ours,
    )
    with other() as first, other() as second:
        second.autocommit = True
        first.execute(TAKE, ("tax",))

        def look() -> None:
            while second.execute(WAITING, (pid,)).fetchone() == (0,) and not through.wait(0.02):
                pass
            taken = second.execute(f"{TAKE} SKIP LOCKED", ("revenue",)).fetchone()
            free.append(taken is not None)
            first.rollback()

        looking = Thread(target=look)
        looking.start()
        posting.balances()
        through.set()
        looking.join()
    assert free == [True]


def test_acts_take_the_account_before_what_is_its(settings: Settings, tmp_path: Path) -> None:
    """Each act waits for the account, and meanwhile leaves free what it is about to change."""
    settings.HOME = tmp_path
    with committed() as entry, scripted(), other() as first, other() as second:
        second.autocommit = True
        for act, row in _acts():
            first.execute(HOLD)
            acting = Thread(target=_joined, args=(entry, act))
            acting.start()
            while second.execute(ANYBODY_WAITS).fetchone() == (0,) and acting.is_alive():
                acting.join(0.02)
            table = row._meta.db_table
            taken = f"SELECT id FROM {table} WHERE id = %s FOR UPDATE SKIP LOCKED"
            free = second.execute(taken, (row.pk,)).fetchone()
            waited = acting.is_alive()
            first.rollback()
            acting.join()
            assert (waited, free) == (True, (row.pk,)), table


def _acts() -> list[tuple[Callable[[], object], Model]]:
    """Give acts, each with the row that it changes."""
    till = Till()
    draft, issued = (_invoice(till.account, state) for state in ("draft", "issued"))
    payment = paying.request(till.account, till.method, 5_00, key="p")
    service = till.house.service(till.account, "monthly", TODAY)
    return [
        (lambda: invoicing.cancel(draft), draft),
        (lambda: closing.sign(issued, TODAY), issued),
        (lambda: storing.forget(till.stored), till.stored),
        (lambda: declining.give_up(payment), payment),
        (lambda: stopping.set_auto_renew(service, on=False, by="ada"), service),
    ]


def _invoice(account: Account, state: str) -> Invoice:
    made = Invoice.objects.create(
        key=state, company=account.company, account=account, currency="EUR"
    )
    if state == "issued":
        Invoice.objects.filter(pk=made.pk).update(number="R-1", issued_on=TODAY, state=state)
    return Invoice.objects.get(pk=made.pk)


def _joined(entry: dict[str, object], act: Callable[[], object]) -> None:
    """Act by a connection of this thread's own."""
    mine = join(entry)
    try:
        act()
    finally:
        mine.close()
