"""`run-now`, `stop`, `pause`, `resume` and `follow-clock` steer a real scheduler."""

import json
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from billclock.scheduler.executors.sockets import short
from tests import prepared
from tests.commands.conftest import CRON, Command

TABLE = b"""\
## Talks
0 0 1 1 * for i in 1 2 3; do echo $i; sleep 0.2; done; echo oops >&2; exit 7
## Takes its time
0 0 1 1 * echo begun; exec sleep 60
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all tests here: starting a scheduler takes its time."""
    return prepared.copied(tmp_path_factory.mktemp("steered") / "home")


@pytest.fixture(autouse=True, scope="module")
def _scheduler(bin_folder: Path, home: Path) -> Iterator[None]:
    environment = {**CRON, "BILLCLOCK_HOME": str(home)}
    billclock = bin_folder / "billclock"
    subprocess.run([billclock, "crontab", "-"], input=TABLE, env=environment, check=True)
    with (home / "scheduler.log").open("wb") as log:
        process = subprocess.Popen([billclock, "scheduler"], env=environment, stderr=log)
    try:
        until((home / "daemon.sock").exists)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def until(true: Callable[[], Any], patience: float = 20.0) -> Any:
    """Wait for something to be true, and give it."""
    end = time.monotonic() + patience
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def runs(command: Command, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(command("billclock", "runs", "--json", *words).stdout)
    return found


def test_a_run_is_followed_to_its_end_and_its_code_is_ours(command: Command) -> None:
    done = command("billclock", "run-now", "1")
    assert done.stdout == b"1\n2\n3\noops\n"
    assert done.returncode == 7
    (row,) = runs(command, "--entry", "1")
    assert f"run {row['run']} failed".encode() in done.stderr
    assert (row["outcome"], row["exit_code"], row["trigger"]) == ("failed", 7, "manual")
    assert row["actor"]


def test_a_run_that_goes_on_is_left_by_ctrl_c_held_and_stopped(
    command: Command, bin_folder: Path, home: Path
) -> None:
    environment = {**CRON, "BILLCLOCK_HOME": str(home)}
    words = [bin_folder / "billclock", "run-now", "2"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(words, env=environment, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130
        told = process.stderr.read()
    (row,) = runs(command, "--outcome", "running")
    run = str(row["run"])
    assert f"run {run} goes on; billclock stop {run} ends it".encode() in told
    held = command("billclock", "run-now", "2")
    assert held.returncode == 3
    assert f"run {run} of entry 2 is still going on".encode() in held.stderr
    assert command("billclock", "stop", run).returncode == 0
    (row,) = until(lambda: runs(command, "--outcome", "stopped"))
    assert row["reason"].startswith("stopped by ")
    again = command("billclock", "stop", run)
    assert again.returncode == 1
    assert f"run {run} is not going on".encode() in again.stderr


def test_a_pause_is_told_to_the_scheduler_and_ended(command: Command) -> None:
    paused = command("billclock", "pause", "--entry", "1", "--until", "2999-01-01")
    assert (paused.returncode, paused.stdout[:26]) == (0, b"entry 1 is paused until 29")
    resumed = command("billclock", "resume", "--entry", "1")
    assert (resumed.returncode, resumed.stdout) == (0, b"entry 1 is started again\n")
    none = command("billclock", "resume", "--tag", "nightly")
    assert none.stdout == b"entries with the tag nightly are not paused\n"
    assert none.returncode == 1


def test_entries_that_wait_for_a_clock_set_back_are_let_go(command: Command, home: Path) -> None:
    none = command("billclock", "follow-clock")
    assert none.stdout == b"0 entries follow the clock as it stands\n"
    with closing(sqlite3.connect(home / "data" / "scheduler.sqlite3", timeout=20)) as database:
        database.execute(
            "INSERT INTO scheduler_slot"
            " (entry_id, planned, era, count, claimed_at, outcome, reason)"
            " VALUES (1, '2999-01-01 00:00:00', 0, 1, '2026-01-01 00:00:00', 'succeeded', '')"
        )
        database.commit()
        done = command("billclock", "follow-clock")
        assert done.stdout == b"1 entry follows the clock as it stands\n"
        eras = database.execute("SELECT era FROM scheduler_entry ORDER BY id").fetchall()
        assert eras == [(1,), (0,)]
        database.execute("DELETE FROM scheduler_slot WHERE planned > '2998'")
        database.commit()
    with closing(sqlite3.connect(home / "data" / "billclock.sqlite3", timeout=20)) as database:
        noted = "SELECT subject FROM accounts_auditrow WHERE act = 'clock.follow' ORDER BY id"
        assert database.execute(noted).fetchall() == [("0 jobs",), ("1 job",)]


def test_an_entry_there_is_not_is_told(command: Command) -> None:
    done = command("billclock", "run-now", "999")
    assert done.returncode == 1
    assert b"entry 999 is in no table" in done.stderr


@pytest.mark.parametrize(
    "request_line",
    [
        b"[" * 200_000,
        b'{"do": "stop", "run": Infinity}',
        b'{"do": "pause", "scope": "\\ud800"}',
        b'{"do": "pause", "scope": "tag:x", "until": "9999-12-31T23:59:59-12:00"}',
    ],
    ids=["nested", "infinite", "unpaired", "beyond"],
)
def test_no_request_ends_the_scheduler(home: Path, request_line: bytes) -> None:
    def ask(line: bytes) -> dict[str, Any]:
        with socket.socket(socket.AF_UNIX) as peer, short(home / "daemon.sock") as name:
            peer.settimeout(20)
            peer.connect(name)
            peer.sendall(line + b"\n")
            answer: dict[str, Any] = json.loads(peer.makefile().readline())
            return answer

    assert not ask(request_line)["ok"]
    assert ask(b'{"do": "status"}')["ok"]
