"""Credit limits that are settled for all accounts while money comes in for one of them."""

from __future__ import annotations

from datetime import date, timedelta
from threading import Event, Thread

import pytest
from django.db import connection

from billclock import clock
from billclock.billing import credit_limits, engine
from billclock.billing.clients import Account
from billclock.billing.daily import run
from billclock.billing.provider import Provider
from tests.billing.company import TODAY, House, noon
from tests.billing.engines import committed, join
from tests.billing.test_lock_order import WAITING, other

OTHERS = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> %s"
LATER = TODAY + timedelta(days=90)


def indebted(house: House) -> Account:
    account = house.account(0, Account.Kind.CREDIT, 50_00)
    house.service(account, auto_renew=True)
    return account


def bill(house: House, on: date) -> None:
    with clock.at(noon(on)):
        run.bill(house.provider, on, run.Plan())


@pytest.mark.postgres
@pytest.mark.django_db
def test_a_debt_paid_while_all_limits_are_settled_blocks_nobody() -> None:
    with committed() as entry:
        house = House()
        Provider.objects.update(invoices_for_credit=False)
        house.provider.refresh_from_db()
        paying, freed = indebted(house), house.account(0, Account.Kind.CREDIT, 50_00)
        bill(house, TODAY)
        Account.objects.filter(pk=freed.pk).update(credit_blocked=True)
        pid = engine.rows("SELECT pg_backend_pid()")[0][0]

        def pay() -> None:
            theirs = join(entry)
            with clock.at(noon(LATER)):
                house.pay(paying, 20_00, LATER)
                credit_limits.settle(house.provider, LATER, paying)
            theirs.close()

        through = Event()
        with other() as holder, other() as watcher:
            watcher.autocommit = True
            holder.execute("SELECT 1 FROM billing_account WHERE funds_id = %s FOR UPDATE",
                           (freed.pk,))  # fmt: skip

            def still() -> bool:
                return watcher.execute(WAITING, (pid,)).fetchone() == (0,)

            def meanwhile() -> None:
                while not through.wait(0.01) and still():
                    pass
                payer = Thread(target=pay)
                payer.start()
                while payer.is_alive() and watcher.execute(OTHERS, (pid,)).fetchone() == (0,):
                    payer.join(timeout=0.05)
                holder.rollback()
                payer.join()

            meeting = Thread(target=meanwhile)
            meeting.start()
            credit_limits.settle(house.provider, LATER)
            through.set()
            meeting.join()
        assert connection.vendor == "postgresql"
        assert not Account.objects.filter(credit_blocked=True).exists()
