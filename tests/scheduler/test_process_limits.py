"""What a directive asks of a run's process is really so, whoever starts it."""

import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from billclock.scheduler.executors import confine, ours
from billclock.scheduler.executors.base import Limits, StartError
from billclock.scheduler.executors.cgroups import Groups
from billclock.scheduler.executors.inline import InlineExecutor
from billclock.scheduler.executors.process import ProcessExecutor
from tests.scheduler.executing import await_endings, order, perform, whole_output

MIB = 1024 * 1024
NICE = "nice"  # which, by itself, tells
GREEDY = "import mmap; m = mmap.mmap(-1, {size}, mmap.MAP_PRIVATE); print('took it')"


@pytest.fixture(params=[ProcessExecutor, InlineExecutor])
def executor(request: pytest.FixtureRequest) -> Iterator[ProcessExecutor | InlineExecutor]:
    executor = request.param()
    yield executor
    if isinstance(executor, ProcessExecutor):
        executor.close()


@pytest.fixture
def process() -> Iterator[ProcessExecutor]:
    executor = ProcessExecutor()
    yield executor
    executor.close()


def greedy(size: int) -> str:
    return f"{sys.executable} -I -c {shlex.quote(GREEDY.format(size=size))}"


def test_a_command_starts_in_its_folder(
    executor: ProcessExecutor | InlineExecutor, tmp_path: Path
) -> None:
    for command in ("pwd", "/bin/pwd"):  # by a shell, and without one
        assert perform(executor, command, folder=str(tmp_path))[1] == f"{tmp_path}\n".encode()


def test_without_its_folder_it_does_not_start_and_says_so(
    process: ProcessExecutor, tmp_path: Path
) -> None:
    with pytest.raises(StartError, match=f"can't start in {tmp_path}/none .No such file"):
        process.submit(order("pwd", folder=f"{tmp_path}/none"))
    assert perform(process, "pwd", home=f"{tmp_path}/none")[1] == b"/\n"


def test_its_nice_value_holds_for_all_that_it_begins(
    executor: ProcessExecutor | InlineExecutor,
) -> None:
    _ending, printed = perform(executor, f"{NICE}; sh -c {NICE}", limits=Limits(nice=7))
    assert printed == b"7\n7\n"


def test_its_turn_at_the_disk_is_what_was_asked(executor: ProcessExecutor | InlineExecutor) -> None:
    asked = Limits(input_output=(2, 6))
    assert perform(executor, "ionice -p $$", limits=asked)[1] == b"best-effort: prio 6\n"
    assert perform(executor, "ionice -p $$", limits=Limits(input_output=(3, 0)))[1] == b"idle\n"


def test_more_memory_than_it_may_take_is_refused_it(
    executor: ProcessExecutor | InlineExecutor,
) -> None:
    limits = Limits(memory=256 * MIB)
    ending, printed = perform(executor, greedy(512 * MIB), limits=limits)
    assert ending.code != 0
    assert b"took it" not in printed
    ending, printed = perform(executor, greedy(64 * MIB), limits=limits)
    assert (ending.code, printed) == (0, b"took it\n")


def test_a_limited_run_is_in_all_else_like_any_other(process: ProcessExecutor) -> None:
    show = "cat; env | sort; ps -o sid= -p $$ | tr -d ' '; echo $$; exit 3"
    ignored = "grep -E '^Sig(Blk|Ign)' /proc/self/status"
    given = order(f"{show}", stdin=b"in\n", environment={"A": "b"}, limits=Limits(nice=1))
    launched = process.submit(given)
    (ending,) = await_endings(process)
    *lines, session, shell = whole_output(given.run).decode().splitlines()
    assert (ending.code, session, shell) == (3, str(launched.pid), str(launched.pid))
    assert lines[0] == "in"
    assert {"A=b", f"BILLCLOCK_RUN={given.run}", "PWD=/"} <= set(lines)
    plain = perform(process, ignored)[1]
    assert perform(process, ignored, limits=Limits(nice=1))[1] == plain
    assert perform(process, "/usr/bin/env", limits=Limits(nice=1))[1].startswith(b"SHELL=")
    with pytest.raises(StartError, match="SHELL=/no/shell does not exist"):
        process.submit(order("x", shell="/no/shell", limits=Limits(nice=1)))


@pytest.mark.root
def test_what_only_root_may_set_is_refused_before_anything_runs(
    process: ProcessExecutor, tmp_path: Path
) -> None:
    place = tmp_path / "ran"
    tmp_path.chmod(0o777)
    for limits, words in ((Limits(nice=-5), "nice value"), (Limits(input_output=(1, 0)), "ionice")):
        with pytest.raises(StartError, match=words):
            process.submit(order(f"touch {place}", user="nobody", limits=limits))
    assert not place.exists()
    _ending, printed = perform(process, f"id -un; {NICE}", user="nobody", limits=Limits(nice=3))
    assert printed == b"nobody\n3\n"


def test_our_own_command_with_limits_runs_in_a_process_of_its_own() -> None:
    command = "/usr/local/mgr5/sbin/billmaintain --help"
    assert ours.arguments(order(command)) == command.split()
    assert ours.arguments(order(command, limits=Limits(nice=1))) is None
    assert ours.arguments(order(command, folder="/tmp")) is None


def test_a_group_with_a_memory_controller_holds_what_enters_it(tmp_path: Path) -> None:
    """By plain files: what the kernel makes of them needs a controller that few machines lend."""
    base = tmp_path / "base"
    base.mkdir()
    (base / "7").mkdir()
    for place in (base / "cgroup.subtree_control", base / "7" / "cgroup.procs"):
        place.touch()
    groups = Groups(base)
    door = groups.door(7, 512 * MIB)
    assert door is not None
    confine.take_on({"memory": 1}, door)
    os.close(door)
    assert (base / "7" / "memory.max").read_text() == f"{512 * MIB}\n"
    assert (base / "7" / "cgroup.procs").read_bytes() == b"0"
    (base / "7" / "memory.events").write_text("max 3\noom_kill 0\n")
    assert not groups.ran_out(7)
    (base / "7" / "memory.events").write_text("max 3\noom_kill 2\n")
    assert groups.ran_out(7)
