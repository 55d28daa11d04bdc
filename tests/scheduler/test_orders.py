"""From an entry and its directives to what an executor is asked."""

import os
import pwd
from datetime import UTC
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from billclock.cron.crontab import Crontab
from billclock.scheduler import output
from billclock.scheduler.environment import RefusedUserError
from billclock.scheduler.executors.base import Limits, Order
from billclock.scheduler.executors.process import ProcessExecutor
from billclock.scheduler.orders import order
from billclock.scheduler.roster import Job
from tests.scheduler.executing import await_endings


def ordered(text: str, table: str = "root") -> Order:
    line = Crontab.parse(text.encode(), system="/" in table).entries[0]
    return order(Job(1, table, line, UTC), 1)


def test_variables_of_the_entry_go_over_those_of_the_table() -> None:
    text = "A=table\nB=table\n# billclock: env=\"A='its own' HOME=/usr C=\"\n@daily true\n"
    found = ordered(text)
    assert (found.environment["A"], found.environment["B"]) == ("its own", "table")
    assert (found.environment["C"], found.home) == ("", "/usr")


def test_what_is_not_asked_is_not_in_the_order() -> None:
    assert (ordered("@daily true\n").limits, ordered("@daily true\n").folder) == (None, "")
    found = ordered("# billclock: nice=5 ionice=idle memory=1G workdir=/srv\n@daily true\n")
    assert found.limits == Limits(5, (3, 0), 1024**3)
    assert found.folder == "/srv"


def test_only_roots_table_names_another_user() -> None:
    for table, line in (("bob", "@daily true"), ("/etc/cron.d/x", "@daily root true")):
        with pytest.raises(RefusedUserError, match="remove user="):
            ordered(f"# billclock: user=nobody\n{line}\n", table)


@pytest.mark.root
def test_a_job_of_root_runs_as_the_user_it_names() -> None:
    found = ordered("# billclock: user=nobody\n@daily true\n")
    assert found.user == "nobody"
    assert found.environment["LOGNAME"] == found.environment["USER"] == "nobody"
    assert found.home == pwd.getpwnam("nobody").pw_dir


@pytest.mark.root
def test_all_that_an_entry_asks_for_is_so_in_its_process() -> None:
    asked = "user=nobody workdir=/usr nice=7 ionice=idle memory=256M env=\"GREETING='good night'\""
    command = "id -un; pwd; nice; ionice -p $$; ulimit -d; echo $GREETING; exit 3"
    executor = ProcessExecutor()
    try:
        given = ordered(f"# billclock: {asked}\n@daily {command}\n")
        executor.submit(given)
        (ending,) = await_endings(executor)
    finally:
        executor.close()
    found = output.path(given.run).read_text().split("\n")
    assert found == ["nobody", "/usr", "7", "idle", str(256 * 1024), "good night", ""]
    assert ending.code == 3


def test_a_job_without_a_limit_of_its_own_is_stopped_at_its_tables() -> None:
    executor = ProcessExecutor()
    try:
        executor.submit(ordered("CRON_TIMEOUT=1s\n@daily echo begun; sleep 300; echo whole\n"))
        (ending,) = await_endings(executor)
    finally:
        executor.close()
    assert ending.timed_out
    assert ordered("CRON_TIMEOUT=1s\n# billclock: timeout=5m\n@daily true\n").timeout == 300


@pytest.mark.root
def test_a_daemon_that_is_not_root_runs_no_job_as_another(
    settings: Settings, tmp_path: Path
) -> None:
    settings.CONTROL_SOCKET = tmp_path / "daemon.sock"
    settings.CONTROL_SOCKET.touch()
    os.chown(settings.CONTROL_SOCKET, pwd.getpwnam("daemon").pw_uid, 0)
    with pytest.raises(RefusedUserError, match="start Billclock as root"):
        ordered("# billclock: user=nobody\n@daily true\n")
