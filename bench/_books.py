"""One measurement of bench/billing.py in a process of its own: `python _books.py WHAT N`.

Prints a JSON object. BILLCLOCK_HOME and BILLCLOCK_DATABASE say where the books lie.
"""

import json
import multiprocessing
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from datetime import date
from typing import Any, Self

os.environ["DJANGO_SETTINGS_MODULE"] = "billclock.settings"

import django

django.setup()

from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F

from billclock.billing import engine, fingerprint, pricing, sealing
from billclock.billing.batches import Figures
from billclock.billing.daily import chunks, run, workers
from billclock.billing.models import (
    Account,
    Charge,
    Company,
    JobRun,
    LedgerAccount,
    Price,
    Product,
    ProductType,
    Provider,
    Service,
    Suspension,
    Transfer,
    Verdict,
)
from billclock.simulation import company

ON = date(2026, 11, 23)
BEFORE = date(2026, 11, 1)
CHUNK = int(os.environ.get("CHUNK", "0"))
WORKERS = int(os.environ.get("WORKERS", "0")) or workers.usual_count()


def found(size: int) -> dict[str, object]:
    """Found a company whose every service is due on one date."""
    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    with engine.roomy():
        company.found(company.Size(size, months_of_money=60), BEFORE)
    took = time.perf_counter() - began
    Suspension.objects.all().delete()
    ProductType.objects.update(by_months=False)
    Service.objects.update(
        status=2, stopped_for=0, auto_renew=True, paid_until=ON, anchor_day=ON.day
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {"seconds": took}


def whole() -> dict[str, object]:
    """Run the day as the job does, and again when nothing is left."""
    provider = Provider.objects.get()
    longest = multiprocessing.Value("d", 0.0)  # workers are forked, and share it

    def timed(charge: Callable[..., Figures]) -> Callable[..., Figures]:
        def act(*args: Any, **options: Any) -> Figures:
            began = time.perf_counter()
            try:
                return charge(*args, **options)
            finally:
                with longest:
                    longest.value = max(longest.value, time.perf_counter() - began)

        return act

    chunks.charge, chunks.charge_use = timed(chunks.charge), timed(chunks.charge_use)
    with Waiting() as waits:
        began, cpu = time.perf_counter(), time.process_time()
        figures = run.bill(provider, ON, run.Plan(chunk=CHUNK, workers=WORKERS))
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
    began = time.perf_counter()
    sealing.seal(ON)
    sealed = time.perf_counter() - began
    began = time.perf_counter()
    run.bill(provider, ON, run.Plan(chunk=CHUNK, workers=WORKERS))
    again = time.perf_counter() - began
    return {
        "seconds": took,
        "cpu": cpu,
        "renewed": figures.counts["renewed"],
        "charges": figures.counts["charges"],
        "longest_ms": longest.value * 1000,
        "web_write_p99_ms": waits.p99 * 1000,
        "web_write_max_ms": waits.most * 1000,
        "seal_seconds": sealed,
        "again_seconds": again,
        "memory_mib": _memory(),
    }


def _memory() -> float:
    """Give the MiB of all our processes at their most."""
    own, theirs = (
        resource.getrusage(whose).ru_maxrss / 1024
        for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own + (WORKERS * theirs if WORKERS > 1 else 0)


class Waiting:
    """Writes a row every 50 ms beside the block, as a page would, and keeps how long it took."""

    def __enter__(self) -> Self:
        self.times: list[float] = [0.0]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._write)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _write(self) -> None:
        while not self.over.wait(0.05):
            began = time.perf_counter()
            with transaction.atomic():
                Company.objects.update(due_days=F("due_days"))
            self.times.append(time.perf_counter() - began)
        connection.close()

    @property
    def most(self) -> float:
        return max(self.times)

    @property
    def p99(self) -> float:
        return sorted(self.times)[int((len(self.times) - 1) * 0.99)]


def bare() -> dict[str, object]:
    """Do charge, transfer, balance and advance alone, by one statement each, all at once."""
    provider = Provider.objects.get()
    pricing.lay_out(provider, ON)
    began = time.perf_counter()
    with engine.roomy(), transaction.atomic():
        engine.execute(
            f"""INSERT INTO billing_charge (service_id, account_id, kind, addon, period_start,
                    period_end, generation, quantity, list_minor, discount_minor, net_minor,
                    tax_minor, "on")
                SELECT s.id, s.account_id, 1, 0, s.paid_until, {engine.day("next")}, 0, 1,
                       p.amount_minor, 0, p.amount_minor, 0, s.paid_until
                FROM billing_service s JOIN billing_account a ON a.funds_id = s.account_id
                JOIN price_now p ON p.product_id = s.product_id AND p.addon = 0
                     AND p.currency = a.currency_id AND p.months = s.months
                WHERE s.paid_until <= {engine.day("on")} AND s.status = 2""",
            {"on": ON.isoformat(), "next": "2026-12-23"},
        )
        engine.execute(
            """INSERT INTO billing_transfer (debit_id, credit_id, amount_minor, currency, "on",
                   cause, source, sequence, posted_at)
               SELECT c.account_id, (SELECT min(revenue_id) FROM price_now), c.net_minor + 1,
                      a.currency_id, c."on", 1, c.id, 0, %(now)s
               FROM billing_charge c JOIN billing_account a ON a.funds_id = c.account_id""",
            {"now": "2026-11-23 00:15:00+00:00"},
        )
        engine.execute(
            """UPDATE billing_ledgeraccount SET balance_minor = balance_minor - moved.minor
               FROM (SELECT debit_id, CAST(sum(amount_minor) AS bigint) AS minor
                     FROM billing_transfer WHERE cause = 1 GROUP BY debit_id) moved
               WHERE billing_ledgeraccount.id = moved.debit_id"""
        )
        engine.execute(
            f"""UPDATE billing_service SET paid_until = {engine.day("next")}
                WHERE paid_until <= {engine.day("on")} AND status = 2""",
            {"on": ON.isoformat(), "next": "2026-12-23"},
        )
    return {"seconds": time.perf_counter() - began}


def objects(most: int = 3000) -> dict[str, object]:
    """Renew services one by one by the ORM, a transaction each, with the same rows written."""
    services = Service.objects.filter(paid_until=ON, months=1).select_related(
        "account", "product__type", "product__company"
    )[:most]
    run_row = JobRun.objects.create(
        job="twin", provider=Provider.objects.get(), on=ON, started_at="2026-11-23T00:15Z"
    )
    began, done = time.perf_counter(), 0
    for service in services:
        with transaction.atomic():
            done += _renew(service, run_row)
    return {"seconds": time.perf_counter() - began, "done": done}


def _renew(service: Service, run_row: JobRun) -> int:
    account = Account.objects.select_related("funds").get(pk=service.account_id)
    funds = LedgerAccount.objects.select_for_update().get(pk=account.funds_id)
    price = Price.objects.valid(ON).get(
        product=service.product, currency=account.currency_id, months=1, addon=0
    )
    revenue = pricing.revenue(
        service.product.company, service.product.type.code, account.currency_id
    )
    if funds.balance_minor - price.amount_minor < funds.floor_minor:
        return 0
    charge = Charge.objects.create(
        service=service, account=account, kind=1, period_start=ON, period_end=date(2026, 12, 23),
        price=price, list_minor=price.amount_minor, net_minor=price.amount_minor, on=ON,
        run=run_row,
    )  # fmt: skip
    Transfer.objects.create(
        debit=funds, credit=revenue, amount_minor=price.amount_minor, currency=funds.currency,
        on=ON, cause=1, source=charge.pk, run=run_row, posted_at="2026-11-23T00:15Z",
    )  # fmt: skip
    Verdict.objects.create(
        service=service, on=ON, outcome=1, need_minor=price.amount_minor,
        available_minor=funds.balance_minor, run=run_row,
    )  # fmt: skip
    for key, change in ((funds.pk, -price.amount_minor), (revenue.pk, price.amount_minor)):
        LedgerAccount.objects.filter(pk=key).update(balance_minor=F("balance_minor") + change)
    Service.objects.filter(pk=service.pk, paid_until=ON).update(paid_until=date(2026, 12, 23))
    return 1


def hashed() -> dict[str, object]:
    """Take the fingerprint of the books."""
    began = time.perf_counter()
    books = fingerprint.take()["books"]
    return {"seconds": time.perf_counter() - began, "books": books}


WHAT = {"whole": whole, "bare": bare, "objects": objects, "hashed": hashed}

if __name__ == "__main__":
    what, size = sys.argv[1], int(sys.argv[2])
    print(json.dumps(found(size) if what == "found" else WHAT[what]()))
    assert Product.objects.exists()
