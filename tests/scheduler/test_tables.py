"""All tables: which there are, and what changed since the last look, however it was changed."""

import os
import select
import time
from pathlib import Path

import pytest

from billclock.scheduler.models import Entry
from billclock.scheduler.tables import Tables

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
A = b"1 1 * * * /a\n"
B = b"1 1 * * * /b\n"


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(tmp_path / "spool", tmp_path)


@pytest.fixture
def watched(tables: Tables) -> Tables:
    assert tables.wakers()
    tables.changed()
    return tables


@pytest.fixture
def system(tmp_path: Path) -> Tables:
    folder = tmp_path / "var/spool/cron"
    folder.mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    return Tables(folder, tmp_path, tmp_path / "etc")


def write(tables: Tables, name: str, data: bytes) -> Path:
    path = tables.spool.folder / name
    path.write_bytes(data)
    path.chmod(0o600)
    return path


def told(tables: Tables, seconds: float = 1.0) -> list[str]:
    """Wait for the descriptor, as a selector does, and name the tables that changed."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select(tables.wakers(), [], [], left)[0]:
            changed = [table.name for table in tables.changed()]
            if changed:
                return changed
    return []


def test_the_first_look_gives_all_tables(tables: Tables) -> None:
    write(tables, "root", A)
    write(tables, "ann", B)
    assert sorted(table.name for table in tables.changed()) == ["ann", "root"]
    assert sorted(table.name for table in tables) == ["ann", "root"]


def test_a_table_removed_while_nobody_looked_is_told(tables: Tables, tmp_path: Path) -> None:
    path = write(tables, "root", A)
    tables.table("root").load()
    path.unlink()
    (gone,) = Tables(tmp_path / "spool", tmp_path).changed()
    assert list(gone.load().keys) == []
    assert not Entry.objects.filter(gone_at=None).exists()


def test_a_file_written_in_place_is_told_within_a_second(watched: Tables) -> None:
    write(watched, "root", A)
    assert told(watched) == ["root"]
    with (watched.spool.folder / "root").open("ab") as file:
        file.write(B)
    assert told(watched) == ["root"]


def test_a_file_renamed_into_place_is_told_within_a_second(watched: Tables) -> None:
    write(watched, ".new", A).rename(watched.spool.folder / "root")
    assert told(watched) == ["root"]


def test_a_removed_file_is_told_within_a_second(watched: Tables) -> None:
    path = write(watched, "root", A)
    assert told(watched) == ["root"]
    path.unlink()
    assert told(watched) == ["root"]


def test_a_half_written_file_is_not_told(watched: Tables) -> None:
    path = write(watched, "root", A)
    assert told(watched) == ["root"]
    with path.open("ab") as file:
        file.write(b"2 2 * * * /half a com")
        file.flush()
        assert told(watched, 0.2) == []
        file.write(b"mand\n")
    assert told(watched) == ["root"]


def test_a_file_changed_to_look_the_same_is_told(watched: Tables) -> None:
    path = write(watched, "root", A)
    before = path.stat()
    assert told(watched) == ["root"]
    with path.open("r+b") as file:
        file.write(B)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert told(watched) == ["root"]


def test_without_a_watch_a_file_changed_to_look_the_same_is_told(tables: Tables) -> None:
    path = write(tables, "root", A)
    tables.changed()
    with path.open("r+b") as file:
        file.write(B)
    deadline = time.monotonic() + 2 * tables.patience
    while not (changed := tables.changed()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [table.name for table in changed] == ["root"]
    assert time.monotonic() < deadline


def test_a_spool_that_is_made_anew_is_watched_again(watched: Tables) -> None:
    folder = watched.spool.folder
    write(watched, "root", A)
    assert told(watched) == ["root"]
    folder.rename(folder.with_name("old"))
    folder.mkdir()
    assert told(watched, 0.2) == ["root"]
    write(watched, "ann", A)
    assert "ann" in told(watched)


def test_what_is_beside_the_tables_wakes_nobody(watched: Tables) -> None:
    write(watched, ".root.swp", A)
    assert told(watched, 0.2) == []


@pytest.mark.root
def test_system_tables_belong_to_a_take_over_alone(system: Tables, tmp_path: Path) -> None:
    parts = tmp_path / "etc/cron.d"
    system.wakers()
    system.changed()
    (tmp_path / "etc/crontab").write_bytes(b"1 1 * * * root /a\n")
    assert told(system) == [str(tmp_path / "etc/crontab")]
    parts.mkdir()
    told(system, 0.1)
    (parts / "ntp").write_bytes(b"1 1 * * * ntp /b\n")
    assert str(parts / "ntp") in told(system)
    for table in system:
        table.load()
    assert Entry.objects.filter(gone_at=None).count() == 2
    own = Tables(tmp_path / "spool", tmp_path, tmp_path / "etc")
    assert own.changed() == []
    assert Entry.objects.filter(gone_at=None).count() == 0


@pytest.mark.root
def test_a_system_table_that_went_is_told(system: Tables, tmp_path: Path) -> None:
    path = tmp_path / "etc/crontab"
    path.write_bytes(b"1 1 * * * root /a\n")
    system.wakers()
    assert [table.load().name for table in system.changed()] == [str(path)]
    path.unlink()
    assert told(system) == [str(path)]


def test_ignored_files_are_told_with_the_reason_and_the_mend(system: Tables) -> None:
    (system.spool.folder / "root").symlink_to("/etc/passwd")
    write(system, "nobody-of-this-name", A)
    told_of = {str(problem) for problem in system.ignored()}
    assert len(told_of) == 2
    assert any("a symbolic link: cp --remove-destination" in text for text in told_of)
    assert any("no user has this name" in text for text in told_of)
