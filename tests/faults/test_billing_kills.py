"""Promise M2: billing killed with -9 again and again writes the books of one never killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests import postgres, prepared
from tests.scheduler.executing import living

DAYS = Path(__file__).with_name("billing_days.py")
SPAN = "12"
MOST_RESTARTS = 400


class Books:
    """Books in a folder of their own, on SQLite or in a PostgreSQL database."""

    days = SPAN

    def __init__(self, folder: Path, database: str = "") -> None:
        prepared.copied(folder)
        self.environment = {
            **os.environ,
            "BILLCLOCK_HOME": str(folder),
            "BILLCLOCK_DATABASE": database,
        }

    def by(self, workers: int) -> Books:
        """Let so many workers bill."""
        self.environment["BILLCLOCK_BILLING_WORKERS"] = str(workers)
        return self

    def begin(self) -> subprocess.Popen[str]:
        started = subprocess.Popen(
            [sys.executable, DAYS, self.days],
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
        )
        assert started.stdout is not None
        assert started.stdout.readline().strip() == "begun"
        return started

    def finish(self) -> float:
        """Bill to the end; give the seconds it took."""
        began = time.monotonic()
        process = self.begin()
        told, _ = process.communicate()
        assert told.strip() == "done"
        assert process.returncode == 0
        return time.monotonic() - began

    def verified(self) -> dict[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "billclock.commands.billclock", "verify", "--json"],
            env=self.environment, text=True, stdout=subprocess.PIPE, check=False,
        )  # fmt: skip
        told = json.loads(done.stdout)
        assert told["breaches"] == []
        return told["hash"]


@contextmanager
def books(engine: str, folder: Path) -> Iterator[Books]:
    if engine == "sqlite":
        yield Books(folder)
        return
    with postgres.database(prepared.database()) as entry:
        yield Books(folder, postgres.url(entry))


def killed_as_often(engine: str, folder: Path, kills: int) -> None:
    dice = random.Random(f"{engine} {kills}")
    with books(engine, folder / "twin") as twin, books(engine, folder / "killed") as killed:
        took = twin.finish()
        hit = 0
        for _ in range(MOST_RESTARTS):
            process = killed.begin()
            time.sleep(dice.uniform(0, took / max(2 * kills, 1)))
            hit += process.poll() is None
            process.kill()
            process.communicate()
            if hit >= kills or process.returncode == 0:
                break
        killed.finish()
        assert hit > 0
        assert killed.verified() == twin.verified()


ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.mark.parametrize("engine", ENGINES)
def test_billing_killed_a_few_times_writes_the_same_books(engine, tmp_path):
    killed_as_often(engine, tmp_path, 6)


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
def test_billing_killed_a_hundred_times_writes_the_same_books(engine, tmp_path):
    for block in range(5):
        (tmp_path / str(block)).mkdir()
        killed_as_often(engine, tmp_path / str(block), 20 + block)


@pytest.mark.postgres
def test_three_workers_one_of_them_killed_again_and_again_write_the_same_books(tmp_path):
    dice = random.Random(3)
    with books("postgresql", tmp_path / "twin") as twin, books("postgresql", tmp_path / "w") as by:
        twin.days = by.days = "5"
        twin.finish()
        process = by.by(3).begin()
        hit = 0
        while process.poll() is None:
            found = children(process.pid)
            if found and hit < 4:
                time.sleep(dice.uniform(0, 0.3))
                with suppress(ProcessLookupError):
                    os.kill(dice.choice(found), signal.SIGKILL)
                    hit += 1
                time.sleep(dice.uniform(0.3, 0.8))
            time.sleep(0.005)
        assert (process.returncode, hit > 0) == (0, True)
        assert by.verified() == twin.verified()


@pytest.mark.postgres
def test_workers_end_with_their_parent_and_what_they_left_is_done(tmp_path):
    with books("postgresql", tmp_path / "twin") as twin, books("postgresql", tmp_path / "w") as by:
        twin.days = by.days = "5"
        twin.finish()
        process = by.by(3).begin()
        while not (found := children(process.pid)) and process.poll() is None:
            time.sleep(0.01)
        assert len(found) > 0
        process.kill()
        process.communicate()
        late = time.monotonic() + 120
        while living(found) and time.monotonic() < late:
            time.sleep(0.05)
        assert time.monotonic() < late
        by.finish()
        assert by.verified() == twin.verified()


def children(parent: int) -> list[int]:
    """Give a process's children."""
    told = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(pid) for pid in told.split()]
