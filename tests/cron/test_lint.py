"""Lint: each finding at its place, and each fix does away with what it is for."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from billclock.cron.crontab import Crontab
from billclock.cron.lint import ERROR, NOTE, WARNING, fixed, lint
from tests.cron.test_crontab import TEXTS

DATA = Path(__file__).parents[1] / "data"
NBSP = b"\xc2\xa0"
WINTER = datetime(2026, 1, 15, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")

# text, code, level, line, column, the fix (None: there is none)
CASES = [
    (b"* 5 * * * /x\n", "every_minute_of_hour", WARNING, 1, 1, "0 5 * * * /x"),
    (b"* 5 4-10 0-3 * /x\n", "bad_month", ERROR, 1, 10, "* 5 4-10 1-4 * /x"),
    (b"* 5 4-10 0-3 * /x\n", "every_minute_of_hour", WARNING, 1, 1, "0 5 4-10 1-4 * /x"),
    (b"15 0 * * */bin/x 2>&\n", "glued_command", ERROR, 1, 11, "15 0 * * * /bin/x 2>&1"),
    (b"15 0 * * */bin/x 2>&\n", "cut_redirect", WARNING, 1, 18, "15 0 * * * /bin/x 2>&1"),
    (b"15 0 * * * /bin/x 2>&\n", "cut_redirect", WARNING, 1, 19, "15 0 * * * /bin/x 2>&1"),
    (b"30 */12 * * /bin/x\n", "missing_field_in_line", ERROR, 1, 13, "30 */12 * * * /bin/x"),
    (b"0 3 * */opt/x/y -a b\n", "missing_field_in_line", ERROR, 1, 8, "0 3 * * * /opt/x/y -a b"),
    (b"0 */3/opt/x/y -a b\n", "missing_field_in_line", ERROR, 1, 6, None),
    (b"0 3 */opt/x/y a * *\n", "missing_field_in_line", ERROR, 1, 6, None),
    (b"0 3 * /opt/x/y a/b\n", "missing_field_in_line", ERROR, 1, 7, None),
    (b"0 3 * jan/feb * /x\n", "bad_month", ERROR, 1, 11, "0 3 * jan * /x"),
    (b"@daily/bin/x\n", "glued_command", ERROR, 1, 7, "@daily /bin/x"),
    (b"root@h ~# 1 2 * * * /x\n", "shell_prompt", ERROR, 1, 1, "1 2 * * * /x"),
    (b"0 0 5 * * * /x\n", "star_command", ERROR, 1, 11, "0 5 * * * /x"),
    (b"0 5 * * *\n", "missing_command", ERROR, 1, 10, None),
    (b"=x\n", "bad_environment", ERROR, 1, 1, None),
    (b"CRON_TZ=Mars/Base\n", "unknown_zone", ERROR, 1, 9, None),
    (b"\xef\xbb\xbf0 5 * * * /x\n", "bom", ERROR, 1, 1, "0 5 * * * /x"),
    (b"0 5 * * * /x\0\n", "control_char", ERROR, 1, 13, None),
    (b"0 5 * * * /x\x1b[0m\n", "control_char", WARNING, 1, 13, None),
    (b"0 5 *" + NBSP + b" * * /x\n", "bad_whitespace", ERROR, 1, 6, "0 5 * * * /x"),
    (b"0 5 * * * " + NBSP + b"/x\n", "no_break_space", ERROR, 1, 11, "0 5 * * * /x"),
    (b"0 5 * * * " + NBSP + b"\n", "no_break_space", ERROR, 1, 11, None),
    (b"0 5 * * * /x 2>&1" + NBSP + b"\n", "no_break_space", WARNING, 1, 18, "0 5 * * * /x 2>&1"),
    (b"0 5 * * * /x '\n", "unclosed_quote", WARNING, 1, 11, None),
    (b"0 5 * * * date +%F\n", "percent_in_date", WARNING, 1, 17, "0 5 * * * date +\\%F"),
    (b"*/7 * * * * /x\n", "uneven_step", NOTE, 1, 1, "*/6 * * * * /x"),
    (b"0 0 */2 * * /x\n", "uneven_step", NOTE, 1, 5, None),
    (b"*/60 * * * * /x\n", "step_past_range", WARNING, 1, 1, "0 * * * * /x"),
    (b"0 8-10/5 * * * /x\n", "step_past_range", WARNING, 1, 3, "0 8 * * * /x"),
    (b"0 0 13 * 5 /x\n", "day_or_weekday", NOTE, 1, 5, None),
    (b"0 0 */2 * 5 /x\n", "day_and_weekday", NOTE, 1, 5, None),
    (b"0 5 * * * root /x\n", "user_column", WARNING, 1, 11, "0 5 * * * /x"),
    (b"@daily /x\n@daily /x\n", "same_minute_twice", WARNING, 2, 1, "#@daily /x"),
    (b"0 3 * * * /x\n0 */3 1 * * /x\n", "same_minute_twice", WARNING, 2, 1, "#0 */3 1 * * /x"),
    (b"A=\n", "unquoted_empty_value", WARNING, 1, 3, 'A=""'),
    (b"PATH=$PATH:/x\n", "not_expanded", NOTE, 1, 6, None),
    (b"0 5 * * * /x", "no_final_newline", WARNING, 1, 13, None),
    (b"\n0 5 * * * /x\r\n", "crlf", WARNING, 2, 13, None),
    (b"## caf\xe9\n", "non_utf8", NOTE, 1, 7, None),
    (b"0 5 * * * " + b"y" * 999 + b"\n", "command_too_long_for_cron", WARNING, 1, 1009, None),
    (b"\n" * 10_001, "table_too_long_for_cron", WARNING, 10_001, 1, None),
    (b"0 5 * * * /x\n60 * * * * /y\n", "file_ignored_by_cron", NOTE, 2, 1, None),
    (b"# billclock: color=red\n@daily /x\n", "unknown_directive", WARNING, 1, 14, None),
    (b"# billclock: timeout=soon\n@daily /x\n", "bad_directive", WARNING, 1, 14, None),
    (b"CRON_OVERLAP=maybe\n@daily /x\n", "bad_default", WARNING, 1, 14, None),
    (b"# billclock: timeout\n@daily /x\n", "bad_directive", WARNING, 1, 20, None),
    (b"# billclock: timeout=5m\n\n@daily /x\n", "orphan_directive", WARNING, 1, 1, None),
    (
        b"MAILTO=a@example.test\n@daily /x >/dev/null 2>&1\n",
        "output_discarded",
        NOTE,
        2,
        11,
        "@daily /x",
    ),
]
CLEAN = [
    b"",
    b"0-59/15 0-23/2 * * * /x\n",
    b"* 9-17 * * 1-5 /x\n",
    b"0 5 * * * root-job --now\n",
    b"0 5 * * * echo \"it's\" 2>&1 # it's a comment\n",
    b'0 5 * * * date "+\\%F"\n',
    b'MAILTO=""\n@daily /x >/dev/null 2>&1\n',
    b"MAILTO=a\n# billclock: mail=never\n@daily /x >/dev/null 2>&1\n",
    b"0 3 * * 1 /x\n0 3 * * 2 /x\n0 4 1 * * /x\n",
    b"0 0 * * * /x\n#0 0 * * * /x\n#60 * * * * /y 2>&\n",
    b"0 5 * * * echo '\xc2\xa0'\n",
]


@pytest.mark.parametrize(("data", "code", "level", "line", "column", "fix"), CASES)
def test_a_fault_is_found_at_its_place(data, code, level, line, column, fix):
    found = [finding for finding in lint(Crontab.parse(data)) if finding.code == code]
    assert [(f.level, f.line, f.column, f.fix) for f in found] == [(level, line, column, fix)]
    assert found[0].message


@pytest.mark.parametrize("data", CLEAN)
def test_good_text_gives_no_finding(data):
    assert lint(Crontab.parse(data)) == []


def every_finding(table):
    return lint(table, WINTER, BERLIN, lambda path: path == "/bin/sh", ["x", "y"])


def assert_fixed(table, finding):
    mended = fixed(table, finding)
    assert not [
        other
        for other in every_finding(mended)
        if (other.code, other.line) == (finding.code, finding.line)
    ]
    if finding.fix is not None:
        number = finding.line
        assert finding.line not in [error.line for error in mended.errors]
        before, after = bytes(table).split(b"\n"), bytes(mended).split(b"\n")
        assert before[: number - 1] + before[number:] == after[: number - 1] + after[number:]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[1])
def test_every_fix_parses_and_ends_its_finding(case):
    table = Crontab.parse(case[0])
    for finding in every_finding(table):
        if finding.fix is not None or finding.code in ("no_final_newline", "crlf"):
            assert_fixed(table, finding)
        else:
            assert fixed(table, finding) == table


@given(TEXTS)
def test_any_text_can_be_linted_and_every_fix_parses(data):
    table = Crontab.parse(data)
    for finding in every_finding(table):
        assert finding.level in (ERROR, WARNING, NOTE)
        assert finding.line >= 1
        assert finding.column >= 1
        if finding.fix is not None:
            mended = fixed(table, finding)
            assert finding.line not in [error.line for error in mended.errors]


def test_every_error_of_the_table_is_a_finding():
    table = Crontab.parse((DATA / "crontabs/25_errors_among_good.crontab").read_bytes())
    errors = [(e.line, e.column, e.suggestion) for e in table.errors]
    found = [(f.line, f.column, f.fix) for f in lint(table) if f.level == ERROR]
    assert found == errors


def codes(data, **world):
    return {(f.code, f.line) for f in lint(Crontab.parse(data), **world)}


def test_a_fixed_time_inside_the_next_clock_change_is_told():
    data = b"30 2 * * * /a\n30 3 * * * /b\n*/5 2 * * * /c\nCRON_TZ=UTC\n30 2 * * * /d\n"
    found = [f for f in lint(Crontab.parse(data), WINTER, BERLIN) if f.code == "clock_change"]
    assert [f.line for f in found] == [1]
    assert "02:30 is skipped on 2026-03-29" in found[0].message
    assert "03:00" in found[0].message
    (found,) = lint(Crontab.parse(data), datetime(2026, 7, 1), "Europe/Berlin")
    assert "02:30 comes twice on 2026-10-25" in found.message
    assert not codes(data, at=WINTER, zone="Asia/Tokyo")
    assert not codes(data, at=WINTER)
    assert not codes(data, at=WINTER, zone="Mars/Base")


def test_a_clock_change_of_half_an_hour_and_an_entrys_own_zone():
    data = b"# billclock: zone=Australia/Lord_Howe\n15 2 * * * /a\n"
    found = lint(Crontab.parse(data), datetime(2026, 6, 1, tzinfo=UTC), UTC)
    assert [f.code for f in found] == ["clock_change"]
    assert "2026-10-04: it runs once at 02:30" in found[0].message


def test_a_missing_program_is_told_by_path_or_along_the_path():
    data = (
        b"@daily /bin/here\n@daily /bin/gone\n@daily here\nPATH=/opt\n@daily here x\n@daily cd /\n"
    )
    known = {"/bin/here", "/usr/bin/here"}
    found = codes(data, program=known.__contains__)
    assert found == {("program_missing", 2), ("program_missing", 5)}
    for command in (b"$HOME/x", b"~/x", b"FOO=1 /bin/here", b"( /bin/here )", b"'a b'"):
        assert not codes(b"@daily " + command + b"\n", program=known.__contains__)


def test_billing_jobs_missing_twice_and_in_an_order_worth_knowing():
    data = (
        b"2 * * * * /m/billmaintain --command autosuspend\n"
        b"15 0 * * * /m/billmaintain --command billdaily\n"
        b"15 1 * * * /m/billmaintain --command billdaily\n"
        b"#1 0 * * * /m/billmaintain --command recurring\n"
    )
    jobs = ["autosuspend", "billdaily", "recurring", "archive_ticket"]
    found = [f for f in lint(Crontab.parse(data), jobs=jobs) if f.code.startswith("billing")]
    assert [(f.code, f.line) for f in found] == [
        ("billing_job_order", 1),
        ("billing_job_twice", 3),
        ("billing_job_missing", 4),
    ]
    assert "safe" in found[0].message
    assert "archive_ticket" in found[2].message
    assert not codes(b"@daily /bin/x billdaily.sh\n", jobs=jobs)
    data = (
        b"15 0 * * * billmaintain --command billdaily\n1 1 * * * billmaintain --command recurring\n"
    )
    assert codes(data, jobs=["billdaily", "recurring"]) == {("billing_job_order", 1)}


def test_a_crowded_minute_is_told_with_the_nearest_quiet_one():
    data = b"".join(b"0 1 * * * /bin/x %d\n" % n for n in range(21))
    (found,) = lint(Crontab.parse(data))
    assert (found.code, found.level, found.line) == ("crowded_minute", NOTE, 1)
    assert found.message.startswith("21 entries start at 01:00")
    assert "01:01 with 0" in found.message
    assert not lint(Crontab.parse(b"".join(data.splitlines(keepends=True)[:20])))


def test_where_no_minute_is_quiet_the_least_crowded_is_told():
    data = b"".join(b"* * * * * /bin/x %d\n" % n for n in range(25)) + b"1-59 * * * * /bin/y\n"
    found = lint(Crontab.parse(data))
    assert {f.code for f in found} == {"crowded_minute"}
    assert len(found) == 10
    assert "26 entries start at 00:01" in found[0].message
    assert "00:00 with 25" in found[0].message


def test_entries_of_different_days_do_not_crowd_a_minute():
    data = b"".join(b"0 1 * * %d /bin/x %d\n" % (n % 7, n) for n in range(100))
    assert not codes(data)
    data = b"".join(b"0 1 * * %d /bin/x %d\n" % (n % 2, n) for n in range(50))
    (found,) = lint(Crontab.parse(data))
    assert found.message.startswith("25 entries start at 01:00")


def test_findings_of_a_system_table_keep_its_users():
    table = Crontab.parse(b"* 5 * * * root /x\n0 5 * * * /y\n", system=True)
    found = {f.code: f.fix for f in lint(table)}
    assert found["every_minute_of_hour"] == "0 5 * * * root /x"
    assert found["missing_user"] == "0 5 * * * root /y"


def test_the_articles_lines_once_imported_are_clean_but_for_notes():
    table = Crontab.parse((DATA / "article.crontab").read_bytes())
    codes = {json.dumps(f.code) for f in lint(table) if f.level == ERROR}
    assert codes == {
        f'"{code}"'
        for code in (
            "bad_whitespace",
            "glued_command",
            "missing_field_in_line",
            "no_break_space",
            "shell_prompt",
        )
    }


def test_an_entry_that_may_not_run_as_its_user_is_told_at_the_key_with_a_mend():
    text = b"# billclock: nice=5 user=bob\n@daily /bin/true\n"
    table = Crontab.parse(text)
    (found,) = [one for one in lint(table, user=lambda name: f"not {name}") if one.level == "error"]
    assert (found.code, found.line, found.column, found.message) == (
        "user_refused",
        1,
        21,
        "not bob",
    )
    assert bytes(fixed(table, found)) == b"# billclock: nice=5\n@daily /bin/true\n"
    assert not lint(table, user=lambda _: "")
    assert not lint(table)
