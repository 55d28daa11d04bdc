"""`billclock import` tells every line of a foreign text, and adds to a table what it takes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from billclock.commands.billclock import main
from billclock.cron.crontab import Crontab

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

Writing = Callable[[str, bytes], str]
ARTICLE = "tests/data/article.txt"
OWN = b"# mine\nMAILTO=me@example.org\n7 7 * * *   /bin/own # \xff"


def test_the_article_is_told_line_by_line(spool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", ARTICLE, "--fix"]) == 0
    told = capsys.readouterr().out
    figures = (
        "found 23, taken 14, repaired spaces 5, repaired other 3, repaired prompt 1, dropped 1"
    )
    assert f"document: {figures}" in told
    assert "a command without a schedule" in told
    assert "* 5 4-10 0-3 *" in told
    crontab = Crontab.parse((spool / "root").read_bytes())
    assert not crontab.errors
    assert len(crontab.entries) == 22
    assert "22 entries put into the table root." in told


def test_without_fix_only_whole_lines_are_taken(
    spool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", ARTICLE]) == 0
    assert len(Crontab.parse((spool / "root").read_bytes()).entries) == 14
    assert "8 repaired lines only with --fix" in capsys.readouterr().out


def test_a_second_import_adds_only_what_is_new(
    spool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", ARTICLE]) == 0
    before = (spool / "root").read_bytes()
    assert main(["import", ARTICLE, "--fix"]) == 0
    assert (spool / "root").read_bytes().startswith(before)
    told = capsys.readouterr().out
    assert told.count("already there: ") == 14
    assert "8 entries put into the table root." in told
    whole = (spool / "root").read_bytes()
    assert main(["import", ARTICLE, "--fix"]) == 0
    assert (spool / "root").read_bytes() == whole


def test_what_a_table_holds_stays_byte_for_byte(outside: Writing, spool: Path) -> None:
    spool.mkdir()
    (spool / "root").write_bytes(OWN)
    assert main(["import", outside("foreign", b"## New\n5 5 * * * /bin/new\n")]) == 0
    assert (spool / "root").read_bytes() == OWN + b"\n\n## New\n5 5 * * * /bin/new\n"


def test_variables_come_along_with_a_foreign_table(outside: Writing, spool: Path) -> None:
    foreign = b"PATH=/opt/bin:/bin\n\n# Five\n5 5 * * * five\n"
    assert main(["import", outside("foreign", foreign)]) == 0
    assert (spool / "root").read_bytes() == foreign


def test_refused_lines_are_told_and_stay_out(
    outside: Writing, spool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = b"5 5 * * * five\n0 25 * * foo bar 1\n6 6 * * * six\n"
    assert main(["import", outside("foreign", foreign)]) == 0
    assert "line 2: re" in capsys.readouterr().out
    entries = Crontab.parse((spool / "root").read_bytes()).entries
    assert [entry.command for entry in entries] == [b"five", b"six"]


@pytest.mark.parametrize(
    "foreign", [b"", b"\n\n# nothing\n", b"prose, and more of it\n", b"\xff\0" * 99]
)
def test_where_nothing_can_be_taken_nothing_is_installed(
    foreign: bytes, outside: Writing, spool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", outside("foreign", foreign)]) == 1
    assert "Nothing was installed" in capsys.readouterr().out
    assert not (spool / "root").exists()


def test_a_file_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "/nowhere/table"]) == 1
    assert "can't read /nowhere/table" in capsys.readouterr().err
