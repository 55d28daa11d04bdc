"""S1 and S2: whatever is killed whenever, each planned moment has one outcome and one start."""

import collections
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from billclock.scheduler.models import Outcome
from tests import prepared

CLOCKWORK = Path(__file__).with_name("clockwork.py")
TABLE = """\
* * * * * echo "$BILLCLOCK_RUN" >> {starts}; :
*/2 * * * * echo "$BILLCLOCK_RUN" >> {starts}; sleep 0.05
# billclock: catch-up=once
*/3 * * * * echo "$BILLCLOCK_RUN" >> {starts}; exit 3
# billclock: overlap=allow
* * * * * echo "$BILLCLOCK_RUN" >> {starts}; :
"""
ENTRIES = 4


class House:
    """A BILLCLOCK_HOME of its own, with databases and one table, and a log that the jobs write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.starts = folder / "starts"
        self.starts.touch()
        (folder / "spool").mkdir()
        (folder / "spool" / "root").write_text(TABLE.format(starts=self.starts))
        self.environment = {
            **os.environ,
            "BILLCLOCK_HOME": str(folder),
            "DJANGO_SETTINGS_MODULE": "billclock.settings",
        }
        prepared.copied(folder)

    def python(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], env=self.environment, check=True, text=True,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        return done.stdout

    def begin(self, minutes: int, pace: float, *, alone: bool = True) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, CLOCKWORK, str(minutes), str(pace)],
            env={**self.environment, "CLOCKWORK_ALONE": "yes" if alone else "no"},
        )

    def slots(self) -> list[tuple[int, str, int, str, str, str]]:
        """Give entry, moment, count, outcome, run and the run's start of every slot's attempts."""
        script = (
            "import django; django.setup()\n"
            "from billclock.scheduler.models import Run\n"
            "for r in Run.objects.select_related('slot').order_by('id'):\n"
            "    s = r.slot\n"
            "    print(s.entry_id, s.planned.timestamp(), s.count, s.outcome or '-', r.pk,"
            " r.outcome or '-', r.started and 1, sep='\\t')\n"
        )
        return [tuple(line.split("\t")) for line in self.python("-c", script).splitlines()]


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def judge(house: House, minutes: int) -> collections.Counter:
    """Hold the database against what the jobs themselves wrote; give the outcomes' numbers."""
    rows = house.slots()
    moments = {(row[0], row[1]) for row in rows}
    per_entry = collections.Counter(entry for entry, _ in moments)
    assert sorted(per_entry.values()) == sorted([minutes, minutes // 2, minutes // 3, minutes])
    begun = collections.Counter(house.starts.read_text().split())
    assert not [run for run, times in begun.items() if times > 1], "a run began twice"
    starts_of_moment = collections.Counter()
    for entry, moment, _count, slot, run, outcome, _started in rows:
        assert slot in Outcome.values, "a moment without an outcome"
        assert outcome in Outcome.values, "a run without an outcome"
        starts_of_moment[entry, moment] += begun[run]
        if outcome in (Outcome.SUCCEEDED, Outcome.FAILED):
            assert begun[run] == 1, f"run {run} {outcome} but never began"
        if outcome in (Outcome.MISSED, Outcome.SKIPPED):
            assert begun[run] == 0, f"run {run} is told as {outcome} but began"
    assert max(starts_of_moment.values()) == 1, "a moment was started twice"
    assert set(begun) <= {row[4] for row in rows}
    return collections.Counter(row[5] for row in rows)


def kill_at_random(house: House, kills: int, minutes: int, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(kills):
        process = house.begin(minutes, 0.03)
        try:
            process.wait(chance.uniform(0.3, 1.6))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    assert house.begin(minutes, 0.03).wait(120) == 0


def test_unharmed_every_moment_runs(house):
    assert house.begin(30, 0.1).wait(60) == 0
    outcomes = judge(house, 30)
    assert outcomes["succeeded"] > 60
    assert outcomes["failed"] == 10
    assert not outcomes["lost"]


def test_killed_at_random_nothing_is_lost_or_doubled(house):
    kill_at_random(house, kills=8, minutes=120, seed=1)
    judge(house, 120)


@pytest.mark.long
def test_killed_a_hundred_times_nothing_is_lost_or_doubled(house):
    kill_at_random(house, kills=100, minutes=1800, seed=2)
    judge(house, 1800)


def test_five_schedulers_share_an_hour(house):
    together = [house.begin(60, 0.02, alone=False) for _ in range(5)]
    assert [process.wait(120) for process in together] == [0] * 5
    judge(house, 60)
