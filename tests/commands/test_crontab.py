"""`billclock crontab` does what crontab(1) does, on Billclock's tables."""

import io
import os
import pwd
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings

from billclock.commands.billclock import main
from billclock.commands.errors import CommandError
from billclock.commands.whose import table_of
from billclock.cron.crontab import Crontab
from billclock.scheduler.tables import Tables

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

Writing = Callable[[str, bytes], str]
TABLE = b"## Nightly\n0 1 * * * /bin/true\n"
BAD = b"60 1 * * * /bin/true\n0 1 * * * /bin/true\n0 1 * * /bin/true\n"


def typed(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Let standard input hold these bytes."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


def editor(monkeypatch: pytest.MonkeyPatch, outside: Writing, script: str) -> None:
    """Let the editor be a shell script; "$1" is the file it edits."""
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"sh {outside('editor', script.encode())}")


@pytest.fixture(autouse=True)
def _own_folders(spool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()


def kept(tmp_path: Path) -> list[bytes]:
    """Give the edited texts that were kept."""
    return [file.read_bytes() for file in tmp_path.glob("tmp/billclock-crontab.*/crontab")]


# -l


def test_a_table_is_printed_byte_for_byte(
    spool: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    spool.mkdir()
    (spool / "root").write_bytes(data := b"# \xff\r\n\t0 1 * * *  x\0\n# no end")
    assert main(["crontab", "-u", "root", "-l"]) == 0
    assert capfdbinary.readouterr().out == data


def test_no_table_is_told_in_crontab_s_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crontab", "-l", "-u", "root"]) == 1
    assert capsys.readouterr() == ("", "billclock crontab: no crontab for root\n")


# FILE and -


def test_a_first_table_is_made_from_a_file(outside: Writing, spool: Path) -> None:
    assert main(["crontab", outside("table", TABLE)]) == 0
    assert (spool / "root").read_bytes() == TABLE


def test_a_table_is_replaced_from_standard_input(
    outside: Writing, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["crontab", outside("table", TABLE)]) == 0
    typed(monkeypatch, b"@daily /bin/false\n")
    assert main(["crontab", "-"]) == 0
    assert (spool / "root").read_bytes() == b"@daily /bin/false\n"
    assert Tables().table("root").versions.count() == 2


def test_a_bad_text_is_refused_with_every_error_and_nothing_changed(
    outside: Writing, spool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["crontab", outside("table", TABLE)]) == 0
    assert main(["crontab", outside("bad", BAD)]) == 1
    assert (spool / "root").read_bytes() == TABLE
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "billclock crontab: 2 errors, nothing was changed"
    assert told[1:5] == [
        "line 1: minute: 60 is out of range 0-59 (column 1)",
        "  60 1 * * * /bin/true",
        "  ^",
        "  did you mean: 0 1 * * * /bin/true",
    ]
    assert told[5].startswith("line 3: ")


def test_what_is_suggested_for_a_bad_text_is_accepted(
    outside: Writing, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["crontab", outside("bad", BAD)]) == 1
    lines = [
        line.removeprefix("  did you mean: ")
        for line in capsys.readouterr().err.splitlines()
        if line.startswith("  did you mean: ")
    ]
    assert len(lines) == 2
    assert main(["crontab", outside("mended", "\n".join([*lines, ""]).encode())]) == 0


def test_a_file_that_is_not_there_changes_nothing(
    outside: Writing, spool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["crontab", outside("table", TABLE)]) == 0
    assert main(["crontab", "/nowhere/table"]) == 1
    assert (spool / "root").read_bytes() == TABLE
    assert "can't read /nowhere/table: No such file or directory" in capsys.readouterr().err


# -r


def test_a_removed_table_stays_as_a_version(outside: Writing, spool: Path) -> None:
    assert main(["crontab", outside("table", TABLE)]) == 0
    assert main(["crontab", "-r"]) == 0
    assert not (spool / "root").exists()
    table = Tables().table("root")
    table.restore(1, author="test")
    assert table.read().data == TABLE


def test_removing_no_table_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crontab", "-r"]) == 1
    assert "no crontab for root" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("answer", "left"), [(b"y\n", False), (b"n\n", True), (b"what\nyes\n", False), (b"", True)]
)
def test_with_i_a_table_is_removed_only_on_a_yes(
    answer: bytes, left: bool, outside: Writing, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["crontab", outside("table", TABLE)]) == 0
    typed(monkeypatch, answer)
    assert main(["crontab", "-r", "-i"]) == 0
    assert (spool / "root").exists() is left


# -e


def test_an_edited_table_is_installed(
    outside: Writing, spool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["crontab", outside("table", TABLE)]) == 0
    editor(monkeypatch, outside, 'sed -i "s/0 1/5 1/" "$1"')
    assert main(["crontab", "-e"]) == 0
    assert (spool / "root").read_bytes() == b"## Nightly\n5 1 * * * /bin/true\n"
    assert not list((tmp_path / "tmp").iterdir())


def test_a_first_table_is_made_in_the_editor(
    outside: Writing, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(monkeypatch, outside, 'echo "@daily /bin/true" >> "$1"')
    assert main(["crontab", "-e"]) == 0
    assert (spool / "root").read_bytes() == b"@daily /bin/true\n"


def test_visual_goes_before_editor(
    outside: Writing, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "false")
    monkeypatch.setenv("VISUAL", f"sh {outside('visual', b'echo @daily x > $1')}")
    assert main(["crontab", "-e"]) == 0
    assert (spool / "root").read_bytes() == b"@daily x\n"


def test_an_untouched_table_makes_no_version(
    outside: Writing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["crontab", outside("table", TABLE)]) == 0
    monkeypatch.setenv("VISUAL", "true")
    assert main(["crontab", "-e"]) == 0
    assert "no modification made" in capsys.readouterr().err
    assert Tables().table("root").versions.count() == 1


def test_an_editor_that_fails_changes_nothing_and_the_text_is_kept(
    outside: Writing, spool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["crontab", outside("table", TABLE)]) == 0
    editor(monkeypatch, outside, 'echo "@daily x" > "$1"; exit 4')
    assert main(["crontab", "-e"]) == 1
    assert (spool / "root").read_bytes() == TABLE
    assert kept(tmp_path) == [b"@daily x\n"]


def test_a_bad_edit_can_be_edited_again(
    outside: Writing, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = 'if [ -s "$1" ]; then sed -i s/60/6/ "$1"; else echo "60 1 * * * x" > "$1"; fi'
    editor(monkeypatch, outside, script)
    typed(monkeypatch, b"y\n")
    assert main(["crontab", "-e"]) == 0
    assert (spool / "root").read_bytes() == b"6 1 * * * x\n"


def test_a_bad_edit_given_up_is_kept_in_a_file_that_is_named(
    outside: Writing,
    spool: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    editor(monkeypatch, outside, 'echo "60 1 * * * x" > "$1"')
    typed(monkeypatch, b"n\n")
    assert main(["crontab", "-e"]) == 1
    assert not (spool / "root").exists()
    assert kept(tmp_path) == [b"60 1 * * * x\n"]
    told = capsys.readouterr().err
    assert "minute: 60 is out of range" in told
    assert str(next(tmp_path.glob("tmp/billclock-crontab.*/crontab"))) in told


def test_another_s_change_of_other_lines_stays(
    outside: Writing,
    spool: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["crontab", outside("table", b"1 1 * * * a\n2 2 * * * b\n3 3 * * * c\n")]) == 0
    script = f'sed -i "s/1 1/9 1/" "$1"; echo "4 4 * * * d" >> {spool}/root'
    editor(monkeypatch, outside, script)
    assert main(["crontab", "-e"]) == 0
    text = b"9 1 * * * a\n2 2 * * * b\n3 3 * * * c\n4 4 * * * d\n"
    assert (spool / "root").read_bytes() == text
    assert "both changes are in force" in capsys.readouterr().err


def test_another_s_change_of_the_same_lines_loses_neither_text(
    outside: Writing, spool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["crontab", outside("table", TABLE)]) == 0
    editor(monkeypatch, outside, f'echo "@daily mine" > "$1"; echo "@daily theirs" > {spool}/root')
    assert main(["crontab", "-e"]) == 1
    assert (spool / "root").read_bytes() == b"@daily theirs\n"
    assert kept(tmp_path) == [b"@daily mine\n"]


# the rest


def test_the_default_table_is_one(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["crontab", "--default"]) == 0
    crontab = Crontab.parse(capfdbinary.readouterr().out)
    assert not crontab.errors
    assert len(crontab.entries) == 22


@pytest.mark.parametrize(
    "words", [[], ["-l", "-e"], ["-l", "file"], ["-i", "-l"], ["-u", "../x", "-l"]]
)
def test_wrong_words_end_with_2(words: list[str]) -> None:
    assert main(["crontab", *words]) == 2


@pytest.mark.root
def test_only_root_chooses_another_s_table(settings: LazySettings) -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        settings.SPOOL, settings.HOME = Path(folder) / "spool", Path(folder)
        os.seteuid(nobody)
        try:
            with pytest.raises(CommandError, match=r"only root .*-u daemon"):
                table_of("daemon")
            assert table_of("nobody").name == "nobody"
            table_of(None).replace(TABLE, author="test")
        finally:
            os.seteuid(0)
        assert (settings.SPOOL / "root").stat().st_uid == nobody
        assert table_of(None).name == "root"
        assert table_of("daemon").name == "daemon"
