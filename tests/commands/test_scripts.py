"""The commands' scripts start from any environment, and a panel's paths lead to them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from billclock.commands import scripts
from billclock.commands.billclock import main
from tests.commands.conftest import Command

LINKS = ("sbin/mgrctl", "sbin/billmaintain", "notify/ntsms")


def test_a_script_is_written_again_only_where_it_is_stale(tmp_path: Path) -> None:
    scripts.write(tmp_path)
    before = {file: file.stat().st_ino for file in tmp_path.iterdir()}
    assert {file.name for file in before} == {"billclock", "mgrctl", "billmaintain", "ntsms"}
    scripts.write(tmp_path)
    assert {file: file.stat().st_ino for file in tmp_path.iterdir()} == before
    stale = tmp_path / "mgrctl"
    stale.write_text(stale.read_text() + "# old\n")
    scripts.write(tmp_path)
    assert stale.read_text() == scripts.text("mgrctl")
    assert os.access(stale, os.X_OK)


def test_a_foreign_file_of_that_name_stays(tmp_path: Path) -> None:
    (tmp_path / "ntsms").write_text("#!/bin/sh\n")
    scripts.write(tmp_path)
    assert (tmp_path / "ntsms").read_text() == "#!/bin/sh\n"


def test_a_python_in_a_folder_with_blanks_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = tmp_path / "with blank's"
    (prefix / "bin").mkdir(parents=True)
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", prefix)
    (prefix / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    monkeypatch.setattr(sys, "prefix", str(prefix))
    scripts.write(tmp_path)
    done = subprocess.run(
        [tmp_path / "billclock", "next", "@daily", "-n", "1"],
        env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.stdout.startswith(b"Every day at 00:00\n"), done.stderr
    assert done.stderr == b""


def test_the_caller_s_python_variables_do_no_harm(command: Command) -> None:
    done = command(
        "billclock", "--version", env={"PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere"}
    )
    assert done.returncode == 0


def test_the_article_s_paths_work_under_any_cron(
    command: Command, home: Path, tmp_path: Path
) -> None:
    panel = tmp_path / "mgr5"
    done = command("billclock", "shims", str(panel))
    assert done.returncode == 0, done.stderr
    assert all((panel / link).is_symlink() for link in LINKS)
    # neither our variables nor our folder are in a cron's environment
    line = f"{panel}/sbin/mgrctl -m billmgr collect_usageinfo sok=ok"
    ran = subprocess.run(
        ["/bin/sh", "-c", line], env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    figures = subprocess.run(
        ["/bin/sh", "-c", f"{panel}/sbin/billmaintain --command collect_usageinfo --json"],
        env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=False,
    )  # fmt: skip
    assert b'"job": "collect_usageinfo"' in figures.stdout
    assert (home / "bin" / "mgrctl").exists()


def test_links_are_made_again_and_foreign_files_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shims", str(tmp_path)]) == 0
    assert main(["shims", str(tmp_path)]) == 0
    foreign = tmp_path / "notify" / "ntsms"
    foreign.unlink()
    foreign.write_text("#!/bin/sh\n# the panel's own\n")
    (tmp_path / "sbin" / "mgrctl").unlink()
    capsys.readouterr()
    assert main(["shims", str(tmp_path)]) == 1
    assert f"move away first: {foreign}" in capsys.readouterr().err
    assert "the panel's own" in foreign.read_text()
    assert not (tmp_path / "sbin" / "mgrctl").exists()


@pytest.mark.parametrize("folder", ["/dev/null/mgr5", "a\0b"])
def test_a_folder_that_can_not_be_used_is_told(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shims", folder]) == 1
    assert capsys.readouterr().err.startswith("billclock shims: ")
