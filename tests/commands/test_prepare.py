"""`billclock prepare` makes what a start needs, once, and says what to do where it can't."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from billclock.commands.errors import WRONG
from tests.commands.conftest import CRON, Command


def mode(place: Path) -> int:
    return stat.S_IMODE(place.stat().st_mode)


def test_a_first_start_makes_folder_key_and_databases(command: Command, tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    done = command("billclock", "prepare", env={"BILLCLOCK_HOME": str(home)})
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert mode(home) == 0o700
    assert mode(home / "secret_key") == 0o600
    assert len((home / "secret_key").read_text()) > 50
    for file, table in (("billclock", "accounts_user"), ("scheduler", "scheduler_run")):
        with sqlite3.connect(home / "data" / f"{file}.sqlite3") as database:
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_a_second_start_changes_nothing(command: Command, home: Path) -> None:
    def seen() -> dict[str, tuple[int, bytes]]:
        return {
            file.name: (file.stat().st_mtime_ns, file.read_bytes())
            for file in home.iterdir()
            if file.is_file()
        }

    before = seen()
    assert command("billclock", "prepare").returncode == 0
    assert seen() == before


def test_any_command_prepares_a_folder_that_is_not_there(command: Command, tmp_path: Path) -> None:
    home = tmp_path / "new"
    done = command("billclock", "runs", env={"BILLCLOCK_HOME": str(home)})
    assert (done.returncode, done.stdout) == (0, b"no runs\n")


def test_a_lost_database_is_made_again(command: Command, home: Path) -> None:
    (home / "data" / "scheduler.sqlite3").unlink()
    assert command("billclock", "runs").stdout == b"no runs\n"


def test_two_first_starts_at_once_agree(bin_folder: Path, tmp_path: Path) -> None:
    environment = {**CRON, "BILLCLOCK_HOME": str(tmp_path / "home")}
    words = [bin_folder / "billclock", "prepare"]
    both = [subprocess.Popen(words, env=environment, stderr=subprocess.PIPE) for _ in range(2)]
    told = [process.communicate(timeout=240)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert not list((tmp_path / "home").glob(".secret_key*"))


def test_a_key_from_the_environment_is_not_written_down(command: Command, tmp_path: Path) -> None:
    home = tmp_path / "own"
    variables = {"BILLCLOCK_HOME": str(home), "BILLCLOCK_SECRET_KEY": "mine"}
    assert command("billclock", "prepare", env=variables).returncode == 0
    assert not (home / "secret_key").exists()


def test_the_key_made_at_a_first_start_is_the_one_in_force(tmp_path: Path) -> None:
    program = (
        "from billclock.commands.prepare import prepare; prepare(); "
        "from django.conf import settings; "
        "print(settings.SECRET_KEY == (settings.HOME / 'secret_key').read_text())"
    )
    environment = {**CRON, "BILLCLOCK_HOME": str(tmp_path / "home")}
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_a_newer_database_is_refused_and_left_alone(command: Command, home: Path) -> None:
    (home / "migrated").unlink()
    with sqlite3.connect(home / "data" / "scheduler.sqlite3") as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES ('scheduler', '0999_later', '2030-01-01')"
        )
    done = command("billclock", "prepare")
    assert done.returncode == 2
    assert b"is of a newer Billclock (it has scheduler.0999_later)" in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert not (home / "migrated").exists()


def test_a_file_that_is_no_database_is_told(command: Command, home: Path) -> None:
    (home / "migrated").unlink()
    (home / "data" / "billclock.sqlite3").write_bytes(b"not a database at all" * 100)
    done = command("billclock", "prepare")
    assert done.returncode == 2
    assert b"billclock.sqlite3 can't be used" in done.stderr
    assert b"bring it back from a backup" in done.stderr


@pytest.mark.parametrize("place", ["/proc/home", "/dev/null/home"])
def test_a_folder_that_can_not_be_made_is_told(command: Command, place: str) -> None:
    done = command("billclock", "prepare", env={"BILLCLOCK_HOME": place})
    assert done.returncode == 2
    assert place.encode() in done.stderr
    assert b"BILLCLOCK_" in done.stderr
    assert done.stderr.count(b"\n") == 1


@pytest.mark.root
def test_a_full_disk_is_told(command: Command, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
    try:
        done = command("billclock", "prepare", env={"BILLCLOCK_HOME": str(disk / "home")})
    finally:
        subprocess.run(["umount", disk], check=True)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"df -h" in done.stderr


@pytest.mark.root
@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_link_among_the_databases_gives_the_web_user_no_other_file(
    command: Command, home: Path, tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    secret = tmp_path / "shadow"
    secret.write_text("root's own")
    secret.chmod(0o600)
    link(secret, home / "data" / "x.sqlite3")
    done = command("billclock", "prepare", env={"BILLCLOCK_WEB_USER": "nobody"})
    assert (done.returncode, mode(secret), secret.stat().st_gid) == (WRONG, 0o600, os.getegid())
    assert b"x.sqlite3 is a link" in done.stderr


@pytest.mark.root
def test_root_refuses_a_folder_that_another_user_may_write(
    command: Command, tmp_path: Path
) -> None:
    home = tmp_path / "theirs"
    home.mkdir()
    os.chown(home, 65534, -1)
    done = command("billclock", "prepare", env={"BILLCLOCK_HOME": str(home)})
    assert done.returncode == 2
    assert b"belongs to the user 65534" in done.stderr
    assert b"Traceback" not in done.stderr
