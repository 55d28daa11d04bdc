"""How long does "why?" take: a service's date, and what an account was told of its money?

A company lives some weeks in a database of its own; then random services and days are explained.
Beside them stands the bare query of the service's row. Promised are 50 ms; the wall's are stretched
by other work on the machine, the processor's are not.
"""

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from _print import show

FIRST = date(2026, 1, 28)
ASKED = 500


def main() -> None:
    """Found, let live, explain."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--services", type=int, default=2000)
    options.add_argument("--days", type=int, default=40)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="billclock-bench-") as folder:
        os.environ["BILLCLOCK_HOME"] = folder
        (Path(folder) / "data").mkdir()
        rows = measured(chosen.services, chosen.days)
    show(f"Why: {chosen.services} services, {chosen.days} days", rows, as_json=chosen.json)


def measured(size: int, days: int) -> list[dict[str, Any]]:
    """Give the milliseconds of each question."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "billclock.settings"
    import django

    django.setup()
    from django.core.management import call_command

    from billclock import clock
    from billclock.billing import forecast, money_letters
    from billclock.billing.daily import run
    from billclock.billing.explaining import explain_service
    from billclock.billing.models import Account, Service
    from billclock.simulation import company

    call_command("migrate", verbosity=0)
    provider = company.found(company.Size(size), FIRST)
    lived = [FIRST + timedelta(days=day) for day in range(1, days + 1)]
    for on in lived:
        with clock.at(datetime.combine(on, datetime.min.time(), UTC)):
            run.bill(provider, on, run.Plan())
    dice = random.Random(1)
    numbers = list(Service.objects.values_list("number", flat=True))
    accounts = list(Account.objects.select_related("provider"))
    with clock.at(datetime.combine(lived[-1], datetime.min.time(), UTC)):
        on = lived[-1]
        return [
            timed("the service's row", lambda: Service.objects.get(number=dice.choice(numbers))),
            timed("a service's date",
                  lambda: explain_service(dice.choice(numbers), dice.choice(lived))),
            timed("an account's letters of today",
                  lambda: told(dice.choice(accounts), on, forecast, money_letters)),
            timed("an account's letters of a day that is over",
                  lambda: money_letters.concluded(dice.choice(accounts), lived[-9], None)),
        ]  # fmt: skip


def told(account: Any, on: date, forecast: Any, money_letters: Any) -> str:
    """Explain an account's letters with the forecast that goes with today."""
    return str(money_letters.concluded(account, on, forecast.outlook(account, on)))


def timed(what: str, asked: Callable[[], object]) -> dict[str, Any]:
    """Ask many times; give medians of processor and wall, the slowest hundredth, the promise."""
    busy, wall = [], []
    for _ in range(ASKED):
        began, worked = time.perf_counter(), time.process_time()
        asked()
        busy.append(1000 * (time.process_time() - worked))
        wall.append(1000 * (time.perf_counter() - began))
    return {
        "asked": what,
        "processor ms": statistics.median(busy),
        "its p99": sorted(busy)[len(busy) * 99 // 100],
        "wall ms": statistics.median(wall),
        "promised ms": 50,
    }


if __name__ == "__main__":
    main()
