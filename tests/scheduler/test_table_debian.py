"""Debian's crontab and ours on one spool: each reads what the other writes, files are alike."""

import pwd
from pathlib import Path

import pytest

from billclock.scheduler.table import Table
from billclock.scheduler.tables import Tables

from .namespaces import crontab, make_spool

pytestmark = [
    pytest.mark.root,
    pytest.mark.debian_cron,
    pytest.mark.django_db(databases=["default", "scheduler"]),
]
TEXTS = [
    b"5 1 * * * /bin/true\n",
    b"# a comment of the user's own\n\n5 1 * * * /bin/true\n",
    b"\n\n",
    b"# one\n# two\n# three\n# four\nMAILTO=a@example.org\n5 1\t* * *  /bin/caf\xe9 % \\% x\n",
    b"## Backup\n# billclock: timeout=15m\n#0 3 * * * /bin/b >/dev/null 2>&1\n@reboot /bin/x\n",
]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return make_spool(tmp_path)


def table(spool: Path, name: str = "root") -> Table:
    return Tables(spool, spool.parents[3], spool.parents[3]).table(name)


@pytest.mark.parametrize("text", TEXTS)
def test_what_we_write_debian_prints_the_same(spool: Path, text: bytes) -> None:
    assert table(spool).replace(text, author="me").shown == text
    assert crontab(spool, "-l") == text


@pytest.mark.parametrize("text", TEXTS)
def test_what_debian_writes_we_print_the_same(spool: Path, text: bytes) -> None:
    crontab(spool, "-", stdin=text)
    assert table(spool).load().shown == text == crontab(spool, "-l")


def test_we_edit_what_debian_wrote_and_debian_what_we_wrote(spool: Path) -> None:
    crontab(spool, "-u", "nobody", "-", stdin=b"5 1 * * * /bin/a\n")
    ours = table(spool, "nobody")
    before = ours.read().data
    saved = ours.edit(lambda c: c.add("6 1 * * *", "/bin/b"), author="me")
    assert saved.data == (before or b"") + b"6 1 * * * /bin/b\n"
    shown = crontab(spool, "-u", "nobody", "-l")
    assert shown == b"5 1 * * * /bin/a\n6 1 * * * /bin/b\n"
    crontab(spool, "-u", "nobody", "-", stdin=shown + b"7 1 * * * /bin/c\n")
    assert list(ours.load().keys)[:2] == list(saved.keys)


def test_a_file_of_ours_is_owned_as_debians_is(spool: Path) -> None:
    crontab(spool, "-u", "nobody", "-", stdin=TEXTS[0])
    table(spool, "daemon").replace(TEXTS[0], author="me")
    theirs, ours = (spool / "nobody").stat(), (spool / "daemon").stat()
    assert theirs.st_uid == pwd.getpwnam("nobody").pw_uid
    assert ours.st_uid == pwd.getpwnam("daemon").pw_uid
    assert (theirs.st_gid, theirs.st_mode) == (ours.st_gid, ours.st_mode)
    assert (spool / "nobody").read_bytes().count(b"\n") == (spool / "daemon").read_bytes().count(
        b"\n"
    )


def test_a_removal_by_one_is_seen_by_the_other(spool: Path) -> None:
    crontab(spool, "-", stdin=TEXTS[0])
    table(spool).remove(author="me")
    assert not (spool / "root").exists()
    table(spool).replace(TEXTS[0], author="me")
    crontab(spool, "-r")
    assert table(spool).load().data is None
