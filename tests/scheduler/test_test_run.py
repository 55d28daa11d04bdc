"""A test run: a real scheduler runs an unsaved line for its entry, and mails and saves nothing."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.web.server import ROOT, Server, serving

ASK = """
import time
from base64 import b64encode
from billclock.scheduler import control
from billclock.scheduler.models import Run
from billclock.scheduler.tables import Tables
key = Tables().table("root").load().keys[0]
data = b64encode(b"0 0 1 1 * echo saved\\n0 0 1 1 * exit 7\\n").decode()
for _ in range(100):
    try:
        run = control.ask("test-run", place=PLACE, data=data, actor="me", WHICH)["run"]
        break
    except (control.NotRunningError, control.RefusedError):
        time.sleep(0.1)
while not (row := Run.objects.get(pk=run)).outcome:
    time.sleep(0.05)
print(row.trigger, row.exit_code, row.mail, row.entry_id == key, row.entry.gone_at is None)
"""
AFTER = """
from billclock.scheduler.models import Run
from billclock.scheduler.tables import Tables
keys = Tables().table("root").load().keys
run = Run.objects.get(trigger="test")
print(len(keys), list(keys).index(run.entry_id))
"""
WRONG = """
from billclock.scheduler import control
for given in ({}, {"table": "../x"}, {"table": "root", "place": 5}, {"entry": 99}):
    try:
        control.ask("test-run", **{"place": 0, "data": "MCAwIDEgMSAqIHgK", **given})
    except control.RefusedError as refusal:
        print(str(refusal).partition(":")[0])
"""


SAVED = "MAILTO=a@example.net\n0 0 1 1 * echo saved\n"


@contextmanager
def scheduler(folder: Path) -> Iterator[Server]:
    with serving(folder, BILLCLOCK_SPOOL=str(folder / "spool")) as server:
        (folder / "spool").mkdir(exist_ok=True)
        (folder / "spool" / "root").write_text(SAVED)
        command = [sys.executable, "-m", "billclock.commands.billclock", "scheduler"]
        with subprocess.Popen(command, env=server.environment, cwd=ROOT) as daemon:
            try:
                yield server
            finally:
                daemon.terminate()


def asked(place: int, which: str) -> str:
    return ASK.replace("PLACE", str(place)).replace("WHICH", which)


def test_an_unsaved_line_runs_for_its_entry_unmailed(tmp_path: Path) -> None:
    with scheduler(tmp_path) as server:
        assert server.python(asked(1, "entry=key")) == "test 7 none True True"
        assert (tmp_path / "spool" / "root").read_text() == SAVED


def test_a_line_that_is_new_runs_too_and_is_the_same_job_once_it_is_saved(tmp_path: Path) -> None:
    with scheduler(tmp_path) as server:
        assert server.python(asked(-1, "table='root'")) == "test 7 none False False"
        table = tmp_path / "spool" / "root"
        assert table.read_text() == SAVED
        assert server.python(WRONG).split("\n") == [
            "table",
            "table",
            "data",
            "entry 99 is in no table",
        ]
        table.write_text(SAVED + "0 0 1 1 * exit 7\n")
        assert server.python(AFTER) == "2 1"
