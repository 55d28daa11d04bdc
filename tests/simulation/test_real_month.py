"""Promise M9: a simulated month has the books of the month then really run, hash for hash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("real_month.py")
WAYS = ("simulated", "real")


def lived(folder: Path, services: int, since: str, until: str) -> tuple[Any, Any]:
    """Live a span both ways at once, each in a folder of its own; give what came of it."""
    begun = []
    for way in WAYS:
        home = folder / way
        home.mkdir()
        kept = {name: value for name, value in os.environ.items() if "BILLCLOCK" not in name}
        words = (str(services), f"{since}+00:00", f"{until}+00:00")
        begun.append(subprocess.Popen(
            [sys.executable, PROGRAM, way, *words], env={**kept, "BILLCLOCK_HOME": str(home)},
            text=True, stdout=subprocess.PIPE, stderr=(home / "log").open("w"),
        ))  # fmt: skip
    told = [process.communicate()[0] for process in begun]
    logs = [(folder / way / "log").read_text()[-2000:] for way in WAYS]
    assert [process.returncode for process in begun] == [0, 0], logs
    simulated, real = map(json.loads, told)
    return simulated, real


def judge(simulated: Any, real: Any) -> dict[str, int]:
    """Hold the two against each other; give how often each job of the table ran in both."""
    assert simulated["hash"] == real["hash"]
    assert simulated["breaches"] == real["breaches"] == []
    assert simulated["runs"] == real["runs"]
    assert simulated["failed"] == real["failed"]
    ran: dict[str, int] = real["runs"]
    return ran


def test_the_turn_of_a_month_simulated_is_the_one_really_run(tmp_path: Path) -> None:
    simulated, real = lived(tmp_path, 400, "2026-02-28T23:50", "2026-03-01T10:40")
    ran = judge(simulated, real)
    assert (ran["autosuspend"], ran["billdaily"], ran["payment_generate_postpaid"]) == (11, 1, 1)
    assert min(real["charges"], real["letters"], real["paid"]) > 0


@pytest.mark.long
def test_a_month_simulated_is_the_one_really_run(tmp_path: Path) -> None:
    simulated, real = lived(tmp_path, 200, "2026-02-26T00:00", "2026-03-28T00:00")
    ran = judge(simulated, real)
    assert (ran["autosuspend"], ran["billdaily"], ran["payment_generate_postpaid"]) == (720, 30, 1)
    assert min(real["charges"], real["letters"], real["paid"]) > 20
