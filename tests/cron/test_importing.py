"""Import: what is found in a foreign text, what becomes of it, and the table that comes out."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billclock.cron.crontab import Crontab
from billclock.cron.importing import DROPPED, NOTED, REFUSED, REPAIRED, TAKEN, take
from billclock.cron.lint import ERROR, lint
from tests.cron.test_crontab import TEXTS

DATA = Path(__file__).parents[1] / "data"
ARTICLE = (DATA / "article.txt").read_bytes()
ITS_LINES = (DATA / "article.crontab").read_bytes()
BILLMAINTAIN = "/usr/local/mgr5/sbin/billmaintain --command"
# In the order of the article: schedule, command, description.
JOBS = [
    ("30 */12 * * *", "autoprolong_disabled_for_items", "autoprolong notification"),
    ("0 1 * * *", "warnupdateexpiredate", "update expiredate notification"),
    ("0 3 * * *", "send_notification", "send periodic notifications"),
    ("* * * * *", "/usr/local/mgr5/notify/ntsms --command process", "set ntsms messages"),
    ("0 1 * * *", "warnmoney", "low money notification"),
    ("25 2 1 * *", "payment_generate_postpaid", "generate postpaid payments"),
    (
        "0 6,18 * * *",
        "/usr/local/mgr5/sbin/mgrctl -m billmgr crontask action=processing.checkbalance",
        "check modules balance info",
    ),
    ("0 2,14 * * *", "clean_stalled_stored_methods", "clean_stalled_stored_methods"),
    ("1 0 * * *", "recurring", "process autopayments"),
    ("15 2 * * *", "close_accounts", None),
    ("2 * * * *", "autosuspend", "autosuspend unpaid items"),
    ("15 0 * * *", "billdaily", "daily billing"),
    (
        "30 0 * * *",
        "process_certificate_external_subscription",
        "process certificate subscription",
    ),
    ("40 */3 * * *", "syncitem", "sync items data with providers"),
    ("20 * * * *", "abuse_task", "process abuse tasks"),
    (
        "5 18 * * *",
        "/usr/local/mgr5/sbin/mgrctl -m billmgr collect_usageinfo sok=ok",
        "collect licence 6 usage stat",
    ),
    (
        "*/10 * * * *",
        "/usr/local/mgr5/sbin/mgrctl -m billmgr google.analytics.export",
        "export to Google Analytics",
    ),
    ("0 1 * * *", "selecttickets", "select tickets"),
    (
        "30 */4 * * *",
        "/usr/local/mgr5/sbin/mgrctl -m billmgr processing.syncserver.cron",
        "sync items processing info",
    ),
    (
        "54 * * * *",
        "/usr/local/mgr5/sbin/mgrctl -m billmgr processing.getconfig",
        "sync processing module configurations",
    ),
    ("10 3 1 * *", "affiliatemonthly", "process affiliate"),
    ("0 12 * * *", "archive_ticket", "archive tickets"),
]
WITH_OUTPUT = ("google.analytics.export", "selecttickets")


def command_of(text):
    full = text if text.startswith("/") else f"{BILLMAINTAIN} {text}"
    return full if full.endswith(WITH_OUTPUT) else f"{full} >/dev/null 2>&1"


@pytest.mark.parametrize("source", [ARTICLE, ITS_LINES, ARTICLE.replace(b"\n", b"\r\n")])
@pytest.mark.parametrize("fix", [False, True])
def test_the_article_is_told_line_by_line(source, fix):
    report = take(source, fix=fix)
    assert report.found == 23
    assert report.counts == {
        "found": 23,
        "taken": 14,
        "repaired spaces": 5,
        "repaired other": 3,
        "repaired prompt": 1,
        "refused": 0,
        "dropped": 1,
    }


@pytest.mark.parametrize("source", [ARTICLE, ITS_LINES])
def test_the_articles_table_comes_out_repaired_with_its_descriptions(source):
    table = Crontab.parse(take(source, fix=True).data)
    assert [
        (str(entry.expression), entry.command.decode(), entry.description)
        for entry in table.entries
    ] == [
        (schedule, command_of(command), f"BILLmanager {words}" if words else "")
        for schedule, command, words in JOBS
    ]
    assert not table.errors
    assert not [finding for finding in lint(table) if finding.level == ERROR]


def test_without_fix_only_the_good_lines_come_in():
    report = take(ARTICLE)
    table = Crontab.parse(report.data)
    assert len(table.entries) == 14
    repaired = [line for line in report.lines if line.verdict == REPAIRED]
    assert len(repaired) == 8
    assert all(line.fix and line.reason and line.entry is None for line in repaired)


def test_what_is_no_crontab_line_in_the_article_is_explained():
    notes = [line for line in take(ARTICLE).lines if line.verdict == NOTED]
    assert [line.line for line in notes] == [27, 94, 95, 105]
    for line in (notes[0], notes[3]):
        assert "currencyrate.upload" in line.text
        assert "without a schedule" in line.reason
    assert "Every 2 hours" in notes[1].reason
    assert "month: 0 is out of range 1-12 (column 16)" in notes[2].reason
    assert "60 times" in notes[2].reason
    assert notes[2].fix == "0 5 4-10 1-4 *"


def test_the_duplicate_is_dropped_with_its_description():
    report = take(ARTICLE, fix=True)
    (dropped,) = [line for line in report.lines if line.verdict == DROPPED]
    assert dropped.line == 282
    assert dropped.description == "BILLmanager send notification"
    assert "line 134" in dropped.reason
    assert b"send notification" not in report.data


def test_a_foreign_table_is_taken_as_it_stands():
    data = (
        b"# note\nMAILTO=x@example.test\n\n## A\n0 1 * * *   /a\n#0 2 * * * /off\n"
        b"# B\n# billclock: timeout=5m\n0 2 * * * /b\n"
    )
    report = take(data)
    assert report.data == data
    assert not report.is_document
    assert [line.verdict for line in report.lines] == [TAKEN] * 4
    assert report.found == 3


def test_refused_lines_stay_out_with_what_belongs_to_them():
    report = take(b"## A\n61 a * * * /a\n## B\n0 2 * * * /b\n")
    assert report.data == b"## B\n0 2 * * * /b\n"
    refused, taken = report.lines
    assert (refused.verdict, refused.line) == (REFUSED, 2)
    assert "minute" in refused.reason
    assert Crontab.parse(refused.fix.encode()).entries
    assert take(b"## A\n61 a * * * /a\n## B\n0 2 * * * /b\n", fix=True).data == report.data
    assert taken.entry == b"0 2 * * * /b"


def test_one_blank_line_is_bridged_to_a_description_and_taken_out():
    assert take(b"## A\n\n0 1 * * * /a\n").data == b"## A\n0 1 * * * /a\n"
    kept = b"## A\n\n\n0 1 * * * /a\n"
    assert take(kept).data == kept
    kept = b"# A\n\n0 1 * * * /a\n"
    assert take(kept).data == kept
    kept = b"## A\n0 1 * * * /a\n\n0 2 * * * /b\n"
    assert take(kept).data == kept


def test_debians_header_does_not_come_along():
    data = (DATA / "crontabs/16_debian_header.crontab").read_bytes()
    report = take(data)
    assert report.data == b"".join(data.splitlines(keepends=True)[3:])
    assert report.lines[0].line == 5


@pytest.mark.parametrize(
    ("line", "repairs"),
    [
        (b"0 1 * * * /a\r", ("crlf",)),
        (b"\xef\xbb\xbf0 1 * * * /a", ("bom",)),
        (b"$ 0 1 * * * /a", ("shell_prompt",)),
        (b"[root@host ~]# 0 1 * * * /a", ("shell_prompt",)),
        (b"user@host:~$ echo '0 1 * * * /a", None),
        (b"0 1 * * */a", ("glued_command",)),
        (
            b"0 3 * */usr/local/mgr5/sbin/billmaintain --command x",
            ("glued_command", "missing_field_in_line"),
        ),
        (b"0 3 */usr/local/mgr5/sbin/billmaintain --command x", None),
        (b"0 3/usr/local/mgr5/sbin/billmaintain --command x", None),
        (b"0\xc2\xa01\xe2\x80\xaf* * * /a", ("no_break_space",)),
        (b"0 0 1 * * * /a", ("six_fields",)),
    ],
)
def test_known_slips_of_a_table_are_repaired(line, repairs):
    report = take(line + b"\n0 7 * * * /good\n", fix=True)
    told = report.lines[0]
    if repairs is None:
        assert told.verdict == REFUSED
        return
    assert (told.verdict, told.repairs) == (REPAIRED, repairs)
    assert told.entry == told.fix.encode()
    assert len(Crontab.parse(report.data).entries) == 2
    assert take(line + b"\n0 7 * * * /good\n").data == b"0 7 * * * /good\n"


def test_entries_in_lists_of_a_document_are_found():
    prose = b"Some words about jobs.\n\nMore words here.\nAnd more.\nAnd yet more.\n"
    report = take(prose + b"- `0 1 * * * /bin/a`\n  \xe2\x80\xa2 5 1 * * * /bin/b\n", fix=True)
    assert report.is_document
    assert report.data == b"0 1 * * * /bin/a\n\n5 1 * * * /bin/b\n"
    assert [line.repairs for line in report.lines] == [("list_mark",)] * 2


@pytest.mark.parametrize("data", [b"", b"nothing here\n", b"\n\n", bytes(range(256))])
def test_where_nothing_is_found_there_is_nothing_to_install(data):
    report = take(data, fix=True)
    assert report.found == 0
    assert not Crontab.parse(report.data).entries


def test_windows_line_ends_and_marks_of_a_table_go_with_fix():
    data = b"\xef\xbb\xbf# top\r\nMAILTO=\r\n\r\n## A\r\n0 1 * * * /a\r\n"
    assert take(data, fix=True).data == b"# top\nMAILTO=\n\n## A\n0 1 * * * /a\n"
    data = b"CRON_TZ=Mars/Base\n\xef\xbb\xbfA=1\n0 1 * * * /a\n"
    report = take(data, fix=True)
    assert report.lines[0].verdict == REFUSED
    assert Crontab.parse(report.data).entries[0].command == b"/a"


def test_examples_are_told_from_entries():
    prose = b"One line.\nTwo lines.\nThree lines.\nFour lines.\nFive lines.\n"
    lines = b"@daily \xe2\x80\x94 each day\n99 99 99 99 99 - never\n0 0 ? x y - some words\n"
    report = take(prose + lines)
    assert [(line.verdict, line.line) for line in report.lines] == [
        (NOTED, 6),
        (NOTED, 7),
        (REFUSED, 8),
    ]
    assert report.data == b""


def test_a_system_table_keeps_its_users():
    report = take(b"0 1 * * * root /a\n0 2 * * * /b\n", fix=True, system=True)
    assert report.data == b"0 1 * * * root /a\n"
    assert report.lines[1].fix == "0 2 * * * root /b"


@given(st.one_of(TEXTS, st.lists(st.sampled_from(ARTICLE.split(b"\n"))).map(b"\n".join)))
def test_any_text_can_be_imported_and_what_comes_out_is_a_good_table(data):
    for fix in (False, True):
        report = take(data, fix=fix)
        table = Crontab.parse(report.data)
        assert not table.errors
        wanted = [line.entry for line in report.lines if line.is_entry and line.entry is not None]
        assert [entry.raw for entry in table.entries] == wanted
