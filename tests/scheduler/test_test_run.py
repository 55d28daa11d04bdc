"""A test run: a real scheduler runs an unsaved line for its entry, and mails and saves nothing."""

import subprocess
import sys
from pathlib import Path

from tests.web.server import ROOT, serving

ASK = """
import time
from base64 import b64encode
from billclock.scheduler import control
from billclock.scheduler.models import Run
from billclock.scheduler.tables import Tables
key = Tables().table("root").load().keys[0]
data = b64encode(b"0 0 1 1 * exit 7\\n").decode()
for _ in range(100):
    try:
        run = control.ask("test-run", entry=key, place=0, data=data, actor="me")["run"]
        break
    except (control.NotRunningError, control.RefusedError):
        time.sleep(0.1)
while not (row := Run.objects.get(pk=run)).outcome:
    time.sleep(0.05)
print(row.trigger, row.exit_code, row.mail, row.entry_id == key)
"""


def test_an_unsaved_line_runs_for_its_entry_unmailed(tmp_path: Path) -> None:
    with serving(tmp_path, BILLCLOCK_SPOOL=str(tmp_path / "spool")) as server:
        (tmp_path / "spool").mkdir(exist_ok=True)
        saved = tmp_path / "spool" / "root"
        saved.write_text("MAILTO=a@example.net\n0 0 1 1 * echo saved\n")
        command = [Path(sys.executable).parent / "billclock", "scheduler"]
        with subprocess.Popen(command, env=server.environment, cwd=ROOT) as daemon:
            try:
                assert server.python(ASK) == "test 7 none True"
            finally:
                daemon.terminate()
        assert saved.read_text() == "MAILTO=a@example.net\n0 0 1 1 * echo saved\n"
