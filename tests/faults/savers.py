"""Processes that save tables while they are killed, crowded or out of room: one function each.

Run as `python -m tests.faults.savers FUNCTION ARGUMENT…` with BILLCLOCK_HOME set; a function's
result goes to standard output as JSON.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import django

from billclock.scheduler.locks import locked

LINES = 3000


def text(number: int) -> bytes:
    """Give one of many texts of 100 kB, each of which tells whether it is whole."""
    return b"# line of text %d among many of its kind\n" % number * LINES


def whole(data: bytes) -> bool:
    """Tell whether bytes are one of these texts."""
    number = data.split(b" ")[4] if data else b"0"
    return data in (b"", text(int(number)))


def save_until_killed(kills: str) -> dict[str, int]:
    """Kill a saving child again and again at random points; the file must be whole each time."""
    home = Path(os.environ["BILLCLOCK_HOME"])
    place = home / "spool" / "root"
    chance = random.Random(7)
    table = _table()
    seen = set()
    for turn in range(int(kills)):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            _save_for_ever(table, turn * 1000, writing)
        os.close(writing)
        os.read(reading, 1)
        os.close(reading)
        time.sleep(chance.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        data = place.read_bytes() if place.exists() else b""
        if not whole(data):
            raise SystemExit(f"after kill {turn} the table is neither the old nor the new text")
        seen.add(data)
        with locked(home / "locks", "root", patience=0):
            pass
    return {"texts": len(seen)}


def _save_for_ever(table, number: int, telling: int) -> None:
    while True:
        number += 1
        table.replace(text(number), author="me")
        os.write(telling, b".")


def save_once(data: str) -> dict[str, str]:
    """Replace the table; give the error's words and number, if there is one."""
    from billclock.scheduler.errors import Failed

    try:
        _table().replace(data.encode(), author="me")
    except Failed as failed:
        return {"error": str(failed), "errno": str(failed.errno)}
    return {}


def add_lines(name: str, count: str) -> dict[str, list[int]]:
    """Add entries one by one, and give the key of each."""
    table = _table()
    keys = []
    for number in range(int(count)):
        saved = table.edit(
            lambda crontab, n=number: crontab.add("1 1 * * *", f"/bin/{name} {n}"), author=name
        )
        keys.append(saved.keys[-1])
    return {"keys": keys}


def load_often(count: str) -> dict[str, list[int]]:
    """Read the table as a daemon does, and give its keys as last seen."""
    table = _table()
    for _ in range(int(count)):
        keys = list(table.load().keys)
    return {"keys": keys}


def rename_over(count: str) -> dict[str, list[int]]:
    """Rename new texts over the table as an editor does; tell which were lost before the next."""
    place = Path(os.environ["BILLCLOCK_HOME"]) / "spool" / "root"
    lost = []
    for number in range(int(count)):
        line = b"2 2 * * * /bin/outside %d\n" % number
        beside = place.with_name(".editor")
        beside.write_bytes(line)
        beside.rename(place)
        time.sleep(random.uniform(0, 0.15))
        if line not in place.read_bytes():
            lost.append(number)
    return {"lost": lost}


def _table():
    django.setup()
    from billclock.scheduler.tables import Tables

    return Tables().table("root")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
