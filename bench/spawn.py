"""How many commands a second are started, beside the bare limit: vfork and exec in C.

Run as root it also starts them as another user. All of it happens from a process with 500 MB of
memory of its own, which is what makes the plain ways of switching users slow.
"""

import argparse
import json
import os
import pwd
import resource
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("BILLCLOCK_HOME", tempfile.mkdtemp(prefix="billclock-bench-"))
os.environ["DJANGO_SETTINGS_MODULE"] = "billclock.settings"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from billclock.scheduler import output
from billclock.scheduler.executors.base import Order
from billclock.scheduler.executors.process import ProcessExecutor

BALLAST = 500 * 1024 * 1024
AT_ONCE = 8
OTHER = "nobody"
BAR = 0.5
TRUE = shutil.which("true", path="/usr/bin:/bin") or "/bin/true"
C_LOOP = r"""
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int count, char **words) {
    int wanted = atoi(words[1]), most = atoi(words[2]), running = 0;
    for (int begun = 0; begun < wanted || running; ) {
        if (begun < wanted && running < most) {
            if (vfork() == 0) { execv(words[3], words + 3); _exit(127); }
            begun++; running++;
        } else { wait(0); running--; }
    }
    return 0;
}
"""
Way = Callable[[int, int], None]


class Ours:
    """Starts orders by the process executor, as the loop does."""

    def __init__(self, user: str | None, command: bytes) -> None:
        self.executor = ProcessExecutor()
        self.user, self.command, self.run = user, command, 0

    def __call__(self, count: int, at_once: int) -> None:
        """Start and await `count` commands, `at_once` of them at a time."""
        begun = ended = 0
        while ended < count:
            if begun < count and begun - ended < at_once:
                self.run += 1
                self.executor.submit(order(self.run, self.command, self.user))
                begun += 1
            else:
                select.select(list(self.executor.wakers()), [], [], self.executor.due_in())
                ended += len(self.executor.attend())


def order(run: int, command: bytes, user: str | None) -> Order:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/", "SHELL": "/bin/sh"}
    return Order(run, command, b"", environment, user, "/", output.path(run))


def c_loop(folder: Path) -> Way | None:
    """Compile the bare limit; None where there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    source, program = folder / "loop.c", folder / "loop"
    source.write_text(C_LOOP)
    subprocess.run([compiler, "-O2", "-o", program, source], check=True)
    return lambda count, at_once: _spawned([str(program), str(count), str(at_once), TRUE])


def _spawned(words: list[str]) -> None:
    os.waitpid(os.posix_spawn(words[0], words, os.environ), 0)


def by_setpriv(count: int, at_once: int) -> None:
    user = pwd.getpwnam(OTHER)
    ids = ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]
    words = ["/usr/bin/setpriv", *ids, "--", TRUE]
    running = 0
    for _ in range(count):
        os.posix_spawn(words[0], words, os.environ, setsid=True)
        running += 1
        while running >= at_once:
            os.wait4(-1, 0)
            running -= 1
    for _ in range(running):
        os.wait4(-1, 0)


def by_popen_user(count: int, _at_once: int) -> None:
    user = pwd.getpwnam(OTHER)
    for _ in range(min(count, 20)):
        subprocess.Popen([TRUE], user=user.pw_uid, group=user.pw_gid, extra_groups=[]).wait()


def measure(ways: dict[str, Way], count: int, rounds: int) -> list[dict[str, object]]:
    """Take turns, so that what else the machine does falls on all ways alike."""
    found: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for at_once in (1, AT_ONCE):
            for name, way in ways.items():
                begun = time.perf_counter()
                way(count, at_once)
                done = min(count, 20) if way is by_popen_user else count
                found.setdefault((name, at_once), []).append(done / (time.perf_counter() - begun))
    return [
        {"way": name, "at_once": at_once, "starts_a_second": round(statistics.median(rates))}
        for (name, at_once), rates in found.items()
    ]


def burst(count: int) -> dict[str, object]:
    """Start so many at once, as entries due in one minute are."""
    ours = Ours(None, TRUE.encode())
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    begun, ended = time.perf_counter(), 0
    for run in range(1, count + 1):
        ours.executor.submit(order(10**6 + run, TRUE.encode(), None))
        if run % 16 == 0:
            ended += len(ours.executor.attend())
    started = time.perf_counter() - begun
    while ended < count:
        select.select(list(ours.executor.wakers()), [], [], ours.executor.due_in())
        ended += len(ours.executor.attend())
    finished = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_SELF)
    own = after.ru_utime + after.ru_stime - usage[0].ru_utime - usage[0].ru_stime
    return {
        "jobs": count,
        "all_started_s": round(started, 3),
        "all_ended_s": round(finished, 3),
        "own_cpu_ms_a_job": round(own / count * 1000, 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--count", type=int, default=500, help="starts a round")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    ballast = bytearray(os.urandom(1024 * 1024)) * (BALLAST // 1024 // 1024)
    with tempfile.TemporaryDirectory() as folder:
        ways: dict[str, Way] = {}
        if (bare := c_loop(Path(folder))) is not None:
            ways["C vfork"] = bare
        ways |= {"ours": Ours(None, TRUE.encode()), "ours, sh": Ours(None, TRUE.encode() + b";")}
        if os.geteuid() == 0:
            ways["ours, other user"] = Ours(OTHER, TRUE.encode())
            ways["setpriv, other user"] = by_setpriv
            ways["Popen(user=)"] = by_popen_user
        rows = measure(ways, given.count, given.rounds)
    limits = {row["at_once"]: row["starts_a_second"] for row in rows if row["way"] == "C vfork"}
    for row in rows:
        limit = limits.get(row["at_once"])
        row["of_c_vfork"] = round(float(row["starts_a_second"]) / limit, 2) if limit else None
    result = {"ballast_bytes": len(ballast), "bar": BAR, "rows": rows, "burst": burst(1000)}
    print(json.dumps(result) if given.json else table(result))
    shutil.rmtree(os.environ["BILLCLOCK_HOME"], ignore_errors=True)
    alike = [row for row in rows if row["at_once"] == 1 and row["way"] == "ours, other user"]
    reached = [row["of_c_vfork"] for row in alike]
    return int(any(ratio is not None and ratio < BAR for ratio in reached))


def table(result: dict[str, object]) -> str:
    lines = [f"{'way':22}{'at once':>8}{'starts/s':>10}{'of C vfork':>12}"]
    lines += [
        f"{row['way']:22}{row['at_once']:>8}{row['starts_a_second']:>10}{row['of_c_vfork']!s:>12}"
        for row in result["rows"]
    ]
    burst = result["burst"]
    lines.append(
        f"{burst['jobs']} due at once: all started after {burst['all_started_s']} s, ended after "
        f"{burst['all_ended_s']} s, {burst['own_cpu_ms_a_job']} ms of our CPU a job"
    )
    lines.append(f"bar: as another user at least {result['bar']} of C vfork, one at a time")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
