"""What a command finds when it is run, and what is learnt of how it ended."""

import json
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from billclock import clock
from billclock.scheduler import output
from billclock.scheduler.executors import exits, proc
from billclock.scheduler.executors.base import StartError
from billclock.scheduler.executors.process import ProcessExecutor
from tests.scheduler.executing import (
    await_endings,
    is_alive,
    order,
    perform,
    until,
    whole_output,
    zombies,
)


@pytest.fixture
def executor() -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor()
    yield executor
    executor.close()


def test_exit_code_cpu_memory_and_output_are_told(executor: ProcessExecutor) -> None:
    ending, printed = perform(executor, "echo out; echo err >&2; exit 3")
    assert (ending.code, ending.signal) == (3, None)
    assert printed == b"out\nerr\n"
    assert ending.output_size == 8
    assert ending.cpu is not None
    assert 0 < ending.cpu < 5
    assert ending.memory is not None
    assert 500 < ending.memory < 100_000


def test_a_killed_command_tells_its_signal(executor: ProcessExecutor) -> None:
    ending, _ = perform(executor, "kill -9 $$")
    assert (ending.code, ending.signal) == (None, 9)


@pytest.mark.parametrize("command", ["/usr/bin/env", "env", "env;"])
def test_the_environment_is_exactly_the_orders_and_the_runs_mark(
    executor: ProcessExecutor, command: str
) -> None:
    given = order(command, environment={"GREETING": "a b=c"}, home="/usr")
    executor.submit(given)
    await_endings(executor)
    found = dict(line.split("=", 1) for line in whole_output(given.run).decode().splitlines())
    mark = {"BILLCLOCK_RUN": str(given.run), "PWD": "/usr"}
    assert found == {**given.environment, **mark}


def test_a_plain_command_does_as_the_shell_would(executor: ProcessExecutor) -> None:
    for plain in ("/bin/ls -ld /usr", "ls -ld /usr", "nothing-of-that-name a", "/usr", "pwd"):
        directly, shown = perform(executor, plain)
        by_shell, shown_by_shell = perform(executor, f"{plain};")
        assert (directly.code, shown) == (by_shell.code, shown_by_shell)


def test_a_script_without_first_line_is_run_by_the_shell(
    executor: ProcessExecutor, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("echo by the shell\n")
    script.chmod(0o755)
    ending, printed = perform(executor, str(script))
    assert (ending.code, printed) == (0, b"by the shell\n")


def test_a_shell_of_ones_own_gets_the_command(executor: ProcessExecutor, tmp_path: Path) -> None:
    shell = tmp_path / "shell"
    shell.write_text('#!/bin/sh\necho "my shell: $1 $2"\n')
    shell.chmod(0o755)
    _, printed = perform(executor, "/bin/true", shell=str(shell))
    assert printed == b"my shell: -c /bin/true\n"


def test_the_command_leads_a_session_in_its_home_without_our_descriptors(
    executor: ProcessExecutor,
) -> None:
    code = (
        "import os, json, signal; print(json.dumps([os.getsid(0) == os.getpid(), os.getcwd(), "
        "sorted(map(int, os.listdir('/proc/self/fd')))[:4], "
        "signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL, len(signal.pthread_sigmask(0, []))]))"
    )
    _, printed = perform(executor, f'exec {sys.executable} -c "{code}"', home="/usr")
    leads, where, descriptors, plain_signals, blocked = json.loads(printed)
    assert (leads, where, plain_signals, blocked) == (True, "/usr", True, 0)
    assert descriptors == [0, 1, 2, 3]  # the last is the listing itself


def test_a_pipe_closed_early_ends_the_writer_by_signal(executor: ProcessExecutor) -> None:
    ending, _ = perform(executor, "(yes; echo $? >&2) | head -n 1 >/dev/null")
    assert ending.code == 0


def test_standard_input_is_given_whole_and_never_waits(executor: ProcessExecutor) -> None:
    text = b"line\n" * 200_000
    ending, printed = perform(executor, "wc -c", stdin=text)
    assert (ending.code, printed.strip()) == (0, b"1000000")
    ending, _ = perform(executor, "sleep 0", stdin=text)
    assert ending.code == 0
    _, printed = perform(executor, "cat; echo end")
    assert printed == b"end\n"


def test_a_home_that_cannot_be_entered_gives_way_to_the_root(executor: ProcessExecutor) -> None:
    ending, printed = perform(executor, "pwd", home="/nonexistent")
    assert (ending.code, printed) == (0, b"/\n")


def test_binary_output_is_kept_byte_for_byte(executor: ProcessExecutor) -> None:
    _, printed = perform(executor, r"printf '\000\377\033[31m\r\n\200'")
    assert printed == b"\0\xff\x1b[31m\r\n\x80"


def test_outputs_are_for_our_eyes_only(executor: ProcessExecutor) -> None:
    given = order("echo secret")
    executor.submit(given)
    await_endings(executor)
    assert stat.S_IMODE(given.output.stat().st_mode) == 0o600
    assert stat.S_IMODE(given.output.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("command", "fields", "said"),
    [
        (b"echo \0", {}, "NUL"),
        ("true", {"shell": "/no/such/shell"}, "SHELL=/no/such/shell does not exist"),
        ("true", {"shell": "/etc/passwd"}, "SHELL=/etc/passwd may not be executed"),
        ("true", {"user": "no-such-user"}, "no user no-such-user"),
        ("echo " + "x" * 140_000, {}, "put it into a script"),
        ("true", {"environment": {"A=B": "c"}}, "'A=B'"),
    ],
)
def test_what_cannot_start_is_told_with_its_mend(
    executor: ProcessExecutor, command: str | bytes, fields: dict[str, object], said: str
) -> None:
    with pytest.raises(StartError, match=said):
        executor.submit(order(command, **fields))
    assert perform(executor, "true")[0].code == 0


@pytest.mark.root
def test_another_users_command_has_that_users_rights_and_groups(executor: ProcessExecutor) -> None:
    for command in ("id", "id;"):
        _, printed = perform(executor, command, user="nobody")
        told = subprocess.run(["id", "nobody"], capture_output=True, check=True).stdout
        assert printed == told
    _, printed = perform(executor, "cat /proc/self/status;", user="nobody")
    capabilities = [line.split() for line in printed.decode().splitlines() if line[:3] == "Cap"]
    assert {name: int(bits, 16) for name, bits in capabilities if name != "CapBnd:"} == {
        "CapInh:": 0, "CapPrm:": 0, "CapEff:": 0, "CapAmb:": 0,
    }  # fmt: skip


@pytest.mark.root
def test_a_user_who_stops_or_kills_the_own_spawner_delays_nobody(
    executor: ProcessExecutor,
) -> None:
    given = order("echo $PPID; sleep 1; exit 4", user="nobody")
    executor.submit(given)
    until(lambda: output.read(given.run).data)
    spawner = int(output.read(given.run).data)
    os.kill(spawner, signal.SIGSTOP)
    began = time.monotonic()
    second = order("true", user="nobody")
    executor.submit(second)
    assert time.monotonic() - began < 2
    (ending,) = await_endings(executor)
    assert (ending.run, ending.code) == (second.run, 0)
    os.kill(spawner, signal.SIGKILL)
    (ending,) = await_endings(executor)
    assert (ending.run, ending.code) == (given.run, 4)
    assert perform(executor, "true", user="nobody")[0].code == 0


def test_a_killed_spawner_loses_no_run(executor: ProcessExecutor) -> None:
    given = order("echo $PPID; sleep 0.5; exit 5")
    executor.submit(given)
    until(lambda: output.read(given.run).data)
    os.kill(int(output.read(given.run).data), signal.SIGKILL)
    (ending,) = await_endings(executor)
    assert (ending.run, ending.code) == (given.run, 5)
    assert perform(executor, "exit 6")[0].code == 6


def test_in_a_burst_each_run_has_its_own_home_output_and_code(executor: ProcessExecutor) -> None:
    here = Path.cwd()
    homes = ["/", "/usr", "/nonexistent", "/etc", "/tmp"] * 4
    orders = [order(f"pwd; exit {n}", home=home) for n, home in enumerate(homes)]
    for given in orders:
        executor.submit(given)
    endings = {ending.run: ending for ending in await_endings(executor, len(orders))}
    assert [endings[given.run].code for given in orders] == list(range(len(orders)))
    for given, home in zip(orders, homes, strict=True):
        assert whole_output(given.run).decode() == f"{home if Path(home).exists() else '/'}\n"
    assert Path.cwd() == here


def test_in_a_burst_memory_is_told_where_it_is_more_than_our_own(executor: ProcessExecutor) -> None:
    executor.submit(order("true"))
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB; grows with the suite
    small = order("/bin/true")
    large = order(f"{sys.executable} -c 'bytes(1024) * {ours + 200_000}'")
    executor.submit(small)
    executor.submit(large)
    endings = {ending.run: ending for ending in await_endings(executor, 3)}
    assert endings[large.run].memory is not None
    assert endings[large.run].memory > ours + 100_000
    assert (endings[small.run].memory or 0) < ours + 100_000


def test_a_stopped_run_gets_term_first(executor: ProcessExecutor) -> None:
    given = order("trap 'echo term; exit 7' TERM; echo ready; while :; do sleep 0.05; done")
    executor.submit(given)
    until(lambda: output.read(given.run).data)
    assert executor.stop(given.run)
    (ending,) = await_endings(executor)
    assert (ending.code, ending.stopped, ending.timed_out) == (7, True, False)
    assert whole_output(given.run).endswith(b"term\n")
    assert not executor.stop(given.run)
    assert not executor.stop(10**9)


def test_the_executor_sleeps_while_nothing_is_due(executor: ProcessExecutor) -> None:
    assert executor.due_in() is None
    perform(executor, "true", timeout=1)
    until(lambda: executor.due_in() is None, executor)


def test_orphans_are_reaped(executor: ProcessExecutor) -> None:
    given = order("(setsid sh -c 'echo $$; sleep 0.2' &)")
    executor.submit(given)
    await_endings(executor)
    until(lambda: output.read(given.run).data)
    orphan = int(output.read(given.run).data)
    until(lambda: not is_alive(orphan))
    until(lambda: not zombies(), executor)


# after a daemon that was killed

DAEMON = """
import os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "billclock.settings"
from pathlib import Path
from billclock.scheduler.executors.base import Order
from billclock.scheduler.executors.process import ProcessExecutor
run, place, command, home = sys.argv[1:]
environment = {"PATH": "/usr/bin:/bin", "BILLCLOCK_HOME": home}
order = Order(int(run), command.encode(), b"", environment, None, "/", Path(place))
launch = ProcessExecutor().submit(order)
print(launch.pid, launch.pid_started, flush=True)
time.sleep(60)
"""


def killed_daemon(command: str) -> tuple[object, int, int]:
    """Start a command from another process, kill that -9, and give the order, pid and start."""
    given = order(command)
    home = given.environment["BILLCLOCK_HOME"]
    arguments = [str(given.run), str(given.output), command, home]
    daemon = subprocess.Popen(
        [sys.executable, "-c", DAEMON, *arguments], stdout=subprocess.PIPE, text=True
    )
    assert daemon.stdout is not None
    pid, pid_started = map(int, daemon.stdout.readline().split())
    daemon.kill()
    daemon.wait()
    daemon.stdout.close()
    return given, pid, pid_started


@pytest.mark.parametrize("is_known", [True, False])
def test_a_run_survives_its_daemon_and_is_found_again(is_known: bool) -> None:
    given, pid, pid_started = killed_daemon("sleep 1; echo still here; exit 3")
    executor = ProcessExecutor()
    assert executor.adopt(given, *((pid, pid_started) if is_known else (None, None)))
    (ending,) = await_endings(executor)
    assert ending.run == given.run
    # the orphan came to this process, as it comes to a supervised daemon's supervisor
    assert ending.code in (3, None)
    assert whole_output(given.run) == b"still here\n"
    executor.close()


def test_an_adopted_run_can_be_stopped_and_its_timeout_counts_from_its_start() -> None:
    executor = ProcessExecutor()
    given, pid, pid_started = killed_daemon("sleep 60")
    assert executor.adopt(given, pid, pid_started)
    assert executor.stop(given.run)
    (ending,) = await_endings(executor)
    assert ending.stopped
    assert not is_alive(pid)
    executor.close()


def test_a_run_that_is_no_more_is_not_taken_over(executor: ProcessExecutor) -> None:
    given = order("true")
    launch = executor.submit(given)
    await_endings(executor)
    assert not executor.adopt(given, launch.pid, launch.pid_started)
    assert not executor.adopt(order("true"), None, None)
    assert not executor.adopt(order("true"), os.getpid(), 1)  # the number is another's by now


def test_what_ended_meanwhile_has_the_code_that_the_supervisor_wrote(
    executor: ProcessExecutor,
) -> None:
    given = order("true")
    launch = executor.submit(given)
    await_endings(executor)
    line = f"{launch.pid} {9 << 8} 0.25 4096 {clock.seconds()}\n"
    exits.place().write_text(f"torn li\n{launch.pid} 256 0 0 5.0\n{line}")
    try:
        assert executor.adopt(given, launch.pid, launch.pid_started)
        (ending,) = await_endings(executor)
    finally:
        exits.place().unlink()
    assert (ending.code, ending.cpu, ending.memory) == (9, 0.25, 4096)


def test_start_times_name_one_process() -> None:
    child = subprocess.Popen(["sleep", "60"])
    began = proc.started(child.pid)
    assert proc.is_alive(child.pid, began)
    assert not proc.is_alive(child.pid, (began or 0) + 1)
    child.kill()
    child.wait()
    assert proc.started(child.pid) is None
