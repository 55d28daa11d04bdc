"""`billclock check` tells what is wrong in a crontab, and ends with 1 on errors."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from billclock.commands.billclock import main
from billclock.cron import Expression
from billclock.jobs.registry import default_table

Writing = Callable[[str, bytes], str]


def test_every_finding_is_shown_with_its_place_and_its_fix(
    outside: Writing, capsys: pytest.CaptureFixture[str]
) -> None:
    file = outside("table", "é\t# no\n60 1 * * * /bin/true\n".encode())
    assert main(["check", file]) == 1
    lines = capsys.readouterr().out.splitlines()
    place = lines.index(f"{file}:2:1: error: minute: 60 is out of range 0-59 [bad_minute]")
    assert lines[place + 1 : place + 3] == ["  60 1 * * * /bin/true", "  ^"]
    fix = lines[place + 3].removeprefix("  fix: ")
    assert Expression.parse(fix.removesuffix(" /bin/true"))
    assert lines[-1].startswith("0 entries, 0 of them switched off; 2 errors")


def test_a_good_table_ends_with_0(outside: Writing, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", outside("table", b"17 1 * * * /bin/true\n")]) == 0
    told = capsys.readouterr().out
    assert "1 entry, 0 of them switched off; 0 errors, 0 remarks" in told


def test_json_is_an_array_of_findings(outside: Writing, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", outside("table", b"0 1 * * * /bin/\xff\n60 1 * * * x\n"), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)
    assert {"level", "code", "line", "column", "message", "fix"} == set(findings[0])
    assert ("error", 2) in {(finding["level"], finding["line"]) for finding in findings}


def test_a_system_table_has_a_user_column(
    outside: Writing, capsys: pytest.CaptureFixture[str]
) -> None:
    file = outside("table", b"17 1 * * * root /bin/true\n")
    assert main(["check", "--system", file]) == 0
    assert "0 errors, 0 remarks" in capsys.readouterr().out


def test_the_billing_jobs_paths_are_known_to_run(
    outside: Writing, capsys: pytest.CaptureFixture[str]
) -> None:
    table = re.sub(rb"(?m)^#(?=[0-9*])", b"", default_table())
    assert main(["check", outside("table", table)]) == 0
    told = capsys.readouterr().out
    assert "program_missing" not in told
    assert "billing_job_missing" not in told


def test_a_missing_billing_job_is_told(
    outside: Writing, capsys: pytest.CaptureFixture[str]
) -> None:
    line = b"15 0 * * * /usr/local/mgr5/sbin/billmaintain --command billdaily\n"
    assert main(["check", outside("table", line)]) == 0
    told = capsys.readouterr().out
    assert "the billing job autosuspend is not in this table" in told
    assert "the billing job billdaily is not" not in told


@pytest.mark.parametrize("file", ["/", "/nowhere", "/etc/passwd/x", "a\0b"])
def test_a_file_that_can_not_be_read_is_told(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", file]) == 1
    assert capsys.readouterr().err.startswith("billclock check: can't read ")


def test_an_endless_file_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "/dev/zero"]) == 1
    assert "larger than 64 MiB" in capsys.readouterr().err


def test_any_bytes_are_told_of(outside: Writing, capsys: pytest.CaptureFixture[str]) -> None:
    for table in sorted(Path("tests/data/crontabs").glob("*.crontab")):
        assert main(["check", outside("table", table.read_bytes())]) in (0, 1)
        assert main(["check", "--system", outside("table", table.read_bytes())]) in (0, 1)
    assert main(["check", outside("table", bytes(range(256)) * 40)]) == 1
    assert "\x1b" not in capsys.readouterr().out
