"""`mgrctl`, `billmaintain` and `ntsms` call functions and jobs, and end as they do."""

import json
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from django.conf import LazySettings

from billclock.commands import billmaintain, mgrctl, ntsms
from billclock.jobs.holding import held
from tests.commands.conftest import Command

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

Capture = pytest.CaptureFixture[str]


# mgrctl


def test_the_article_s_line_does_the_job(capsys: Capture) -> None:
    assert mgrctl.main(["-m", "billmgr", "collect_usageinfo", "sok=ok"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[-1].startswith("collect_usageinfo: ")
    assert told.err == ""


@pytest.mark.usefixtures("spool")
def test_a_list_is_printed_in_every_form(capsys: Capture) -> None:
    words = ["scheduler.edit", "sok=ok", "command=/bin/true", "schedule_type=expert"]
    words += ["input_min=5", "input_hour=1", "input_dmonth=*", "input_month=*", "input_dweek=*"]
    assert mgrctl.main(words) == 0
    capsys.readouterr()
    assert mgrctl.main(["scheduler"]) == 0
    assert "command=/bin/true" in capsys.readouterr().out
    assert mgrctl.main(["-o", "json", "scheduler"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["doc"]["elem"]
    assert row["command"] == "/bin/true"
    for form in ("xml", "devel"):
        assert mgrctl.main(["-o", form, "scheduler"]) == 0
        doc = ET.fromstring(capsys.readouterr().out)
        assert doc.findtext("elem/command") == "/bin/true"


def test_options_may_stand_anywhere(capsys: Capture) -> None:
    assert (
        mgrctl.main(["collect_usageinfo", "-o", "json", "sok=ok", "-m", "billmgr", "dry_run=on"])
        == 0
    )
    assert json.loads(capsys.readouterr().out)["doc"]["func"] == "collect_usageinfo"


def test_a_parameter_is_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("THE_DAY", "someday")
    assert mgrctl.main(["-e", "date=$THE_DAY", "collect_usageinfo"]) == 1
    assert "'someday'" in capsys.readouterr().err


def test_functions_and_their_parameters_are_listed(capsys: Capture) -> None:
    assert mgrctl.main(["-i", "lang=en"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert {"scheduler", "currencyrate.upload", "crontask"} <= set(names)
    assert mgrctl.main(["-i", "currencyrate.upload"]) == 0
    assert "\nformula " in capsys.readouterr().out


def test_an_error_is_in_the_document_and_on_standard_error(capsys: Capture) -> None:
    assert mgrctl.main(["-o", "xml", "currencyrate.upload", "sok=ok", "plid=nonsense"]) == 1
    told = capsys.readouterr()
    error = ET.fromstring(told.out).find("error")
    assert error is not None
    assert (
        told.err
        == f"mgrctl: currencyrate.upload: {error.findtext('msg')} (type {error.get('type')})\n"
    )


def test_a_job_that_runs_already_ends_with_3(settings: LazySettings, capsys: Capture) -> None:
    with held(settings.HOME / "locks", "collect_usageinfo", ""):
        assert mgrctl.main(["collect_usageinfo", "sok=ok"]) == 3
        assert billmaintain.main(["--command", "collect_usageinfo"]) == 3
    assert "another run of it holds it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "a function is missing"),
        (["-m", "ispmgr", "user"], "invalid choice: 'ispmgr'"),
        (["-o", "yaml", "user"], "invalid choice: 'yaml'"),
        (["scheduler", "elid"], "'elid' is not of the form NAME=VALUE"),
        (["scheduler", "elid=1", "elid=2"], "elid is given twice"),
        (["-e", "elid", "scheduler"], "-e: 'elid' is not of the form"),
        (["-e", "elid=$NOT_SET_ANYWHERE", "scheduler"], "no variable NOT_SET_ANYWHERE"),
        (["schedular"], "did you mean scheduler?"),
        (["-i", "schedular"], "did you mean scheduler?"),
        (["-i", "xyzzy"], "mgrctl -i lists them"),
    ],
)
def test_wrong_calls_end_with_2(words: list[str], told: str, capsys: Capture) -> None:
    assert mgrctl.main(words) == 2
    assert told in capsys.readouterr().err


# billmaintain and ntsms


def test_a_job_s_report_may_be_json(capsys: Capture) -> None:
    words = ["--command", "collect_usageinfo", "--date", "2026-11-20", "--dry-run", "--json"]
    assert billmaintain.main(words) == 0
    assert json.loads(capsys.readouterr().out)["job"] == "collect_usageinfo"


@pytest.mark.parametrize(
    "call",
    [
        lambda: billmaintain.main(["--command", "syncitem", "--module", "registrar"]),
        lambda: ntsms.main(["--command", "process"]),
        lambda: mgrctl.main(["-m", "billmgr", "crontask", "action=processing.checkbalance"]),
    ],
)
def test_a_job_not_built_yet_ends_with_1_and_says_so(
    call: Callable[[], int], capsys: Capture
) -> None:
    assert call() == 1
    assert (
        "this version of Billclock cannot do it yet; nothing was changed" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "--command"),
        (["--command", "bildaily"], "did you mean billdaily?"),
        (["--command", "collect_usageinfo", "--module", "x"], "has no option 'module'"),
        (["--command", "billdaily", "--date", "99999-01-01"], "'99999-01-01' is not a date"),
        (["--command", "billdaily", "--date", "2027-02-30"], "'2027-02-30' is not a date"),
        (["--command", "recurring", "--date", "9999-12-31"], "give a day of the years 1970 to"),
        (["--command", "recurring", "--date", "0001-01-01", "--explain", "A1"], "give a day of"),
        (["--command", "recurring", "--explain", ""], "--explain: name an object"),
        (["--command", "a\0b"], "there is no job"),
        (["--comm", "billdaily"], "--command"),
    ],
)
def test_wrong_words_for_a_job_end_with_2(words: list[str], told: str, capsys: Capture) -> None:
    assert billmaintain.main(words) == 2
    assert told in capsys.readouterr().err


def test_the_commands_work_from_a_shell(command: Command) -> None:
    done = command("mgrctl", "-m", "billmgr", "collect_usageinfo", "sok=ok")
    assert (done.returncode, done.stderr) == (0, b"")
    assert command("billmaintain", "--command", "nonsense").returncode == 2
    assert command("ntsms", "--command", "process").returncode == 1
