"""Our own commands, run without starting an interpreter, do what a fresh process would."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured

from billclock.scheduler import output
from billclock.scheduler.executors import ours, sockets
from billclock.scheduler.executors.base import Order
from billclock.scheduler.executors.process import ProcessExecutor
from billclock.scheduler.executors.warm import WarmExecutor
from tests.scheduler.executing import (
    await_endings,
    is_alive,
    living,
    order,
    perform,
    until,
    whole_output,
    zombies,
)

PANEL_PATH = "/usr/local/mgr5/sbin/billmaintain"
MAIN = "tests.scheduler.warm_main:main"
SERVER = f"""
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "billclock.settings"
import django
from django.conf import settings
from pathlib import Path
settings.WARM_COMMANDS = {{"billmaintain": {MAIN!r}}}
settings.INTERNAL_COMMAND = {MAIN!r}
django.setup()
from billclock.scheduler.executors import forkserver
forkserver.serve(Path(sys.argv[1]))
"""


@dataclass
class Server:
    """A fork server that has begun."""

    place: Path
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid


@pytest.fixture(autouse=True)
def commands(settings: Any) -> None:
    settings.WARM_COMMANDS = {"billmaintain": MAIN}
    settings.WARM_PATHS = {PANEL_PATH: "billmaintain"}
    settings.INTERNAL_COMMAND = MAIN


@contextmanager
def fork_server(folder: Path) -> Iterator[Server]:
    """Begin a fork server, at a path longer than a socket's may be."""
    place = folder / ("a folder with a very long name" * 4) / "warm"
    place.parent.mkdir()
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(place)])

    def is_up() -> bool:
        try:
            sockets.connect(place).close()
        except OSError:
            return False
        return True

    until(is_up)
    yield Server(place, process)
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with fork_server(tmp_path_factory.mktemp("shared")) as server:
        yield server


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Server]:
    """A fork server that the test may kill."""
    with fork_server(tmp_path) as server:
        yield server


@pytest.fixture
def warm(server: Server) -> Iterator[WarmExecutor]:
    executor = WarmExecutor(ProcessExecutor(), server.place)
    yield executor
    executor.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[WarmExecutor]:
    """An executor that finds no fork server."""
    executor = WarmExecutor(ProcessExecutor(), tmp_path / "nobody is here")
    yield executor
    executor.close()


def act(words: str, **fields: Any) -> Order:
    return order(f"{PANEL_PATH} {words}", **fields)


def test_the_command_runs_in_a_child_of_the_fork_server(warm: WarmExecutor, server: Server) -> None:
    _, printed = perform(warm, f"{PANEL_PATH} parent")
    assert int(printed) == server.pid


def seen(executor: WarmExecutor, words: str) -> tuple[int | None, bytes]:
    """Run a command; give its code and output without what may differ between two runs."""
    given = act(words, stdin=b"typed \xff\n", home="/usr", environment={"A": "b"})
    executor.submit(given)
    (ending,) = await_endings(executor)
    printed = whole_output(given.run)
    if b"Traceback" in printed:
        printed = b"".join(line for line in printed.splitlines() if line[:1] not in b" T")
    mark = b'"BILLCLOCK_RUN": "%d"' % given.run
    return ending.code, printed.replace(mark, b"").replace(PANEL_PATH.encode(), b"billmaintain")


@pytest.mark.parametrize(
    "words",
    [
        "code 0", "code 7", "code 256", "code -1", "leave 5", "leave sorry", "fail", "both",
        "echo", "surroundings a --b=c", "ask", "large", "no-such-act",
    ],
)  # fmt: skip
def test_a_warm_command_does_what_a_fresh_process_does(
    warm: WarmExecutor, fresh: WarmExecutor, words: str
) -> None:
    assert seen(warm, words) == seen(fresh, words)


def test_a_crash_is_told_with_its_signal(warm: WarmExecutor) -> None:
    assert perform(warm, f"{PANEL_PATH} crash")[0].signal == signal.SIGSEGV


def test_the_readers_end_of_a_traceback_is_the_commands(warm: WarmExecutor) -> None:
    _, printed = perform(warm, f"{PANEL_PATH} fail")
    assert b"forkserver" not in printed
    assert b"ValueError: what went wrong\n" in printed


def test_cpu_and_memory_are_told(warm: WarmExecutor) -> None:
    ending, _ = perform(warm, f"{PANEL_PATH} code 0")
    assert ending.cpu is not None
    assert 0 < ending.cpu < 1
    assert ending.memory is not None
    assert ending.memory > 1000


def test_a_home_that_cannot_be_entered_gives_way_to_the_root(warm: WarmExecutor) -> None:
    ending, printed = perform(warm, f"{PANEL_PATH} surroundings", home="/nonexistent")
    assert ending.code == 0
    assert json.loads(printed)["cwd"] == "/"


def test_a_warm_command_leads_a_session(warm: WarmExecutor) -> None:
    given = act("session")
    launch = warm.submit(given)
    await_endings(warm)
    assert whole_output(given.run) == b"%d\n" % launch.pid


def test_the_tree_of_a_warm_command_ends_at_its_timeout(warm: WarmExecutor) -> None:
    given = act("sleep ignoring", timeout=1.0, grace=0.2)
    warm.submit(given)
    (ending,) = await_endings(warm)
    assert (ending.timed_out, ending.signal) == (True, 9)
    family = list(map(int, whole_output(given.run).split()))
    assert len(family) == 2
    assert living(family) == []


def test_a_warm_command_can_be_stopped(warm: WarmExecutor) -> None:
    given = act("sleep")
    warm.submit(given)
    until(lambda: output.read(given.run).data)
    assert warm.stop(given.run)
    (ending,) = await_endings(warm)
    assert (ending.stopped, ending.signal) == (True, 15)


@pytest.mark.parametrize(
    "command",
    [
        "/bin/echo hi",
        f"{PANEL_PATH} parent; true",
        f"{PANEL_PATH} parent | cat",
        f"{PANEL_PATH} 'parent'",
        f"X=1 {PANEL_PATH} parent",
        f"{PANEL_PATH}x parent",
        "billmaintain parent",
        "sbin/billmaintain parent",
    ],
)
def test_anything_but_a_plain_call_of_ours_takes_the_ordinary_way(command: str) -> None:
    assert ours.arguments(order(command)) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"shell": "/bin/bash"},
        {"environment": {"BILLCLOCK_DEBUG": "yes"}},
        {"environment": {"BILLCLOCK_HOME": "/elsewhere"}},
        {"environment": {"TZ": "Asia/Tokyo"}},
        {"environment": {"LD_PRELOAD": "/lib/x.so"}},
        {"environment": {"LANG": "ru_RU.KOI8-R"}},
        pytest.param({"user": "nobody"}, marks=pytest.mark.root),
    ],
)
def test_what_a_fresh_process_would_do_otherwise_takes_the_ordinary_way(
    fields: dict[str, Any],
) -> None:
    assert ours.arguments(act("parent", **fields)) is None
    assert ours.arguments(act("parent")) is not None


def script(place: Path, *lines: str) -> Path:
    text = [
        f"#!{sys.executable} -I",
        *lines,
        "import sys",
        f"sys.path.insert(0, {str(configured.ROOT)!r})",
        "from tests.scheduler.warm_main import main",
        "sys.exit(main())",
    ]
    place.write_text("\n".join(text) + "\n")
    place.chmod(0o755)
    return place


def test_our_own_script_is_known_by_name_by_path_and_by_link(
    warm: WarmExecutor, server: Server, tmp_path: Path
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    original = script(tmp_path / "original")
    (folder / "billmaintain").symlink_to(original)
    path = {"PATH": f"{folder}:/usr/bin:/bin"}
    for command in ("billmaintain parent", f"{folder}/billmaintain parent"):
        _, printed = perform(warm, command, environment=path)
        assert int(printed) == server.pid


@pytest.mark.parametrize("line", ["print('not ours')", "os.environ.setdefault('A', 'b')"])
def test_a_foreign_program_of_that_name_is_run_itself(tmp_path: Path, line: str) -> None:
    program = tmp_path / "billmaintain"
    if "print" in line:
        program.write_text(f"#!{sys.executable}\n{line}\n")
    else:
        script(program, "import os", line)
    assert ours.arguments(order(f"{program} parent")) is None
    assert ours.ordinary(order(f"{program} parent")).command == f"{program} parent".encode()


def test_without_a_fork_server_a_panels_path_still_works(fresh: WarmExecutor) -> None:
    assert perform(fresh, f"{PANEL_PATH} code 3")[0].code == 3
    assert perform(fresh, f"{PANEL_PATH} code 3 || exit 9")[0].code == 9


def test_when_the_fork_server_dies_commands_go_on_the_ordinary_way(mortal: Server) -> None:
    warm = WarmExecutor(ProcessExecutor(), mortal.place)
    given = act("wait 1 4")
    launch = warm.submit(given)
    until(lambda: output.read(given.run).data)
    mortal.process.kill()
    mortal.process.wait()
    other = act("code 3")
    warm.submit(other)
    endings = {ending.run: ending for ending in await_endings(warm, 2)}
    assert endings[other.run].code == 3
    assert given.run in endings
    assert not is_alive(launch.pid)
    warm.close()


DAEMON = """
import os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "billclock.settings"
from pathlib import Path
from django.conf import settings
from billclock.scheduler.executors.base import Order
from billclock.scheduler.executors.process import ProcessExecutor
from billclock.scheduler.executors.warm import WarmExecutor
place, run, file, command, home = sys.argv[1:]
settings.WARM_COMMANDS = {"billmaintain": "tests.scheduler.warm_main:main"}
environment = {"PATH": "/usr/bin:/bin", "BILLCLOCK_HOME": home}
order = Order(int(run), command.encode(), b"", environment, None, "/", Path(file))
launch = WarmExecutor(ProcessExecutor(), Path(place)).submit(order)
print(launch.pid, launch.pid_started, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("seconds", ["0", "0.5"])
@pytest.mark.parametrize("is_known", [True, False])
def test_a_warm_command_outlives_its_daemon_and_tells_the_next_its_code(
    server: Server, seconds: str, is_known: bool
) -> None:
    given = act(f"wait {seconds} 6")
    home = given.environment["BILLCLOCK_HOME"]
    arguments = [server.place, str(given.run), given.output, given.command.decode(), home]
    daemon = subprocess.Popen([sys.executable, "-c", DAEMON, *arguments], stdout=subprocess.PIPE)
    assert daemon.stdout is not None
    pid, pid_started = map(int, daemon.stdout.readline().split())
    if seconds == "0":
        until(lambda: not is_alive(pid))
        time.sleep(0.1)  # so that the ending was told to a daemon that never read it
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.wait()
    daemon.stdout.close()
    executor = WarmExecutor(ProcessExecutor(), server.place)
    assert executor.adopt(given, *((pid, pid_started) if is_known else (None, None)))
    (ending,) = await_endings(executor)
    assert (ending.run, ending.code) == (given.run, 6)
    assert not executor.adopt(act("code 0"), None, None)
    executor.close()


@pytest.mark.parametrize("kind", ["warm", "fresh"])
def test_an_internal_command_runs_once_at_a_time(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    executor: WarmExecutor = request.getfixturevalue(kind)
    place = tmp_path / "touched"
    assert executor.internal(["touch", str(place)])
    until(place.exists, executor)
    assert not executor.internal(["touch", str(place)])
    (pid,) = map(int, place.read_text().split())
    until(lambda: not is_alive(pid), executor)
    until(lambda: executor.internal(["touch", str(place)]), executor)  # what began it ends later
    until(lambda: len(place.read_text().split()) == 2, executor)


def test_many_warm_commands_leave_no_zombie(warm: WarmExecutor) -> None:
    endings = []
    for _ in range(200):
        warm.submit(act("code 0"))
        endings += warm.attend()
    endings += await_endings(warm, 200 - len(endings))
    assert {ending.code for ending in endings} == {0}
    assert not zombies()
    assert warm.due_in() is None or warm.attend() == []
