"""Entry keys: they outlive every edit that leaves something to recognise the entry by."""

from pathlib import Path

import pytest

from billclock.scheduler.errors import NoEntry
from billclock.scheduler.models import Entry
from billclock.scheduler.table import Table
from billclock.scheduler.tables import Tables

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Tables(tmp_path / "spool", tmp_path).table("root")


def keys(table: Table, text: str) -> list[int]:
    """Write a text as another program would and give its entries' keys."""
    table.place.path.write_text(text)
    return list(table.load().keys)


def test_the_same_text_has_the_same_keys(table: Table) -> None:
    text = "## one\n1 1 * * * /a\n#2 2 * * * /b\nA=1\nbroken\n@reboot /c\n"
    first = keys(table, text)
    assert len(set(first)) == 3
    assert keys(table, text) == first
    assert list(Table(table.place, Path("unused")).load().keys) == first


def test_a_row_tells_what_its_entry_is(table: Table) -> None:
    (key,) = keys(table, "## one\n# billclock: timeout=1m\n#1 1 * * * /a %x\n")
    row = Entry.objects.get(id=key)
    assert (row.table, row.expression, row.command) == ("root", "1 1 * * *", "/a %x")
    assert (row.description, row.active, row.line, row.gone_at) == ("one", False, 3, None)


def test_moved_entries_keep_their_keys_and_tell_their_lines(table: Table) -> None:
    a, b = keys(table, "1 1 * * * /a\n2 2 * * * /b\n")
    assert keys(table, "# top\n2 2 * * * /b\n\n1 1 * * * /a\n") == [b, a]
    assert [Entry.objects.get(id=key).line for key in (b, a)] == [2, 4]


def test_equal_entries_are_told_apart_by_their_order(table: Table) -> None:
    first, other, second = keys(table, "1 1 * * * /a\n2 2 * * * /b\n1 1 * * * /a\n")
    assert keys(table, "2 2 * * * /b\n1 1 * * * /a\n") == [other, first]
    assert keys(table, "2 2 * * * /b\n1 1 * * * /a\n1 1 * * * /a\n") == [other, first, second]


def test_another_schedule_keeps_the_key_by_the_command(table: Table) -> None:
    a, b = keys(table, "1 1 * * * /a\n2 2 * * * /b\n")
    assert keys(table, "5 5 * * * /a\n#2 2 * * * /b\n") == [a, b]
    assert Entry.objects.get(id=a).expression == "5 5 * * *"


def test_one_of_two_entries_with_a_command_keeps_its_key(table: Table) -> None:
    a, b = keys(table, "1 1 * * * /a\n2 2 * * * /a\n")
    assert keys(table, "1 1 * * * /a\n5 5 * * * /a\n") == [a, b]


def test_a_command_of_several_recognises_none(table: Table) -> None:
    before = keys(table, "1 1 * * * /a\n2 2 * * * /a\n")
    after = keys(table, "5 5 * * * /a\n6 6 * * * /a\n")
    assert not set(before) & set(after)


def test_another_command_keeps_the_key_by_the_description(table: Table) -> None:
    a, b = keys(table, "## first\n1 1 * * * /a\n## second\n2 2 * * * /b\n")
    assert keys(table, "## second\n3 2 * * * /bb\n## first\n4 1 * * * /aa\n") == [b, a]


def test_another_description_is_told_of_an_untouched_line(table: Table) -> None:
    a, b = keys(table, "## first\n1 1 * * * /a\n## second\n2 2 * * * /b\n")
    assert keys(table, "## first\n1 1 * * * /a\n## other\n2 2 * * * /b\n") == [a, b]
    assert Entry.objects.get(id=b).description == "other"
    keys(table, "1 1 * * * /a\n## other\n2 2 * * * /b\n")
    assert Entry.objects.get(id=a).description == ""
    assert Entry.objects.get(id=b).description == "other"


def test_what_has_nothing_in_common_is_new(table: Table) -> None:
    (a,) = keys(table, "1 1 * * * /a\n")
    (b,) = keys(table, "2 2 * * * /b\n")
    assert a != b
    assert Entry.objects.get(id=a).gone_at is not None


def test_an_entry_that_went_comes_back_with_its_key(table: Table) -> None:
    a, b = keys(table, "1 1 * * * /a\n2 2 * * * /b\n")
    assert keys(table, "") == []
    assert Entry.objects.filter(gone_at=None).count() == 0
    assert keys(table, "2 2 * * * /b\n9 9 * * * /a\n") == [b, a]
    assert Entry.objects.filter(gone_at=None).count() == 2


def test_a_removed_tables_entries_are_gone(table: Table) -> None:
    keys(table, "1 1 * * * /a\n")
    table.place.path.unlink()
    assert list(table.load().keys) == []
    assert not Entry.objects.filter(gone_at=None).exists()


def test_tables_share_no_keys(tmp_path: Path) -> None:
    tables = Tables(tmp_path / "spool", tmp_path)
    root, ann = tables.table("root"), tables.table("ann")
    assert not set(keys(root, "1 1 * * * /a\n")) & set(keys(ann, "1 1 * * * /a\n"))


def test_an_entry_edited_by_us_keeps_its_key_whatever_changes(table: Table) -> None:
    a, b = keys(table, "## first\n1 1 * * * /a\n## second\n2 2 * * * /b\n")
    saved = table.edit_entry(
        a,
        lambda c, e: c.change(e, expression="@daily", command="/x", description="new"),
        author="me",
    )
    assert list(saved.keys) == [a, b] == list(table.load().keys)
    assert Entry.objects.get(id=a).command == "/x"


def test_an_entry_edited_to_be_as_another_keeps_its_own_key(table: Table) -> None:
    a, b = keys(table, "1 1 * * * /a\n2 2 * * * /b\n")
    saved = table.edit_entry(
        b, lambda c, e: c.change(e, expression="1 1 * * *", command="/a"), author="me"
    )
    assert list(saved.keys) == [a, b]


def test_an_entry_that_is_gone_is_not_edited(table: Table) -> None:
    (a,) = keys(table, "1 1 * * * /a\n")
    keys(table, "2 2 * * * /b\n")
    with pytest.raises(NoEntry, match=f"root has no entry {a}"):
        table.edit_entry(a, lambda c, e: c.remove(e), author="me")


def test_bytes_that_are_no_text_are_kept_as_something_readable(table: Table) -> None:
    table.place.path.write_bytes(b"1 1 * * * /a \xff\xfe\n")
    (key,) = table.load().keys
    assert Entry.objects.get(id=key).command == "/a \\xff\\xfe"


def test_every_entry_of_a_table_of_many_is_recognised(table: Table) -> None:
    lines = [f"{n % 60} {n % 24} * * * /job --number {n}\n" for n in range(3000)]
    before = keys(table, "".join(lines))
    lines[7] = "1 1 * * * /other\n"
    lines[2000] = "1 1 * * * /job --number 2000\n"
    after = keys(table, "".join(["# top\n", *lines]))
    assert [place for place in range(3000) if before[place] != after[place]] == [7]
    assert len(set(after)) == 3000
    assert keys(table, "".join(reversed(lines))) == after[::-1]
