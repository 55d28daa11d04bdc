"""What do 1,000, 10,000 and 100,000 entries cost while none is due: to load, a minute, in memory?

Debian's cron ignores a table of more than 10,000 lines and busybox drops what is beyond 65,535, so
the entries lie in tables of 1,000 by as many users; Billclock also gets them in one table. Users
u0 to u99 are made for the time of the bench where they are missing.
"""

import argparse
import pwd
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from _peers import Peer, at_hand
from _print import show

SIZES = (1_000, 10_000, 100_000)
A_TABLE = 1_000


def main() -> None:
    """Measure each scheduler alone, one after another."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--idle", type=int, default=60, help="seconds to watch it idle")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    names = at_hand()
    with tempfile.TemporaryDirectory(prefix="billclock-bench-") as folder, users():
        rows = [
            measure(name, size, shape, Path(folder), chosen.idle)
            for size in SIZES
            for name in names
            for shape in (("many", "one") if name == "billclock" else ("many",))
        ]
    show("Entries loaded and idle", rows, as_json=chosen.json)


def measure(name: str, size: int, shape: str, folder: Path, idle: int) -> dict[str, Any]:
    """Start one scheduler on `size` entries and watch it."""
    peer = Peer(name, folder / f"{name.replace(' ', '-')}-{size}-{shape}")
    peer.write(tables(size, A_TABLE if shape == "many" else size))
    peer.start()
    try:
        cpu, wall = peer.rest()
        # the start of the interpreter and the second load, with every entry known, are told too
        before = peer.cpu()
        time.sleep(idle)
        spent = peer.cpu() - before
        memory = peer.memory()
        edit = seen_after(peer) if name == "billclock" else None
    finally:
        peer.stop()
    again = restart(peer) if name == "billclock" else None
    return {
        "scheduler": name,
        "entries": size,
        "tables": max(1, size // A_TABLE) if shape == "many" else 1,
        "load CPU s": cpu,
        "load s": wall,
        "load again CPU s": again,
        "idle CPU ms a minute": spent * 60_000 / idle,
        "memory MiB": memory,
        "edit in force s": edit,
    }


def tables(size: int, each: int) -> dict[str, bytes]:
    """Write `size` entries that are due on the 29th of a far month, `each` to a table."""
    month = (time.localtime().tm_mon + 5) % 12 + 1
    day = 28
    found = {}
    for table in range(max(1, size // each)):
        lines = [
            b"%d %d %d %d * /usr/bin/job-%d --of table-%d >/dev/null 2>&1\n"
            % (n % 60, n // 60 % 24, day, month, n, table)
            for n in range(min(each, size))
        ]
        found["root" if size == each else f"u{table}"] = b"".join(lines)
    return found


def seen_after(peer: Peer) -> float:
    """Edit one entry of a table as crontab -e does, and wait until the daemon counts it."""
    place = min(peer.spool.iterdir())
    before = in_force(peer)
    new = place.with_name(".new")
    new.write_bytes(place.read_bytes() + b"0 0 1 1 * /usr/bin/one-more\n")
    new.chmod(0o600)
    began = time.monotonic()
    new.rename(place)
    while in_force(peer) == before and time.monotonic() - began < 30:
        time.sleep(0.02)
    return time.monotonic() - began


def in_force(peer: Peer) -> int:
    """Ask a running daemon how many entries it has in force."""
    script = (
        "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'billclock.settings';"
        "django.setup(); from billclock.scheduler.control import ask; import sys\n"
        "for line in sys.stdin: print(ask('status')['entries'], flush=True)"
    )
    if not hasattr(peer, "asking"):
        peer.asking = subprocess.Popen(  # type: ignore[attr-defined]
            [peer.command()[0], "-c", script], env=peer.environment(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
    asking: subprocess.Popen[str] = peer.asking  # type: ignore[attr-defined]
    assert asking.stdin is not None
    assert asking.stdout is not None
    asking.stdin.write("\n")
    asking.stdin.flush()
    return int(asking.stdout.readline())


def restart(peer: Peer) -> float:
    """Start the daemon again, every entry known to it, and give the CPU until it rests."""
    peer.start()
    try:
        return peer.rest()[0]
    finally:
        peer.stop()


@contextmanager
def users() -> Iterator[None]:
    """Have users u0 to u99, and take away those that were made."""
    made = [
        name for n in range(100) if (name := f"u{n}") not in {u.pw_name for u in pwd.getpwall()}
    ]
    for name in made:
        subprocess.run(["useradd", "--no-create-home", name], check=True)
    try:
        yield
    finally:
        for name in made:
            subprocess.run(["userdel", name], check=True, capture_output=True)


if __name__ == "__main__":
    main()
