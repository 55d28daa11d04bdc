"""Numbers have no gap, whatever issues invoices at once, gives up, or is killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.test_billing_kills import ENGINES, Books, books

ROOT = Path(__file__).parents[2]
AT_ONCE = 3
EACH = "16"


def begin(house: Books, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.issuing", *arguments], text=True, cwd=ROOT,
        env={**os.environ, **house.environment}, stdout=subprocess.PIPE,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> str:
    told, _ = process.communicate()
    assert process.returncode == 0
    return told


@pytest.mark.parametrize("engine", ENGINES)
def test_many_issue_at_once_and_give_up(engine: str, tmp_path: Path):
    with books(engine, tmp_path / "house") as house:
        ended(begin(house, "found"))
        running = [begin(house, str(seed), EACH) for seed in range(AT_ONCE)]
        assert [ended(process) for process in running] == ["begun\ndone\n"] * AT_ONCE
        house.verified()
        assert int(ended(begin(house, "count"))) > 5


@pytest.mark.parametrize("engine", ENGINES)
def test_issuing_is_killed_at_any_moment(engine: str, tmp_path: Path):
    dice = random.Random(engine)
    with books(engine, tmp_path / "house") as house:
        ended(begin(house, "found"))
        for seed in range(3):
            process = begin(house, str(seed), "1000")
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            time.sleep(dice.uniform(0, 0.3))
            process.kill()
            process.communicate()
        ended(begin(house, "99", "50"))
        house.verified()
        assert int(ended(begin(house, "count"))) > 5
