"""Commands that will not end, print without end, or leave processes behind (S6, S7)."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from billclock.scheduler import output
from billclock.scheduler.executors import proc
from billclock.scheduler.executors.base import StartError
from billclock.scheduler.executors.process import ProcessExecutor
from billclock.scheduler.output import HEAD, TAIL
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

MIB = 1024 * 1024


@pytest.fixture
def executor() -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor()
    yield executor
    executor.close()


def pids(place: Path, wanted: int) -> list[int]:
    """Wait until so many processes have written down their numbers."""
    until(lambda: place.exists() and len(place.read_text().split()) >= wanted)
    return [int(pid) for pid in place.read_text().split()]


ESCAPES = {
    "ignores TERM": "trap '' TERM; echo $$ >>{place}; while :; do sleep 0.1; done",
    "in the background": "sh -c 'trap \"\" TERM; echo $$ >>{place}; sleep 60' & sleep 60",
    "setsid": "setsid sh -c 'echo $$ >>{place}; sleep 60' & sleep 60",
    "double fork": '(setsid sh -c \'(setsid sh -c "trap \\"\\" TERM; echo \\$\\$ >>{place}; '
    "while :; do sleep 0.1; done\" &)' &); sleep 60",
    "stopped": "sh -c 'echo $$ >>{place}; kill -STOP $$; sleep 60' & sleep 60",
    "without its mark": "env -i sh -c 'echo $$ >>{place}; exec /bin/sleep 60' & sleep 60",
}


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_tree_never_outlives_its_timeout(
    executor: ProcessExecutor, tmp_path: Path, escape: str
) -> None:
    place = tmp_path / "pids"
    given = order(ESCAPES[escape].format(place=place), timeout=0.5, grace=0.3)
    began = time.monotonic()
    executor.submit(given)
    found = pids(place, 1)
    (ending,) = await_endings(executor)
    assert ending.timed_out
    assert not ending.stopped
    assert living(found) == []
    assert 0.5 <= time.monotonic() - began < 5


SLIPS_AWAY = """
import os, time
time.sleep(0.7)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        loop = "trap '' TERM; echo $$ >>{place}; while :; do sleep 0.1; done"
        os.execve("/bin/sh", ["sh", "-c", loop], {{}})
    os._exit(0)
os.wait()
time.sleep(60)
"""


@pytest.mark.root
def test_without_mark_session_or_parent_it_is_still_in_its_control_group(
    executor: ProcessExecutor, tmp_path: Path
) -> None:
    if "cgroup2" not in Path("/proc/self/mountinfo").read_text():
        pytest.skip("this machine has no control groups of version 2")
    place, script = tmp_path / "pids", tmp_path / "slips.py"
    script.write_text(SLIPS_AWAY.format(place=place))
    given = order(f"{sys.executable} {script}", timeout=4.0, grace=0.3)
    executor.submit(given)
    (found,) = pids(place, 1)
    (ending,) = await_endings(executor)
    assert ending.timed_out
    assert not is_alive(found)
    assert not list(Path("/sys/fs/cgroup").glob(f"**/billclock-*/{given.run}"))


def test_what_a_finished_command_left_behind_ends_at_the_timeout_too(
    executor: ProcessExecutor, tmp_path: Path
) -> None:
    place = tmp_path / "pids"
    command = f"(setsid sh -c 'trap \"\" TERM; echo $$ >>{place}; sleep 60' >/dev/null 2>&1 &)"
    ending, _ = perform(executor, command, timeout=1, grace=0.2)
    assert (ending.code, ending.timed_out) == (0, False)
    (left,) = pids(place, 1)
    assert is_alive(left)
    until(lambda: not is_alive(left), executor)


def test_without_a_timeout_what_is_left_behind_lives(
    executor: ProcessExecutor, tmp_path: Path
) -> None:
    place = tmp_path / "pids"
    given = order(f"(setsid sh -c 'echo $$ >>{place}; exec sleep 60' >/dev/null 2>&1 &)")
    executor.submit(given)
    await_endings(executor)
    (left,) = pids(place, 1)
    executor.attend()
    time.sleep(0.2)
    executor.attend()
    assert is_alive(left)
    os.kill(left, signal.SIGKILL)


def test_runs_stopped_together_spare_each_others_neighbours(executor: ProcessExecutor) -> None:
    orders = [order("sleep 60 & sleep 60") for _ in range(20)]
    bystander = order("sleep 60")
    launches = [executor.submit(given) for given in [*orders, bystander]]
    for given in orders:
        executor.stop(given.run)
    endings = await_endings(executor, len(orders))
    assert {ending.run for ending in endings} == {given.run for given in orders}
    assert is_alive(launches[-1].pid)
    executor.stop(bystander.run)
    await_endings(executor)


def test_a_gigabyte_of_output_keeps_disk_and_memory_flat(executor: ProcessExecutor) -> None:
    given = order(f"echo first; yes 0123456789 | head -c {1024 * MIB}; echo last")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    most = [0]
    done = threading.Event()

    def measure() -> None:
        while not done.wait(0.05):
            most[0] = max(most[0], output.disk_size(given.run))

    meter = threading.Thread(target=measure)
    meter.start()
    executor.submit(given)
    (ending,) = await_endings(executor)
    done.set()
    meter.join()
    assert ending.code == 0
    assert ending.output_size == 1024 * MIB + 6 + 5
    assert output.size(given.run) == ending.output_size
    kept = whole_output(given.run)
    assert kept.startswith(b"first\n0123456789\n")
    assert kept.endswith(b"last\n")
    assert len(kept) == HEAD + TAIL
    assert output.disk_size(given.run) < 2 * MIB
    assert most[0] < 400 * MIB
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024  # KiB


def test_endless_output_is_readable_meanwhile_and_ends_by_its_timeout(
    executor: ProcessExecutor,
) -> None:
    given = order("yes", timeout=1, grace=0.2)
    executor.submit(given)
    until(lambda: output.size(given.run) > 2 * (HEAD + TAIL), executor)
    assert output.read(given.run, 0, 4).data == b"y\ny\n"
    (ending,) = await_endings(executor)
    assert ending.timed_out
    assert output.disk_size(given.run) < 2 * MIB


def test_output_of_what_was_left_behind_stays_bounded(executor: ProcessExecutor) -> None:
    given = order("(setsid yes &)")
    executor.submit(given)
    (ending,) = await_endings(executor)
    assert ending.code == 0
    until(lambda: output.size(given.run) > 500 * MIB, executor)
    until(lambda: output.disk_size(given.run) < 300 * MIB, executor)
    left = proc.Snapshot().tree(given.run, given.environment["BILLCLOCK_HOME"])
    assert len(left) == 1
    os.kill(left.pop(), signal.SIGKILL)
    until(lambda: executor.due_in() is None, executor)
    assert output.disk_size(given.run) < 2 * MIB


def count(short: int, long: int) -> list[object]:
    return [short, pytest.param(long, marks=pytest.mark.long)]


@pytest.mark.parametrize("runs", count(1_000, 10_000))
def test_many_quick_runs_leave_no_zombie_and_no_descriptor(
    executor: ProcessExecutor, runs: int
) -> None:
    perform(executor, "true")
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    endings = []
    for number in range(runs):
        executor.submit(order("(/bin/true &)" if number % 50 == 0 else "/bin/true"))
        endings += executor.attend()
    endings += await_endings(executor, runs - len(endings))
    assert {ending.code for ending in endings} == {0}
    until(lambda: not zombies(), executor)
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before
    until(lambda: executor.due_in() is None, executor)


@pytest.mark.root
def test_no_room_for_another_process_is_told_and_passes() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (1, limits[1]))  # spares root, and its spawner
    executor = ProcessExecutor()
    try:
        with pytest.raises(StartError, match="no room for another process"):
            executor.submit(order("true", user="daemon"))
    finally:
        resource.setrlimit(resource.RLIMIT_NPROC, limits)
    assert perform(executor, "true")[0].code == 0
    executor.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB that has room for three files."""
    options = "size=64k,nr_inodes=5"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


@pytest.mark.root
def test_a_full_disk_stops_the_run_and_not_us(
    executor: ProcessExecutor, small_disk: Path, settings: Any
) -> None:
    settings.RUN_OUTPUTS = small_disk
    ending, _ = perform(executor, "set -e; head -c 200000 /dev/zero; echo never")
    assert ending.code not in (0, None)
    assert "disk that holds its output is full" in ending.reason
    perform(executor, "true")
    perform(executor, "true")
    with pytest.raises(StartError, match="the disk is full"):
        executor.submit(order("true"))
    settings.RUN_OUTPUTS = small_disk.parent
    assert perform(executor, "true")[0].code == 0


AS_FIRST_PROCESS = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "billclock.settings"
assert os.getpid() == 1
from tests.scheduler.executing import await_endings, order, until, zombies
from billclock.scheduler.executors.process import ProcessExecutor
executor = ProcessExecutor()
for _ in range(100):
    executor.submit(order("(setsid sh -c '(setsid sleep 0.1 &)' &)"))
await_endings(executor, 100)
until(lambda: len([p for p in os.listdir("/proc") if p.isdigit()]) == 2, executor)
assert not zombies()
print("clean")
"""


@pytest.mark.root
def test_as_the_first_process_of_a_container_it_reaps_everything() -> None:
    ran = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", AS_FIRST_PROCESS],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.stdout == "clean\n", ran.stderr


AMONG_STRANGERS = """
import os, subprocess, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "billclock.settings"
from tests.scheduler.executing import await_endings, order, until
from billclock.scheduler.executors.process import ProcessExecutor
executor = ProcessExecutor()
number = executor.submit(order("true", timeout=1, grace=0.1)).pid
await_endings(executor)
time.sleep(0.05)  # a start is known by its kernel tick
def stranger():
    with open("/proc/sys/kernel/ns_last_pid", "w") as last:
        last.write(str(number - 1))
    return subprocess.Popen(["sleep", "60"], start_new_session=True)
process = stranger()
while process.pid != number:
    process.kill(), process.wait()
    process = stranger()
over = time.monotonic() + 2
until(lambda: time.monotonic() > over, executor)
print("alive" if process.poll() is None else process.poll())
process.kill()
"""


@pytest.mark.root
def test_a_stranger_with_a_process_number_of_an_ended_run_is_left_alone() -> None:
    if not Path("/proc/sys/kernel/ns_last_pid").exists():
        pytest.skip("not run: this kernel does not let a process choose its number")
    ran = subprocess.run(
        ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", AMONG_STRANGERS],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.stdout == "alive\n", ran.stderr
