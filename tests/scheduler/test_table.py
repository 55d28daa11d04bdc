"""One table: read, edited and undone with nobody's bytes lost; what may not be saved is refused."""

import errno
import os
from pathlib import Path

import pytest

from billclock.cron.crontab import Crontab
from billclock.cron.header import visible
from billclock.scheduler import versions
from billclock.scheduler.errors import (
    Busy,
    Conflict,
    Failed,
    Ignored,
    NoTable,
    NoVersion,
    ReadOnly,
    Refused,
)
from billclock.scheduler.locks import locked
from billclock.scheduler.models import Table as Row
from billclock.scheduler.models import Version
from billclock.scheduler.table import Table
from billclock.scheduler.tables import Tables

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
ODD = b"\t5 1 * * *  /bin/a\r\n# caf\xe9\nA=\x80\n\nbroken line\n7 7 * * * /bin/b # x"


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(tmp_path / "spool", tmp_path)


@pytest.fixture
def table(tables: Tables) -> Table:
    return tables.table("root")


@pytest.fixture
def debian(tmp_path: Path) -> Tables:
    folder = tmp_path / "var/spool/cron/crontabs"
    folder.mkdir(parents=True)
    folder.chmod(0o1730)
    (tmp_path / "crontab").write_bytes(b"17 * * * * root cd / && true\n")
    return Tables(folder, tmp_path, tmp_path)


def add(command: str = "/bin/true"):
    return lambda crontab: crontab.add("5 1 * * *", command)


def authors(table: Table) -> list[str]:
    return [version.author for version in reversed(table.versions)]


def test_no_table_reads_as_none(table: Table) -> None:
    snapshot = table.read()
    assert (snapshot.data, snapshot.digest, list(snapshot.crontab.entries)) == (None, "", [])
    assert table.load().keys == ()
    assert not Row.objects.exists()


def test_an_edit_makes_the_table_and_a_version(table: Table) -> None:
    saved = table.edit(add(), author="ann", note="first")
    assert table.place.path.read_bytes() == b"5 1 * * * /bin/true\n" == saved.data
    assert table.place.path.stat().st_mode & 0o777 == 0o600
    (version,) = table.versions
    assert (version.author, version.note, version.digest) == ("ann", "first", saved.digest)
    assert table.read().digest == saved.digest


def test_an_edit_leaves_every_other_byte_and_the_files_mode(table: Table) -> None:
    table.place.path.write_bytes(ODD)
    table.place.path.chmod(0o640)
    table.edit(lambda crontab: crontab.assign("MAILTO", "a@example.org"), author="me")
    data = table.place.path.read_bytes()
    assert data.replace(b"MAILTO=a@example.org\n", b"") == ODD
    assert table.place.path.stat().st_mode & 0o777 == 0o640


@pytest.mark.root
def test_an_edit_keeps_the_files_owner(table: Table) -> None:
    table.place.path.write_bytes(ODD)
    os.chown(table.place.path, 4711, 4712)
    table.edit(add(), author="me")
    found = table.place.path.stat()
    assert (found.st_uid, found.st_gid) == (4711, 4712)


def test_nothing_is_left_beside_the_table(table: Table) -> None:
    table.edit(add(), author="me")
    table.edit(add("/bin/b"), author="me")
    table.remove(author="me")
    assert list(table.place.path.parent.iterdir()) == []


def test_a_temporary_file_of_a_killed_process_does_no_harm(table: Table) -> None:
    (table.place.path.parent / ".billclock.root").write_bytes(b"half a li")
    table.edit(add(), author="me")
    assert list(table.place.path.parent.iterdir()) == [table.place.path]


def test_an_edit_that_changes_nothing_makes_no_version(table: Table) -> None:
    table.edit(add(), author="me")
    before = table.place.path.stat()
    table.edit(lambda crontab: crontab, author="me")
    assert table.place.path.stat() == before
    assert len(table.versions) == 1


def test_a_table_with_broken_lines_can_be_edited(table: Table) -> None:
    table.place.path.write_bytes(b"61 * * * * /bin/a\n")
    saved = table.edit(add(), author="me")
    assert saved.data == b"61 * * * * /bin/a\n5 1 * * * /bin/true\n"


def test_an_edit_may_not_add_a_broken_line(table: Table) -> None:
    table.place.path.write_bytes(b"61 * * * * /bin/a\n")
    with pytest.raises(Refused) as refused:
        table.edit(lambda c: Crontab.parse(bytes(c) + b"62 * * * * /bin/b\n"), author="me")
    assert [error.line for error in refused.value.errors] == [2]
    with pytest.raises(Refused):
        table.edit(lambda c: Crontab.parse(bytes(c) * 2), author="me")
    assert table.place.path.read_bytes() == b"61 * * * * /bin/a\n"


def test_a_whole_new_text_is_refused_with_all_its_errors(table: Table) -> None:
    table.edit(add(), author="me")
    with pytest.raises(Refused) as refused:
        table.replace(b"61 * * * * a\n1 1 * * * b\n1 1 32 * * c\n", author="me")
    assert [error.line for error in refused.value.errors] == [1, 3]
    assert "line 1" in str(refused.value)
    assert "line 3" in str(refused.value)
    assert table.place.path.read_bytes() == b"5 1 * * * /bin/true\n"


def test_what_others_wrote_is_a_version_before_ours_is(table: Table) -> None:
    table.edit(add(), author="me")
    table.place.path.write_bytes(b"1 1 * * * /bin/theirs\n")
    table.edit(add(), author="me")
    assert authors(table) == ["me", versions.OUTSIDE, "me"]
    assert table.place.path.read_bytes() == b"1 1 * * * /bin/theirs\n5 1 * * * /bin/true\n"
    assert versions.text(table.versions[1]) == b"1 1 * * * /bin/theirs\n"


def test_an_edit_of_what_is_no_longer_there_is_a_conflict_of_three_texts(table: Table) -> None:
    seen = table.edit(add("/bin/a"), author="me").digest
    table.place.path.write_bytes(b"1 1 * * * /bin/theirs\n5 1 * * * /bin/a\n")
    with pytest.raises(Conflict) as conflict:
        table.edit(add("/bin/mine"), author="me", seen=seen)
    found = conflict.value
    assert found.base == b"5 1 * * * /bin/a\n"
    assert found.mine == b"5 1 * * * /bin/a\n5 1 * * * /bin/mine\n"
    assert found.theirs == b"1 1 * * * /bin/theirs\n5 1 * * * /bin/a\n" == table.read().data
    assert found.merged == b"1 1 * * * /bin/theirs\n5 1 * * * /bin/a\n5 1 * * * /bin/mine\n"


def test_edits_of_one_line_have_no_merged_text(table: Table) -> None:
    seen = table.edit(add("/bin/a"), author="me").digest
    table.place.path.write_bytes(b"6 1 * * * /bin/a\n")
    with pytest.raises(Conflict) as conflict:
        table.replace(b"7 1 * * * /bin/a\n", author="me", seen=seen)
    assert conflict.value.merged is None
    assert conflict.value.mine == b"7 1 * * * /bin/a\n"


def test_a_new_table_where_none_was_seen_is_a_conflict(table: Table) -> None:
    table.place.path.write_bytes(b"1 1 * * * /bin/theirs\n")
    with pytest.raises(Conflict) as conflict:
        table.edit(add(), author="me", seen="")
    assert (conflict.value.base, conflict.value.mine) == (None, b"5 1 * * * /bin/true\n")


def test_an_entrys_edit_in_conflict_is_shown_too(table: Table) -> None:
    shown = table.edit(add("/bin/a"), author="me")
    table.place.path.write_bytes(b"# theirs\n5 1 * * * /bin/a --more\n")
    with pytest.raises(Conflict) as conflict:
        table.edit_entry(
            shown.keys[0],
            lambda c, e: c.change(e, command="/bin/b"),
            author="me",
            seen=shown.digest,
        )
    assert conflict.value.mine == b"5 1 * * * /bin/b\n"


def test_a_file_renamed_over_while_an_edit_is_made_is_not_lost(table: Table) -> None:
    table.edit(add("/bin/a"), author="me")
    renamed: list[bytes] = []

    def slowly(crontab: Crontab) -> Crontab:
        if not renamed:
            renamed.append(b"1 1 * * * /bin/theirs\n")
            other = table.place.path.with_name(".other")
            other.write_bytes(renamed[0])
            other.rename(table.place.path)
        return crontab.add("5 1 * * *", "/bin/mine")

    table.edit(slowly, author="me")
    assert table.place.path.read_bytes() == renamed[0] + b"5 1 * * * /bin/mine\n"
    assert [versions.text(version) for version in reversed(table.versions)][1] == renamed[0]


def test_a_table_removed_while_an_edit_is_made_is_made_anew(table: Table) -> None:
    table.edit(add("/bin/a"), author="me")
    calls: list[Crontab] = []

    def slowly(crontab: Crontab) -> Crontab:
        if not calls:
            table.place.path.unlink()
        calls.append(crontab)
        return crontab.add("5 1 * * *", "/bin/mine")

    table.edit(slowly, author="me")
    assert table.place.path.read_bytes() == b"5 1 * * * /bin/mine\n"


def test_remove_keeps_a_version_to_restore(table: Table) -> None:
    saved = table.edit(add(), author="me")
    assert table.remove(author="me").data is None
    assert not table.place.path.exists()
    with pytest.raises(NoTable, match=r"^no crontab for root$"):
        table.remove(author="me")
    assert table.restore(1, author="me").data == saved.data
    assert table.undo(3, author="me").data is None


def test_undo_takes_back_one_version_and_keeps_later_edits(table: Table) -> None:
    table.replace(b"1 1 * * * /a\n2 2 * * * /b\n3 3 * * * /c\n", author="me")
    entry = table.load().keys[0]
    table.edit_entry(entry, lambda c, e: c.change(e, expression="9 9 * * *"), author="me")
    table.edit(add("/d"), author="me")
    undone = table.undo(2, author="me")
    assert undone.data == b"1 1 * * * /a\n2 2 * * * /b\n3 3 * * * /c\n5 1 * * * /d\n"
    table.replace(b"1 1 * * * /x\n", author="me")
    with pytest.raises(Conflict):
        table.undo(2, author="me")
    with pytest.raises(NoVersion):
        table.restore(99, author="me")


def test_a_version_is_restored_byte_for_byte_broken_lines_and_all(table: Table) -> None:
    table.place.path.write_bytes(ODD)
    table.load()
    table.replace(b"1 1 * * * /a\n", author="me")
    assert table.restore(1, author="me").data == ODD == table.place.path.read_bytes()


def test_a_system_table_is_read_with_its_user_column_and_never_written(debian: Tables) -> None:
    (table,) = [table for table in debian if table.place.system]
    assert [entry.user for entry in table.load().crontab.entries] == ["root"]
    with pytest.raises(ReadOnly, match="sudoedit"):
        table.edit(add(), author="me")


def test_a_new_table_on_debian_has_its_header_and_hides_it(debian: Tables) -> None:
    table = debian.table("root")
    saved = table.replace(b"5 1 * * * /a\n", author="me", source="/tmp/my\ntable")
    assert saved.data is not None
    assert saved.data.startswith(
        b"# DO NOT EDIT THIS FILE - edit the master and reinstall.\n# (/tmp"
    )
    assert saved.data.count(b"\n") == 4
    assert saved.shown == b"5 1 * * * /a\n" == visible(table.place.path.read_bytes())


def test_the_header_of_a_table_on_debian_is_kept(debian: Tables) -> None:
    table = debian.table("root")
    first = table.edit(add("/a"), author="me").data
    assert first is not None
    header = first[: first.index(b"5 1")]
    assert table.replace(b"6 6 * * * /b\n", author="me").data == header + b"6 6 * * * /b\n"
    assert table.edit(add("/c"), author="me").data == header + b"6 6 * * * /b\n5 1 * * * /c\n"


def test_a_text_with_a_header_does_not_get_two(debian: Tables) -> None:
    table = debian.table("root")
    data = table.edit(add("/a"), author="me").data
    assert data is not None
    assert table.replace(data, author="me").data == data


def test_the_errors_of_a_refused_text_have_its_own_lines_header_or_not(debian: Tables) -> None:
    table = debian.table("root")
    table.edit(add("/a"), author="me")
    with pytest.raises(Refused) as refused:
        table.replace(b"61 * * * * /b\n", author="me")
    assert refused.value.errors[0].line == 1


def test_a_table_for_no_user_is_not_made_where_names_are_users(debian: Tables) -> None:
    with pytest.raises(Ignored, match="no user has this name"):
        debian.table("nobody-of-this-name").edit(add(), author="me")


def test_an_ignored_table_is_noted_with_the_reason_until_it_is_mended(debian: Tables) -> None:
    table = debian.table("root")
    table.edit(add("/a"), author="me")
    table.place.path.chmod(0o644)
    with pytest.raises(Ignored):
        table.load()
    assert "its mode is 0644" in Row.objects.get(name="root").problem
    table.place.path.chmod(0o600)
    assert len(table.load().keys) == 1
    assert not Row.objects.get(name="root").problem


@pytest.mark.root
def test_an_immutable_folder_tells_the_command_that_mends(table: Table) -> None:
    table.edit(add("/a"), author="me")
    folder = table.place.path.parent
    if os.system(f"chattr +i {folder} 2>/dev/null"):
        pytest.skip("not run: this file system has no immutable folders")
    try:
        with pytest.raises(Failed, match=r"Operation not permitted.*chattr -i") as failed:
            table.edit(add("/b"), author="me")
        assert failed.value.errno == errno.EPERM
    finally:
        os.system(f"chattr -i {folder}")
    assert table.read().data == b"5 1 * * * /a\n"


def test_a_vanished_folder_tells_the_command_that_mends(table: Table) -> None:
    table.place.path.parent.rmdir()
    with pytest.raises(Failed, match="No such file or directory: mkdir -p"):
        table.edit(add(), author="me")


def test_a_failed_save_leaves_no_trace_in_the_history(table: Table) -> None:
    table.place.path.parent.rmdir()
    with pytest.raises(Failed):
        table.edit(add(), author="me")
    assert not Version.objects.exists()


def test_a_lock_held_too_long_names_its_holder(tmp_path: Path) -> None:
    with (
        locked(tmp_path, "root"),
        pytest.raises(Busy, match=f"ps -fp {os.getpid()}"),
        locked(tmp_path, "root", patience=0.05),
    ):
        pass


def test_a_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path, "root"):
        raise ZeroDivisionError
    with locked(tmp_path, "root", patience=0):
        pass


def test_locks_of_different_tables_do_not_meet(tmp_path: Path) -> None:
    with locked(tmp_path, "root"), locked(tmp_path, "ann", patience=0):
        pass
