"""How long does the server take for a page of Runs among a million of them, filtered and deep?

Each page is asked for in the process of the bench, with everything but the network: middleware,
session, queries, templates. Beside it stands the bare query of the newest fifty rows.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from _print import show

if TYPE_CHECKING:
    from django.test import Client

    from billclock.scheduler.models import Run

ENTRIES = 1000
AT_ONCE = 50_000
SECRET = "for a bench only"
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    """Make the rows, then ask for each page again and again."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--times", type=int, default=20)
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="billclock-bench-") as folder:
        client = prepare(Path(folder), chosen.rows)
        asked = {name: page(client, path) for name, path in pages(chosen.rows)}
        bare = bare_query()
        rows = [
            {"page": name, **measured(call, chosen.times)}
            for name, call in ({"bare query of 50 rows": bare} | asked).items()
        ]
    show(f"A page of Runs among {chosen.rows:,}", rows, as_json=chosen.json)


def prepare(folder: Path, rows: int) -> "Client":
    """Make a folder with a database of so many runs, and a browser that is signed in."""
    os.environ |= {
        "BILLCLOCK_HOME": str(folder),
        "BILLCLOCK_SECRET_KEY": SECRET,
        "BILLCLOCK_ALLOWED_HOSTS": "testserver",
        "DJANGO_SETTINGS_MODULE": "billclock.settings",
    }
    import django

    django.setup()
    from django.test import Client

    from billclock.accounts.models import Role, User
    from billclock.commands.prepare import ready

    ready()
    fill(rows)
    client = Client()
    client.force_login(User.objects.create_user("bench@example.net", role=Role.ROOT))
    return client


def fill(rows: int) -> None:
    """Write entries and runs: one in 50 failed, one in 200 by hand, a rare table and exit code."""
    from billclock.scheduler.models import Entry, Run

    Entry.objects.bulk_create(
        Entry(
            table="rare" if number == ENTRIES - 1 else f"user{number % 10}",
            digest=str(number),
            command_digest=str(number),
            expression="* * * * *",
            command=f"/usr/local/bin/job-{number}",
            description=f"Job {number}",
            line=number + 1,
            first_seen=BEGUN,
        )
        for number in range(ENTRIES)
    )
    for start in range(0, rows, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, rows))
        Run.objects.bulk_create((run(number) for number in numbers), batch_size=500)
        print(f"\r{numbers.stop:,} rows", end="", file=sys.stderr)
    print(file=sys.stderr)


def run(number: int) -> "Run":
    """Make up one run; the rare table's entry ran only in the first tenth of all."""
    from billclock.scheduler.models import Run, Trigger

    at = BEGUN + timedelta(seconds=number)
    failed, by_hand = number % 50 == 7, number % 200 == 3
    rare = number % 5000 == 0 and number < 100_000
    return Run(
        entry_id=ENTRIES if rare else number % (ENTRIES - 1) + 1,
        trigger=Trigger.MANUAL if by_hand else Trigger.SCHEDULE,
        actor="anna@example.net" if by_hand else "",
        planned=at,
        started=at + timedelta(milliseconds=200),
        finished=at + timedelta(seconds=number % 60),
        outcome="failed" if failed else "succeeded",
        exit_code=(77 if number < 500 else 1) if failed else 0,
        cpu=0.5,
        memory=20_000,
        host="bench",
        user="root",
    )


def pages(rows: int) -> Iterator[tuple[str, str]]:
    """Name the pages that are asked for."""
    early = BEGUN + timedelta(seconds=rows / 10)
    yield "first", "/runs"
    yield "in the middle", f"/runs?before={rows // 2}"
    yield "last", "/runs?before=40"
    yield "folded", "/runs?fold=1"
    yield "failed", "/runs?outcome=failed"
    yield "an outcome nobody had", "/runs?outcome=lost"
    yield "succeeded", "/runs?outcome=succeeded"
    yield "by hand", "/runs?trigger=manual"
    yield "an unused trigger", "/runs?trigger=retry"
    yield "who", "/runs?who=anna%40example.net"
    yield "nobody", "/runs?who=nobody"
    yield "exit code 77", "/runs?exit=77"
    yield "exit code 0", "/runs?exit=0"
    yield "one entry", "/runs?entry=5"
    yield "job by a word", "/runs?job=job-77"
    yield "a common table", "/runs?table=user1"
    yield "a rare table", "/runs?table=rare"
    yield "an old day", f"/runs?since={early:%Y-%m-%d}&until={early:%Y-%m-%d}"
    yield "all days", "/runs?since=2020-01-01"
    yield "text in output", "/runs?text=nowhere"


def page(client: "Client", path: str) -> Callable[[], None]:
    """Give what asks for a page and sees that it came."""

    def call() -> None:
        answer = client.get(path)
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code}")

    return call


def bare_query() -> Callable[[], None]:
    """Give what reads the newest fifty rows and nothing else."""
    from billclock.scheduler.models import Run

    def call() -> None:
        list(Run.objects.order_by("-id").values_list()[:50])

    return call


def measured(call: Callable[[], None], times: int) -> dict[str, float]:
    """Give the median and the 95th percentile in milliseconds."""
    call()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - begun))
    return {"p50 ms": statistics.median(taken), "p95 ms": statistics.quantiles(taken, n=20)[-1]}


if __name__ == "__main__":
    main()
