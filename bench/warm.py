"""How much sooner a billing command is done warm, in a child of the fork server, than fresh.

Both ways go through the same executor with the same order; the fresh one finds no fork server.
"""

import argparse
import json
import os
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOME = tempfile.mkdtemp(prefix="billclock-bench-")
os.environ["BILLCLOCK_HOME"] = HOME
os.environ["DJANGO_SETTINGS_MODULE"] = "billclock.settings"
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from billclock.scheduler import output  # noqa: E402
from billclock.scheduler.executors.base import Order  # noqa: E402
from billclock.scheduler.executors.process import ProcessExecutor  # noqa: E402
from billclock.scheduler.executors.warm import WarmExecutor  # noqa: E402

BAR = 40
PANEL = "/usr/local/mgr5/sbin"
COMMANDS = {
    "start alone": f"{PANEL}/billmaintain --command no-such-job",  # all is loaded, nothing done
    "collect_usageinfo": f"{PANEL}/billmaintain --command collect_usageinfo --dry-run",
}
SERVER = "import django; django.setup(); from billclock.scheduler.executors import forkserver as s"


def seconds(executor: WarmExecutor, command: str, run: int) -> float:
    """Give the seconds from the order to the ending; fail where the command did."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/", "BILLCLOCK_HOME": HOME}
    order = Order(run, command.encode(), b"", environment, None, "/", output.path(run))
    begun = time.perf_counter()
    executor.submit(order)
    while not (endings := executor.attend()):
        select.select(list(executor.wakers()), [], [], executor.due_in())
    took = time.perf_counter() - begun
    if endings[0].code not in (0, 2):
        sys.exit(f"{command}: exit code {endings[0].code}\n{output.read(run).data.decode()}")
    return took


def measure(rounds: int) -> list[dict[str, object]]:
    """Time every command fresh and warm in turn."""
    place = Path(HOME) / "warm.sock"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", f"{SERVER}; s.serve()"]
    server = subprocess.Popen(words, env=environment)
    while not place.exists():
        time.sleep(0.05)
    process = ProcessExecutor()
    ways = {
        "fresh": WarmExecutor(process, Path(HOME) / "nobody"),
        "warm": WarmExecutor(process, place),
    }
    rows, run = [], 0
    for name, command in COMMANDS.items():
        times: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(rounds):
            for way, executor in ways.items():
                run += 1
                times[way].append(seconds(executor, command, run))
        fresh, warm = (statistics.median(times[way]) * 1000 for way in ("fresh", "warm"))
        rows.append(
            {
                "command": name,
                "fresh_ms": round(fresh, 1),
                "warm_ms": round(warm, 2),
                "times_faster": round(fresh / warm, 1),
            }
        )
    server.kill()
    server.wait()
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    subprocess.run(
        [sys.executable, "-m", "billclock.commands.billclock", "prepare"],
        check=True, cwd=ROOT, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    rows = measure(given.rounds)
    shutil.rmtree(HOME, ignore_errors=True)
    if given.json:
        print(json.dumps({"bar": BAR, "rows": rows}))
    else:
        print(f"{'command':20}{'fresh ms':>10}{'warm ms':>10}{'times faster':>14}")
        for row in rows:
            print(
                f"{row['command']:20}{row['fresh_ms']:>10}{row['warm_ms']:>10}"
                f"{row['times_faster']:>14}"
            )
        print(f"bar: a start at least {BAR} times faster")
    return int(float(str(rows[0]["times_faster"])) < BAR)


if __name__ == "__main__":
    sys.exit(main())
