"""How late are 10, 100 and 1,000 entries that are due in one minute, and what does each cost?

All schedulers are up at once; each has minutes of its own, so that no burst meets another. The
job is a small C program that appends the moment at which it began.
"""

import argparse
import math
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from _peers import Peer, at_hand
from _print import show

SIZES = (10, 100, 1000)
STAMP = r"""
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
int main(int n, char **a) {
    struct timespec t; char s[40];
    clock_gettime(CLOCK_REALTIME, &t);
    int f = open(a[1], O_WRONLY | O_APPEND | O_CREAT, 0600);
    int k = snprintf(s, sizeof s, "%ld.%09ld\n", (long)t.tv_sec, t.tv_nsec);
    return write(f, s, k) != k;
}
"""
BARS = {10: (0.15, None, None), 100: (0.15, None, None), 1000: (0.5, 0.35, 1.0)}


def main() -> None:
    """Run the rounds and print what was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=1, help="minutes a peer and size")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="billclock-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        rows = measure(folder, chosen.rounds)
    show("Entries due in one minute (seconds after the minute; CPU in ms a job)", rows,
         as_json=chosen.json)  # fmt: skip
    show("Against Debian's cron", ratios(rows), as_json=chosen.json)


def measure(folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Give a row for each peer and size."""
    stamp = build(folder)
    peers = [Peer(name, folder / name.replace(" ", "-")) for name in at_hand()]
    begin = (int(time.time()) // 60 + 2) * 60
    plan = [(size, peer) for _ in range(rounds) for size in SIZES for peer in peers]
    minutes = {begin + 60 * place: item for place, item in enumerate(plan)}
    for peer in peers:
        lines = [b"MAILTO=\n" if peer.name == "billclock" else b'MAILTO=""\n']
        for minute, (size, whose) in minutes.items():
            if whose is peer:
                lines += entries(stamp, minute, size, folder / f"{minute}")
        peer.write({"root": b"".join(lines)})
        peer.start()
    try:
        return watch(minutes, folder)
    finally:
        for peer in peers:
            peer.stop()


def build(folder: Path) -> Path:
    """Compile the job."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("this bench needs a C compiler: apt-get install gcc libc6-dev")
    source, program = folder / "stamp.c", folder / "stamp"
    source.write_text(STAMP)
    subprocess.run([compiler, "-O2", "-o", program, source], check=True)
    return program


def entries(stamp: Path, minute: int, size: int, output: Path) -> list[bytes]:
    """Write `size` lines that are due at a minute."""
    when = time.localtime(minute)
    line = f"{when.tm_min} {when.tm_hour} * * * {stamp} {output} {{}}\n"
    return [line.format(number).encode() for number in range(size)]


def watch(minutes: dict[int, tuple[int, Peer]], folder: Path) -> list[dict[str, Any]]:
    """Wait for each minute and read what its jobs wrote."""
    found: dict[tuple[str, int], list[tuple[list[float], float]]] = {}
    for minute, (size, peer) in minutes.items():
        time.sleep(max(0.0, minute - 8 - time.time()))
        before = peer.cpu()
        time.sleep(max(0.0, minute + 40 - time.time()))
        used = peer.cpu() - before
        place = folder / str(minute)
        starts = place.read_text().split() if place.exists() else []
        delays = sorted(float(text) - minute for text in starts)
        if len(delays) != size:
            print(f"{peer.name}: {len(delays)} of {size} started", flush=True)
        if delays:
            found.setdefault((peer.name, size), []).append((delays, used / size))
    return [row(name, size, rounds) for (name, size), rounds in sorted(found.items())]


def row(name: str, size: int, rounds: list[tuple[list[float], float]]) -> dict[str, Any]:
    """Sum up the rounds of one peer and size."""
    delays = sorted(delay for each, _ in rounds for delay in each)
    last = sorted(each[-1] for each, _ in rounds)
    return {
        "scheduler": name,
        "due": size,
        "first": delays[0],
        "p50": delays[len(delays) // 2],
        "p99": delays[math.ceil(len(delays) * 0.99) - 1],
        "all started": last[len(last) // 2],
        "CPU ms a job": 1000 * sum(cpu for _, cpu in rounds) / len(rounds),
    }


def ratios(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hold ours against Debian's cron and the bars."""
    by = {(row["scheduler"], row["due"]): row for row in rows}
    found = []
    for size, bars in BARS.items():
        ours, cron = by.get(("billclock", size)), by.get(("debian cron", size))
        if ours and cron:
            keys = ("p99", "all started", "CPU ms a job")
            line: dict[str, Any] = {"due": str(size), "first start ms": 1000 * ours["first"]}
            for key, bar in zip(keys, bars, strict=True):
                line[key] = ours[key] / cron[key]
                line[f"{key} bar"] = bar
            found.append(line)
    return found


if __name__ == "__main__":
    main()
