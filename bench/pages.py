"""How long does the server take for a page: a thousand jobs, a million runs, however filtered?

Each page is asked for in the process of the bench, with everything but the network: middleware,
session, queries, templates. Besides the time of the wall, which other work on the machine
stretches, stands the processor time of the page, and how many queries it asked. Beside them stand
the bare query of the newest fifty rows, and the weight of styles and scripts as they travel.
"""

import argparse
import gc
import gzip
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from _filled import begun, prepare
from _print import show

if TYPE_CHECKING:
    from django.test import Client

RUNS = {
    "first": "",
    "folded": "fold=1",
    "failed": "outcome=failed",
    "an outcome nobody had": "outcome=lost",
    "succeeded": "outcome=succeeded",
    "running": "outcome=running",
    "as planned": "trigger=schedule",
    "by hand": "trigger=manual",
    "an unused trigger": "trigger=retry",
    "who": "who=anna%40example.net",
    "nobody": "who=nobody",
    "exit code 77": "exit=77",
    "exit code 0": "exit=0",
    "an unused exit code": "exit=99",
    "one entry": "entry=5",
    "no such entry": "entry=123456",
    "job by a word": "job=job-77",
    "job by a common word": "job=job",
    "a job nobody knows": "job=nowhere",
    "a common table": "table=user1",
    "a rare table": "table=rare",
    "an old day": "since=DAY&until=DAY",
    "all days": "since=2020-01-01",
    "text in output": "text=nowhere",
    "text of all outputs": "text=work",
    "big table": "table=root",
    "big table, succeeded": "table=root&outcome=succeeded",
    "big table, failed": "table=root&outcome=failed",
    "big table, lost": "table=root&outcome=lost",
    "big table, as planned": "table=root&trigger=schedule",
    "big table, by hand": "table=root&trigger=manual",
    "big table, exit code 0": "table=root&exit=0",
    "big table, exit code 77": "table=root&exit=77",
    "big table, who": "table=root&who=anna%40example.net",
    "big table, all days": "table=root&since=2020-01-01",
    "big table, folded": "table=root&fold=1",
    "big table, text": "table=root&text=nowhere",
    "one entry, succeeded": "entry=5&outcome=succeeded",
    "one entry, all days": "entry=5&since=2020-01-01",
    "one entry, old day": "entry=5&until=DAY",
    "common word, succeeded": "job=job&outcome=succeeded",
    "common word, all days": "job=job&since=2020-01-01",
    "unknown job, succeeded": "job=nowhere&outcome=succeeded",
    "unknown job, all days": "job=nowhere&since=2020-01-01",
    "rare table, succeeded": "table=rare&outcome=succeeded",
    "rare table, failed": "table=rare&outcome=failed",
    "rare table, as planned": "table=rare&trigger=schedule",
    "rare table, exit code 0": "table=rare&exit=0",
    "rare table, all days": "table=rare&since=2020-01-01",
    "one entry, failed": "entry=5&outcome=failed",
    "job, old day": "job=job-77&until=DAY",
    "failed with 77": "outcome=failed&exit=77",
    "succeeded with 77": "outcome=succeeded&exit=77",
    "failed with 0": "outcome=failed&exit=0",
    "failed by hand": "outcome=failed&trigger=manual",
    "failed, all days": "outcome=failed&since=2020-01-01",
    "succeeded by hand": "outcome=succeeded&trigger=manual",
    "by hand, old day": "trigger=manual&until=DAY",
    "lost, all days": "outcome=lost&since=2020-01-01",
    "failed, folded": "outcome=failed&fold=1",
    "rare table, folded": "table=rare&fold=1",
}
JOBS = {
    "first": "",
    "last": "page=20",
    "by a word": "q=job-77",
    "by no word": "q=nowhere",
    "on": "state=on",
    "off": "state=off",
    "last run failed": "result=failed",
    "never run": "result=never",
    "with problems": "problems=1",
    "by name": "sort=name",
    "by next run": "sort=next",
    "by last run": "sort=-last",
}


def main() -> None:
    """Make the rows, then ask for each page again and again."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--times", type=int, default=20)
    options.add_argument("--home", type=Path, help="a folder to fill, or filled by an earlier run")
    options.add_argument("--only", default="", help="pages whose name has this text")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="billclock-bench-") as folder:
        client, limited = prepare(chosen.home or Path(folder), chosen.rows)
        gc.freeze()  # as the supervisor does before it forks the web server
        calls = {"bare query of 50 rows": bare_query()} | asked(client, limited, chosen.rows)
        rows = [
            {"page": name, **measured(call, chosen.times)}
            for name, call in calls.items()
            if chosen.only in name
        ]
    show(f"A page with {chosen.rows:,} runs", rows, as_json=chosen.json)
    show("What a page brings along", [weight()], as_json=chosen.json)


def asked(client: "Client", limited: "Client", rows: int) -> dict[str, Callable[[], None]]:
    """Name the pages, each with what asks for it."""
    old = f"{begun() + timedelta(days=1):%Y-%m-%d}"
    calls = {
        f"runs: {name}": page(client, f"/runs?{query.replace('DAY', old)}")
        for name, query in RUNS.items()
    }
    for name in (
        "",
        "outcome=succeeded",
        "outcome=failed",
        "since=2020-01-01",
        "exit=77",
        "fold=1",
    ):
        calls[f"runs: {name or 'first'}, own tables"] = page(limited, f"/runs?{name}")
    for name, place in (("in the middle", rows // 2), ("last", 40)):
        calls[f"runs: {name}"] = page(client, f"/runs?before={place}")
    calls["one run"] = page(client, f"/runs/{rows // 2}")
    calls |= {f"jobs: {name}": page(client, f"/?table=root&{q}") for name, q in JOBS.items()}
    for path in ("/problems", "/timeline", "/crontab?table=root", "/dashboard"):
        calls[path.partition("?")[0].strip("/")] = page(client, path)
    form = {"expression": "*/7 3-20 * 2-11 1-5", "command": "/usr/local/bin/report --all"}
    calls["preview of a schedule"] = page(client, "/entries/preview?table=root", form)
    return calls


def page(client: "Client", path: str, form: dict[str, str] | None = None) -> Callable[[], None]:
    """Give what asks for a page and sees that it came."""

    def call() -> None:
        answer = client.get(path) if form is None else client.post(path, form)
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
    """Give median and 95th percentile of wall and processor time in milliseconds, and queries."""
    queries = asked_of_databases(call)
    walls, cpus = [], []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
    return {
        "p50 ms": statistics.median(walls),
        "p95 ms": statistics.quantiles(walls, n=20)[-1],
        "cpu p50": statistics.median(cpus),
        "cpu p95": statistics.quantiles(cpus, n=20)[-1],
        "queries": queries,
    }


def asked_of_databases(call: Callable[[], None]) -> int:
    """Count the queries of a call, which warms what a server keeps as well."""
    from contextlib import ExitStack

    from django.db import connections
    from django.test.utils import CaptureQueriesContext

    with ExitStack() as stack:
        seen = [stack.enter_context(CaptureQueriesContext(one)) for one in connections.all()]
        call()
        return sum(map(len, seen))


def weight() -> dict[str, int]:
    """Give the bytes of our styles and scripts, and of others', each file compressed."""
    import billclock.web

    static = Path(billclock.web.__file__).parent / "static"

    def packed(paths: Iterator[Path]) -> int:
        return sum(len(gzip.compress(path.read_bytes())) for path in paths)

    return {
        "our css": packed(static.glob("css/*.css")),
        "our js": packed(static.glob("js/*.js")),
        "vendor css and js": packed(
            path for path in static.glob("vendor/**/*") if path.suffix in (".css", ".js")
        ),
    }


if __name__ == "__main__":
    main()
