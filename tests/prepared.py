"""What a first start makes, made once for all workers of a test run and copied from then on."""

import fcntl
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import postgres
from tests.home import SHARED

ROOT = Path(__file__).resolve().parent.parent
READY = "from billclock.commands.prepare import ready; ready()"
FILES = {"default": "billclock.sqlite3", "scheduler": "scheduler.sqlite3"}
PLACE = Path(SHARED)
NAME = PLACE / "postgresql"
"""The file that says which PostgreSQL database is the one to copy."""


def home() -> Path:
    """Give a folder as a first start leaves it: copy it, write nothing into it."""
    with _one_at_a_time():
        return _made()


def copied(to: Path) -> Path:
    """Copy such a folder, into one that may be there already; give the copy."""
    return Path(shutil.copytree(home(), to, dirs_exist_ok=True))


def database() -> str:
    """Name a PostgreSQL database that has the tables: a template, for nobody to go in."""
    with _one_at_a_time():
        if not NAME.exists():
            name = f"billclock_test_template_{secrets.token_hex(4)}"
            postgres.create(name)
            beside = Path(shutil.copytree(_made(), PLACE / "beside"))
            _ready(beside, BILLCLOCK_DATABASE=postgres.url(postgres.entry(name)))
            NAME.write_text(name)
        return NAME.read_text()


def forget() -> None:
    """Drop the PostgreSQL database, where one was made."""
    if NAME.exists():
        postgres.drop(NAME.read_text())


def environment(home: Path, **settings: str) -> dict[str, str]:
    """Give what a program of ours over a folder is started with: nothing of a test run's own."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("BILLCLOCK")},
        "BILLCLOCK_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "billclock.settings",
        "TZ": "UTC",
        **settings,
    }


@contextmanager
def in_memory(addresses: dict[str, str]) -> Iterator[None]:
    """Have a prepared folder's databases, by their aliases, in this process's memory at addresses.

    They are there until the block ends. The files are read as what nobody changes: SQLite would lay
    files of its own beside them for as long, which somebody who copies the folder finds gone.
    """
    held = []
    for alias, address in addresses.items():
        path = home() / "data" / FILES[alias]
        file = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
        memory = sqlite3.connect(address, uri=True)
        file.backup(memory)
        file.close()
        held.append(memory)
    try:
        yield
    finally:
        for memory in held:
            memory.close()


def _made() -> Path:
    place = PLACE / "home"
    if not place.exists():
        making = PLACE / "making"
        _ready(making)
        making.rename(place)
    return place


def _ready(home: Path, **settings: str) -> None:
    started = environment(home, **settings)
    subprocess.run([sys.executable, "-c", READY], env=started, cwd=ROOT, check=True)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
