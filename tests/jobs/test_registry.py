"""Every job of the article is known, runs once at a time, and stands in the default table."""

import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings

from billclock.cron.crontab import Crontab
from billclock.jobs import registry
from billclock.jobs.job import OptionError
from billclock.jobs.registry import UnknownJobError
from billclock.jobs.report import Exit

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

ARTICLE = (Path(__file__).parent.parent / "data" / "article.txt").read_text(encoding="utf-8")
CATCH_UP = {1, 2, 4, 5, 8, 9, 11, 17, 20, 22, 23}


def table() -> Crontab:
    return Crontab.parse(registry.default_table())


def test_every_row_of_the_list_has_its_job():
    rows = sorted(row for job in registry.all_jobs() for row in job.rows)
    assert rows == list(range(1, 25))


def test_the_default_table_has_the_articles_scheduled_commands_in_its_words():
    crontab = table()
    assert not crontab.errors
    assert len(crontab.entries) == 22
    article = re.sub(r"[\s\xa0]+", " ", ARTICLE)
    for entry in crontab.entries:
        # the article's own line of billdaily breaks off after 2>&
        assert entry.command.decode().removesuffix("1") in article
        assert entry.description in article
        # two lines lack the blank before the command, one lacks its fifth field
        assert entry.expression.text.removesuffix("*").rstrip() in article


def test_the_default_table_catches_up_where_a_missed_run_would_be_missed():
    entries = {registry.of_command(e.command.decode()).rows[0]: e for e in table().entries}
    caught = {row for row, entry in entries.items() if entry.directives == {"catch-up": "once"}}
    assert caught == CATCH_UP


def test_what_cannot_be_done_yet_is_switched_off_by_one_sign():
    for entry in table().entries:
        assert entry.active == registry.of_command(entry.command.decode()).built
        if not entry.active:
            assert re.match(rb"#[^#\s]", entry.raw)


@pytest.mark.debian_cron
def test_debians_crontab_accepts_the_default_table(tmp_path: Path):
    place = tmp_path / "table"
    place.write_bytes(registry.default_table())
    checked = subprocess.run(["crontab", "-n", place], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    place.write_bytes(registry.default_table().replace(b"5 18 * * *", b"5 24 * * *"))
    checked = subprocess.run(["crontab", "-n", place], capture_output=True, text=True, check=False)
    assert checked.returncode == 1


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/usr/local/mgr5/sbin/billmaintain --command billdaily >/dev/null 2>&1", "billdaily"),
        ("billmaintain --command syncitem --module reg", "syncitem"),
        ("mgrctl -m billmgr currencyrate.upload plid=USD/RUB upload=on", "currencyrate.upload"),
        ("/opt/x/mgrctl currencyrate.upload", "currencyrate.upload"),
        ("mgrctl -m billmgr crontask action=processing.checkbalance", "processing.checkbalance"),
        ("/usr/local/mgr5/notify/ntsms --command process", "ntsms"),
    ],
)
def test_a_command_is_known_however_it_is_spelt(command: str, name: str):
    assert registry.of_command(command).name == name


@pytest.mark.parametrize("command", ["", "backup --command billdaily", "mgrctl", "billmaintain"])
def test_other_commands_are_no_jobs(command: str):
    assert registry.of_command(command) is None


def test_a_job_that_is_not_built_says_so_and_fails(capsys: pytest.CaptureFixture[str]):
    report = registry.run(next(job.name for job in registry.all_jobs() if not job.built))
    assert report.exit_code == Exit.FAILED
    said = capsys.readouterr().out
    assert "this version of Billclock cannot do it yet; nothing was changed" in said


def test_a_misspelt_job_is_told_with_the_one_that_was_meant():
    with pytest.raises(UnknownJobError, match="did you mean billdaily"):
        registry.perform("bildaily")


def test_a_wrong_option_is_told_before_anything_is_done():
    with pytest.raises(OptionError, match="has no option 'plidd'; it has plid, source"):
        registry.perform("currencyrate.upload", options={"plidd": "153/50"})
    with pytest.raises(OptionError, match="replace: 'maybe' is neither on nor off"):
        registry.perform("currencyrate.upload", options={"replace": "maybe"})


def test_the_report_is_printed_as_json_when_asked(capsys: pytest.CaptureFixture[str]):
    registry.run("collect_usageinfo", on=date(2026, 11, 20), as_json=True)
    printed = json.loads(capsys.readouterr().out)
    assert (printed["job"], printed["exit_code"], printed["failed"]) == ("collect_usageinfo", 0, {})


HOLD = """
import sys
from pathlib import Path
from billclock.jobs.holding import held
with held(Path(sys.argv[1]), sys.argv[2], sys.argv[3]):
    print("held", flush=True)
    sys.stdin.read()
"""


def holding(scope: str) -> subprocess.Popen[str]:
    folder = str(settings.HOME / "locks")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder, "currencyrate.upload", scope],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parent.parent.parent, env={**os.environ},
    )  # fmt: skip
    assert process.stdout.readline() == "held\n"
    return process


def test_the_same_job_and_scope_runs_once_at_a_time():
    other = holding("USD/EUR")
    try:
        report = registry.perform("currencyrate.upload", options={"plid": "153/50"})
        assert report.exit_code == Exit.BUSY
        assert f"another run of it holds USD/EUR (process {other.pid})" in report.text()
        free = registry.perform(
            "currencyrate.upload", options={"plid": "EUR/USD", "source": "/no/such/file"}
        )
        assert free.exit_code == Exit.FAILED
    finally:
        other.communicate("")


def test_a_killed_run_leaves_no_lock_behind():
    other = holding("USD/EUR")
    other.kill()
    other.communicate()
    report = registry.perform(
        "currencyrate.upload", options={"plid": "153/50", "source": "/no/such/file"}
    )
    assert report.exit_code == Exit.FAILED
    assert "No such file" in report.text()
