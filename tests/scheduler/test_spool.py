"""Spools of each kind: what is a table, what is ignored and why, whose a new file is."""

import grp
import os
import pwd
from pathlib import Path

import pytest

from billclock.scheduler.errors import Ignored
from billclock.scheduler.place import Ownership
from billclock.scheduler.spool import Spool, SystemTables

CRONTAB = b"5 1 * * * /bin/true\n"


@pytest.fixture
def debian(tmp_path: Path) -> Spool:
    folder = tmp_path / "var/spool/cron/crontabs"
    folder.mkdir(parents=True)
    folder.chmod(0o1730)
    return Spool.at(folder)


@pytest.fixture
def red_hat(tmp_path: Path) -> Spool:
    folder = tmp_path / "var/spool/cron"
    folder.mkdir(parents=True)
    return Spool.at(folder)


def table(spool: Spool, name: str = "root", mode: int = 0o600) -> Path:
    path = spool.folder / name
    path.write_bytes(CRONTAB)
    path.chmod(mode)
    return path


def why(spool: Spool, name: str) -> str:
    with pytest.raises(Ignored) as ignored:
        spool.place(name).read()
    assert str(spool.folder / name) in str(ignored.value)
    assert ignored.value.mend
    return ignored.value.why


def test_our_own_spool_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    spool = Spool.at(tmp_path / "home/spool")
    assert (spool.flavour.name, spool.folder.stat().st_mode & 0o777) == ("own", 0o700)


def test_the_folder_tells_whose_spool_it_is(debian: Spool, tmp_path: Path) -> None:
    for place in ("a/usr/spool/cron", "b/var/spool/cron", "c/var/spool/cron/tabs"):
        (tmp_path / place).mkdir(parents=True)
        assert Spool.at(tmp_path / place).flavour.name == "Red Hat"
    assert debian.flavour.name == "Debian"


def test_a_link_to_a_spool_is_that_spool(debian: Spool, tmp_path: Path) -> None:
    link = tmp_path / "short"
    link.symlink_to(debian.folder)
    assert Spool.at(link) == debian


def test_files_that_editors_and_crontab_leave_are_no_tables(tmp_path: Path) -> None:
    spool = Spool.at(tmp_path / "spool")
    for name in ("root", "www-data", "a.b", "tmp.Xq2", ".root.swp", "root~", "#root#", ".hidden"):
        table(spool, name)
    assert [place.name for place in spool.places()] == ["a.b", "root", "www-data"]


def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    spool = Spool.at(tmp_path / "spool")
    for name in ("../root", "/etc/passwd", "", ".", "..", "a/b", "root\n", "r" * 201):
        with pytest.raises(ValueError):
            spool.place(name)


def test_no_file_is_no_table(tmp_path: Path) -> None:
    assert Spool.at(tmp_path / "spool").place("root").read() is None


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    spool = Spool.at(tmp_path / "spool")
    (spool.folder / "root").symlink_to("/etc/passwd")
    assert why(spool, "root") == "a symbolic link"


def test_what_is_no_regular_file_is_ignored_without_waiting_for_it(tmp_path: Path) -> None:
    spool = Spool.at(tmp_path / "spool")
    os.mkfifo(spool.folder / "pipe")
    (spool.folder / "folder").mkdir()
    assert why(spool, "pipe") == "not a regular file"
    assert why(spool, "folder") == "not a regular file"


def test_debian_wants_mode_600_exactly(debian: Spool) -> None:
    table(debian, mode=0o640)
    assert why(debian, "root") == "its mode is 0640"


def test_red_hat_lets_others_read_but_not_write(red_hat: Spool) -> None:
    table(red_hat, mode=0o644)
    assert red_hat.place("root").read()
    table(red_hat, mode=0o622)
    assert why(red_hat, "root") == "its mode is 0622"


def test_a_second_name_of_the_file_makes_it_ignored(debian: Spool) -> None:
    os.link(table(debian), debian.folder / ".other")
    assert why(debian, "root") == "it has 2 names (hard links)"


def test_a_table_of_no_user_is_ignored_where_names_are_users(debian: Spool) -> None:
    table(debian, "nobody-of-this-name")
    assert why(debian, "nobody-of-this-name") == "no user has this name"


@pytest.mark.root
def test_a_file_of_another_user_is_ignored(debian: Spool) -> None:
    os.chown(table(debian), 4711, 0)
    assert why(debian, "root") == "its owner is 4711 and not root"


@pytest.mark.root
def test_a_users_table_may_be_the_users_or_roots(debian: Spool) -> None:
    path = table(debian, "nobody")
    assert debian.place("nobody").read()
    os.chown(path, pwd.getpwnam("nobody").pw_uid, 0)
    found = debian.place("nobody").read()
    assert found == (CRONTAB, Ownership(pwd.getpwnam("nobody").pw_uid, 0, 0o600))


@pytest.mark.root
@pytest.mark.debian_cron
def test_a_new_file_on_debian_is_the_users_in_group_crontab(debian: Spool) -> None:
    group = grp.getgrnam("crontab").gr_gid
    uid = pwd.getpwnam("nobody").pw_uid
    assert debian.place("nobody").new_file() == Ownership(uid, group, 0o600)


def test_a_new_file_on_red_hat_is_the_users_own(red_hat: Spool) -> None:
    nobody = pwd.getpwnam("nobody")
    made = red_hat.place("nobody").new_file()
    assert made == Ownership(nobody.pw_uid, nobody.pw_gid, 0o600)


def test_system_tables_follow_debians_file_names(tmp_path: Path) -> None:
    (tmp_path / "cron.d").mkdir()
    for name in ("crontab", "cron.d/ntp", "cron.d/php_8-2", "cron.d/x.dpkg-new", "cron.d/.hidden"):
        (tmp_path / name).write_bytes(b"5 1 * * * root /bin/true\n")
    system = SystemTables(tmp_path)
    names = [str(tmp_path / name) for name in ("crontab", "cron.d/ntp", "cron.d/php_8-2")]
    assert [place.name for place in system.places()] == names
    (left_out,) = system.misnamed()
    assert left_out.path.name == "x.dpkg-new"
    assert left_out.mend.endswith("cron.d/x_dpkg-new")


@pytest.mark.root
def test_a_system_table_that_others_may_write_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "crontab"
    path.write_bytes(CRONTAB)
    path.chmod(0o664)
    with pytest.raises(Ignored, match="its mode is 0664"):
        SystemTables(tmp_path).place(path).read()


@pytest.mark.root
def test_a_system_table_may_be_a_link_of_roots(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(CRONTAB)
    (tmp_path / "crontab").symlink_to(tmp_path / "real")
    found = SystemTables(tmp_path).place(tmp_path / "crontab").read()
    assert found
    assert found[0] == CRONTAB


def test_only_the_files_of_the_system_are_system_tables(tmp_path: Path) -> None:
    for path in ("passwd", "cron.d/../passwd", "cron.d/a.b", "cron.daily/x"):
        with pytest.raises(ValueError):
            SystemTables(tmp_path).place(tmp_path / path)
