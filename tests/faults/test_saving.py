"""Promise S8: whatever happens while it is saved, a table is its whole old or new text."""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from billclock.scheduler.place import Ownership
from billclock.scheduler.saving import exchange, rename_new, swapping
from billclock.scheduler.table import Table
from billclock.scheduler.tables import Tables
from tests import prepared

from . import savers

OLD = b"1 1 * * * /bin/old\n"
OURS = Ownership(os.geteuid(), os.getegid())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of a Billclock with an empty table's place."""
    prepared.copied(tmp_path / "home")
    (tmp_path / "home/spool").mkdir(mode=0o700)
    return tmp_path / "home"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 3 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def environment(home: Path, **more: str) -> dict[str, str]:
    own = {"BILLCLOCK_HOME": str(home), "DJANGO_SETTINGS_MODULE": "billclock.settings"}
    return os.environ | own | more


def begin(home: Path, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.faults.savers", *arguments]
    return subprocess.Popen(command, env=environment(home, **more), stdout=subprocess.PIPE)


def end(process: subprocess.Popen[bytes]) -> dict:
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return json.loads(out)


def fill(disk: Path, but: int = 0) -> None:
    """Leave `but` bytes of a disk free."""
    with (disk / "filling").open("wb", buffering=0) as file:
        free = os.statvfs(disk)
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - but)


def test_a_saver_killed_at_any_point_leaves_a_whole_table_and_no_lock(home: Path) -> None:
    told = end(begin(home, "save_until_killed", "50"))
    assert told["texts"] >= 50
    assert end(begin(home, "save_once", "1 1 * * * /bin/after\n")) == {}
    assert [path.name for path in (home / "spool").iterdir()] == ["root"]
    assert len(end(begin(home, "load_often", "1"))["keys"]) == 1


@pytest.mark.root
def test_a_full_disk_leaves_the_old_table_whole(home: Path, small_disk: Path) -> None:
    table = small_disk / "root"
    table.write_bytes(OLD)
    fill(small_disk)
    spool = str(small_disk)
    text = "1 1 * * * /bin/new\n" * 1000
    told = end(begin(home, "save_once", text, BILLCLOCK_SPOOL=spool))
    assert told["errno"] == str(errno.ENOSPC)
    assert (
        told["error"] == f"cannot save {table}, No space left on device: make room, df -h {spool}"
    )
    assert table.read_bytes() == OLD
    assert sorted(path.name for path in small_disk.iterdir()) == ["filling", "root"]


@pytest.mark.root
@pytest.mark.parametrize("free", [0, 32768, 131072, 262144])
def test_a_history_without_room_leaves_the_old_table_in_force(
    home: Path, small_disk: Path, tmp_path: Path, free: int
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    (spool / "root").write_bytes(OLD)
    shutil.copytree(home, small_disk, dirs_exist_ok=True)
    assert len(end(begin(small_disk, "load_often", "1", BILLCLOCK_SPOOL=str(spool)))["keys"]) == 1
    fill(small_disk, free)
    text = "".join(f"1 1 * * * /bin/new {number}\n" for number in range(2000))
    told = end(begin(small_disk, "save_once", text, BILLCLOCK_SPOOL=str(spool)))
    assert f"{spool / 'root'} was left as it was" in told["error"]
    assert f"df -h {small_disk}" in told["error"]
    assert (spool / "root").read_bytes() == OLD
    assert [path.name for path in spool.iterdir()] == ["root"]


@pytest.mark.root
def test_a_read_only_file_system_tells_the_command_that_mends(home: Path, small_disk: Path) -> None:
    (small_disk / "root").write_bytes(OLD)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    told = end(begin(home, "save_once", "@daily /bin/new\n", BILLCLOCK_SPOOL=str(small_disk)))
    assert told["error"].endswith(f"Read-only file system: mount -o remount,rw {small_disk}")
    assert (small_disk / "root").read_bytes() == OLD


def test_editors_in_several_processes_lose_no_edit_and_share_no_key(home: Path) -> None:
    editors = [begin(home, "add_lines", name, "12") for name in ("ann", "bob", "eve")]
    reader = begin(home, "load_often", "50")
    keys = [key for editor in editors for key in end(editor)["keys"]]
    end(reader)
    lines = (home / "spool/root").read_bytes().splitlines()
    wanted = {b"1 1 * * * /bin/%s %d" % (n, k) for n in (b"ann", b"bob", b"eve") for k in range(12)}
    assert set(lines) == wanted
    assert len(lines) == 36 == len(set(keys))
    assert sorted(end(begin(home, "load_often", "1"))["keys"]) == sorted(keys)


def test_an_outside_editors_rename_is_never_overwritten(home: Path) -> None:
    (home / "spool/root").write_bytes(OLD)
    ours = begin(home, "add_lines", "ours", "30")
    # Both at once: ours takes about a second to begin.
    theirs = begin(home, "rename_over", "40")
    assert end(theirs) == {"lost": []}
    assert len(end(ours)["keys"]) == 30


def test_processes_that_read_a_new_table_at_once_give_each_entry_one_key(home: Path) -> None:
    lines = (b"1 1 * * * /bin/job %d\n" % number for number in range(2000))
    (home / "spool/root").write_bytes(b"".join(lines))
    readers = [begin(home, "load_often", "1") for _ in range(3)]
    first, *others = [end(reader)["keys"] for reader in readers]
    assert len(set(first)) == 2000
    assert all(keys == first for keys in others)


def fail_after_taking(path: Path, old: bytes | None, new: bytes | None, then=lambda: None) -> None:
    with swapping(path, new, OURS) as swap:
        swap.take(old)
        assert path.exists() == (new is not None)
        then()
        raise RuntimeError


@pytest.mark.parametrize("old", [OLD, None])
@pytest.mark.parametrize("new", [b"@daily /bin/new\n", None])
def test_what_fails_after_the_new_text_is_in_place_brings_the_old_one_back(
    tmp_path: Path, old: bytes | None, new: bytes | None
) -> None:
    path = tmp_path / "root"
    if old is not None:
        path.write_bytes(old)
    with pytest.raises(RuntimeError):
        fail_after_taking(path, old, new)
    assert (path.read_bytes() if path.exists() else None) == old
    assert list(tmp_path.iterdir()) == [path] * (old is not None)


def test_what_fails_after_another_program_saved_leaves_that_ones_text(tmp_path: Path) -> None:
    path, editors = tmp_path / "root", tmp_path / "editors"
    path.write_bytes(OLD)
    editors.write_bytes(b"@daily /bin/theirs\n")
    with pytest.raises(RuntimeError):
        fail_after_taking(path, OLD, b"@daily /bin/new\n", lambda: editors.rename(path))
    assert path.read_bytes() == b"@daily /bin/theirs\n"


def test_files_change_places_where_the_file_system_can_not_exchange_them(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    exchange(one, other)
    assert (one.read_bytes(), other.read_bytes()) == (b"2", b"1")
    with pytest.raises(FileExistsError):
        rename_new(one, other)
    assert (one.read_bytes(), other.read_bytes()) == (b"2", b"1")


@pytest.fixture
def big(tmp_path: Path) -> Table:
    table = Tables(tmp_path / "spool", tmp_path).table("root")
    lines = (b"%d %d * * * /bin/job --number %d\n" % (n % 60, n % 24, n) for n in range(100_000))
    table.place.path.write_bytes(b"".join(lines))
    return table


@pytest.mark.django_db(databases=["default", "scheduler"])
def test_a_table_of_a_hundred_thousand_lines_is_loaded_and_edited(big: Table) -> None:
    data = big.place.path.read_bytes()
    before = list(big.load().keys)
    big.place.path.write_bytes(data.replace(b"--number 77777\n", b"--number x\n"))
    big.load()
    saved = big.edit_entry(before[5], lambda c, e: c.change(e, command="/bin/x"), author="me")
    assert saved.data == data.replace(b"--number 77777\n", b"--number x\n").replace(
        b"/bin/job --number 5\n", b"/bin/x\n"
    )
    assert before[5] == saved.keys[5]


@pytest.mark.django_db(databases=["default", "scheduler"])
def test_a_line_of_a_megabyte_and_binary_is_kept_as_it_is(tmp_path: Path) -> None:
    table = Tables(tmp_path / "spool", tmp_path).table("root")
    odd = b"1 1 * * * /bin/a " + b"x" * 1_000_000 + b"\n" + bytes(range(1, 256)) * 40 + b"\n\0\n"
    table.place.path.write_bytes(odd)
    saved = table.edit(lambda crontab: crontab.add("@daily", "/bin/b"), author="me")
    assert saved.data == odd + b"@daily /bin/b\n" == table.place.path.read_bytes()


def test_the_texts_of_the_savers_tell_a_torn_file() -> None:
    assert savers.whole(savers.text(5))
    assert not savers.whole(savers.text(5)[:-1])
