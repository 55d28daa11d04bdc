"""The scheduler killed while jobs run, and the hands that steer it before and after."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.acceptance.product import Product, children, living, until

TABLE = """\
## Ends while no scheduler is there
0 0 1 1 * echo begun; until [ -e {folder}/go ]; do sleep 0.02; done; echo over; exit 5
## Outlives the scheduler
0 0 1 1 * echo begun; until [ -e {folder}/later ]; do sleep 0.02; done; echo over; exit 7
## Is ended by hand
0 0 1 1 * echo begun; exec sleep 60
"""


def test_jobs_outlive_a_killed_scheduler_and_end_once_with_their_codes(
    product: Product, tmp_path: Path
) -> None:
    product.install(TABLE.format(folder=tmp_path).encode())
    with product.started() as up:
        first, second, _ = (int(row["key"]) for row in product.entries().values())
        follower = follow(product, second)
        run = product.ask("run-now", entry=first)["run"]
        begun = until(lambda: _both_begun(product))
        # what happens within a fifth of a second is written down together
        until(lambda: all(row["started"] for row in product.runs()))
        killed = product.daemon()
        spawners = children(killed)
        os.kill(killed, signal.SIGKILL)
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in spawners), 0.45)
        (tmp_path / "go").touch()
        until(lambda: len(_jobs(product)) == 1, 0.45)  # it ended, and no scheduler saw it
        assert until(lambda: _answers(product)) != killed
        assert set(product.ask("status")["running"]) <= begun - {run}
        (ended,) = until(lambda: product.runs("--entry", str(first), "--outcome", "failed"))
        assert (ended["run"], ended["exit_code"], ended["signal"]) == (run, 5, None)
        (tmp_path / "later").touch()
        assert follower.wait(20) == 7
        (row,) = product.runs("--entry", str(second))
        assert (row["outcome"], row["exit_code"], row["trigger"]) == ("failed", 7, "manual")
        assert product.output(row["run"]) == b"begun\nover\n"
        assert len(product.runs()) == 2
        assert product.get("/healthz")[0] == 200
        assert product.ask("status")["running"] == []
        assert "the scheduler ended (-9), starting it again" in up.text


def test_runs_of_switched_off_entries_outlive_a_killed_scheduler_too(
    product: Product, tmp_path: Path
) -> None:
    on, other = TABLE.format(folder=tmp_path).splitlines()[1:4:2]
    table = f"{on}\n#{other}\n"
    product.install(table.encode())
    with product.started():
        first, second = (int(row["key"]) for row in product.entries().values())
        # one is off before its run begins, the other while it goes on
        runs = {product.ask("run-now", entry=key)["run"] for key in (first, second)}
        until(lambda: _both_begun(product))
        product.install(table.replace(on, f"#{on}").encode())
        until(lambda: product.in_force() == 0)
        until(lambda: all(row["started"] for row in product.runs()))
        killed = product.daemon()
        os.kill(killed, signal.SIGKILL)
        assert until(lambda: _answers(product)) != killed
        assert set(product.ask("status")["running"]) == runs
        (tmp_path / "go").touch()
        (tmp_path / "later").touch()
        ended = until(lambda: len(product.runs("--outcome", "failed")) == 2 and product.runs())
        assert {row["run"]: row["exit_code"] for row in ended} == dict(
            zip(sorted(runs), (5, 7), strict=True)
        )
        assert {product.output(run) for run in runs} == {b"begun\nover\n"}
        assert product.ask("status")["running"] == []


def test_entries_and_runs_are_steered_by_hand(product: Product, tmp_path: Path) -> None:
    product.install(TABLE.format(folder=tmp_path).encode())
    with product.started():
        *_, key = (int(row["key"]) for row in product.entries().values())
        follower = follow(product, key)
        (row,) = until(lambda: product.runs("--outcome", "running"))
        held = product.billclock("run-now", str(key))
        assert held.returncode == 3
        assert f"run {row['run']} of entry {key} is still going on" in held.stderr.decode()
        assert product.billclock("stop", str(row["run"])).returncode == 0
        assert follower.wait(20) == 128 + signal.SIGTERM
        (row,) = product.runs()
        assert (row["outcome"], row["signal"]) == ("stopped", signal.SIGTERM)
        assert row["reason"].startswith("stopped by ")
        assert not _jobs(product)
        assert product.billclock("pause").returncode == 0
        assert b"paused" in product.billclock("pause", "--entry", str(key)).stdout
        assert product.billclock("resume").returncode == 0
        assert product.billclock("resume", "--entry", str(key)).returncode == 0
        assert product.billclock("resume").returncode == 1
        assert b"entry 99 is in no table" in product.billclock("run-now", "99").stderr
        head, *lines = product.billclock("runs").stdout.decode().splitlines()
        assert head.split()[-4:] == ["CPU", "MEMORY", "OUTCOME", "COMMAND"]
        assert len(lines) == 1
    stopped = product.billclock("run-now", str(key))
    assert stopped.returncode == 1
    assert b"the scheduler is not running: start it with ./run" in stopped.stderr


def follow(product: Product, key: int) -> subprocess.Popen[bytes]:
    """Begin `billclock run-now`, and wait until the job has."""
    process = product.begin(product.checkout / "run", "billclock", "run-now", str(key))
    assert process.stdout
    until(lambda: process.stdout.readline() == b"begun\n")
    return process


def _both_begun(product: Product) -> set[int] | None:
    running: set[int] = set(product.ask("status")["running"])
    done = len(running) == 2 and {product.output(run) for run in running} == {b"begun\n"}
    return running if done else None


def _jobs(product: Product) -> list[int]:
    """Give the job's processes: those of the shell that a crontab line begins."""
    return [
        pid for pid, words in living(product.home).items() if words.startswith("/bin/sh -c echo")
    ]


def _answers(product: Product) -> int:
    """Give the new scheduler's process id once it answers, else 0."""
    try:
        answer: dict[str, Any] = product.ask("status")
    except (OSError, json.JSONDecodeError):
        return 0
    return product.daemon() if answer["ok"] else 0
