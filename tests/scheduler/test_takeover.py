"""A cron that reads the same spool is found, and only such a one."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from billclock.scheduler.takeover import other_cron

from .namespaces import inside, make_spool


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return make_spool(tmp_path)


@pytest.fixture
def cron(spool: Path) -> Iterator[int]:
    """Debian's cron at work on the spool, by its process id."""
    process = subprocess.Popen(inside(spool, "/usr/sbin/cron", "-f"))
    name = Path(f"/proc/{process.pid}/comm")
    deadline = time.monotonic() + 10
    while name.read_text() != "cron\n" and time.monotonic() < deadline:
        time.sleep(0.01)
    yield process.pid
    process.kill()
    process.wait()


def test_without_a_cron_nothing_is_found(tmp_path: Path) -> None:
    assert other_cron(tmp_path) is None


@pytest.mark.root
@pytest.mark.debian_cron
def test_a_cron_on_our_spool_is_named_with_what_stops_it(spool: Path, cron: int) -> None:
    found = other_cron(spool)
    assert found is not None
    assert (found.name, found.pid, found.spool) == ("cron", cron, spool)
    assert f"cron (process {cron}) runs the tables of {spool} too" in str(found)
    assert found.stop in str(found)
    assert found.hand_back in str(found)


@pytest.mark.root
@pytest.mark.debian_cron
def test_a_cron_on_another_spool_is_no_hindrance(cron: int, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert other_cron(other) is None
    assert other_cron(make_spool(other)) is None


@pytest.mark.root
@pytest.mark.debian_cron
def test_a_cron_that_ended_is_no_hindrance(spool: Path) -> None:
    process = subprocess.Popen(inside(spool, "/usr/sbin/cron", "-f"))
    process.kill()
    process.wait()
    assert other_cron(spool) is None


def test_a_crond_that_is_told_its_folder_is_known_by_that(tmp_path: Path) -> None:
    # A stand-in for busybox's crond, by name and arguments: these are what it is known by.
    crond = tmp_path / "crond"
    crond.write_text("#!/bin/sh\necho ready\nread end\n")
    crond.chmod(0o700)
    spool = tmp_path / "tables"
    spool.mkdir()
    command = (crond, "-c", spool)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        found = other_cron(spool)
        assert found is not None
        assert found.pid == process.pid
        assert other_cron(tmp_path) is None


def test_a_cron_without_arguments_is_no_trouble(tmp_path: Path) -> None:
    # a zombie has none left: its name is still cron, its command line is empty
    naming = "import ctypes, os; ctypes.CDLL(None).prctl(15, b'cron'); os._exit(0)"
    with subprocess.Popen(["python3", "-c", naming]) as ending:
        for _ in range(200):
            if Path(f"/proc/{ending.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                break
            time.sleep(0.01)
        assert Path(f"/proc/{ending.pid}/comm").read_text().strip() == "cron"
        assert other_cron(tmp_path) is None
