"""The command that a refusal names: run as it stands, it lets in whom the system kept out."""

import errno
import os
import pwd
import subprocess
from pathlib import Path

import pytest

from billclock.scheduler.errors import Failed

NOBODY = pwd.getpwnam("nobody").pw_uid


def read_as_nobody(path: Path) -> str:
    """Give what the file says, or the mend; from a child that gave up its rights."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        try:
            os.write(writing, path.read_bytes())
        except OSError as error:
            os.write(writing, Failed.from_system(error, path, "read").mend.encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as answer:
        return answer.read()


def mended(path: Path) -> str:
    """Run the mend that is named, and read again."""
    command = read_as_nobody(path).removeprefix("sudo ")
    assert command.startswith(("chmod ", "chown ")), command
    subprocess.run(command, shell=True, check=True)
    return read_as_nobody(path)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    spool = tmp_path / "home" / "spool"
    spool.mkdir(parents=True)
    (spool / "root").write_text("read")
    return spool / "root"


@pytest.mark.root
@pytest.mark.parametrize(
    ("place", "mode"), [("home", 0o700), ("home/spool", 0o700), ("home/spool/root", 0o600)]
)
def test_who_is_kept_out_by_rights_gets_in_by_the_mend(
    table: Path, tmp_path: Path, place: str, mode: int
) -> None:
    (tmp_path / place).chmod(mode)
    for _step in range(3):  # the spool's mend does not give the file: that is the next step
        if mended(table) == "read":
            break
    assert read_as_nobody(table) == "read"


@pytest.mark.root
def test_the_owner_is_told_to_give_himself_the_right(table: Path) -> None:
    for path in (table, table.parent):
        subprocess.run(["chown", "nobody", path], check=True)
    table.chmod(0o000)
    assert read_as_nobody(table) == f"chmod u+rw {table}"
    assert mended(table) == "read"


def test_what_stands_where_a_folder_is_to_be_is_moved_away(tmp_path: Path) -> None:
    path = tmp_path / "home" / "spool" / "root"
    (tmp_path / "home").write_text("a file")
    with pytest.raises(NotADirectoryError) as refused:
        path.read_bytes()
    failed = Failed.from_system(refused.value, path, "read")
    assert failed.errno == errno.ENOTDIR
    subprocess.run(failed.mend, shell=True, check=True)
    assert path.parent.is_dir()
    assert (tmp_path / "home.away").read_text() == "a file"
