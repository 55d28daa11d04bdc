"""The jobs page: what it says of an entry, of a table that can't be shown, of the daemon."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils.html import escape

from billclock import clock
from billclock.accounts.models import Role
from billclock.scheduler.models import Entry, Outcome, Run, Slot
from tests.web.conftest import beat, ran

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
NOON = datetime(2026, 10, 24, 12, 0, 30, tzinfo=UTC)  # a Saturday

Write = Callable[..., list[Entry]]
SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


def shown(client: Client, path: str = "/") -> str:
    with clock.at(NOON):
        return client.get(path).content.decode()


def cells(client: Client, line: int, path: str = "/") -> str:
    """The text of one row without its markup, one blank between pieces."""
    page = shown(client, path)
    row = page[page.index(">", page.index(f'id="line-{line}"')) + 1 :]
    text, inside = "", False
    for char in row[: row.index('<td class="c-act">')]:
        inside = char == "<" or (inside and char != ">")
        text += " " if inside or char == ">" else char
    return " ".join(text.split())


def test_an_entry_is_shown_in_words_with_its_next_and_last_run(
    table: Write, signed_in: SignIn
) -> None:
    (entry,) = table("## Close invoices\n15 2 * * * /usr/local/mgr5/sbin/billmaintain --x\n")
    ran(entry, datetime(2026, 10, 24, 2, 15, tzinfo=UTC), 81)
    text = cells(signed_in(Role.VIEWER), 2)
    assert "On Close invoices …/ billmaintain --x Every day at 02:15 15 2 * * *" in text
    assert "Tomorrow 02:15 in 14 h 14 min" in text
    assert "succeeded Today 02:15 1 min 21 s" in text


def test_an_entry_without_a_description_goes_by_its_command(
    table: Write, signed_in: SignIn
) -> None:
    table("* * * * * /bin/echo --all >/dev/null 2>&1\n")
    text = cells(signed_in(Role.VIEWER), 1)
    assert text.startswith("On /bin/echo --all Every minute")
    assert "/dev/null" not in text, "that its report is never sent says it"
    assert text.endswith("Never")


def test_a_switched_off_entry_has_no_next_run(table: Write, signed_in: SignIn) -> None:
    table("#0 1 * * * /bin/true\n@reboot /bin/warm\n")
    client = signed_in(Role.VIEWER)
    assert "Off /bin/true Every day at 01:00 0 1 * * * Next run None" in cells(client, 1)
    assert "At start-up" in cells(client, 2)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"outcome": Outcome.FAILED, "exit_code": 3}, "failed Today 11:00 5.0 s · exit code 3"),
        (
            {"outcome": Outcome.TIMED_OUT, "exit_code": None, "signal": 15},
            "timed out Today 11:00 5.0 s · signal 15",
        ),
        (
            {"outcome": "", "exit_code": None, "finished": None},
            "running Today 11:00 for 1 h",
        ),
        (
            {
                "outcome": Outcome.SKIPPED,
                "started": None,
                "finished": None,
                "reason": "overlap: run 7 was still going on",
            },
            "skipped Today 11:00 overlap: run 7 was still going on",
        ),
        ({"outcome": Outcome.LOST, "finished": None, "reason": "gone"}, "lost Today 11:00 gone"),
    ],
)
def test_the_last_run_says_how_it_ended(
    table: Write, signed_in: SignIn, values: dict[str, object], words: str
) -> None:
    (entry,) = table("0 * * * * /bin/true\n")
    ran(entry, datetime(2026, 10, 24, 11, tzinfo=UTC), 5, **values)
    assert words in cells(signed_in(), 1)


def test_missed_moments_are_told_though_nothing_ran(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("0 * * * * /bin/true\n")
    ran(entry, datetime(2026, 10, 24, 8, tzinfo=UTC))
    at = datetime(2026, 10, 24, 11, tzinfo=UTC)
    Slot.objects.create(entry=entry, planned=at, claimed_at=at, outcome=Outcome.MISSED, count=3)
    text = cells(signed_in(), 1)
    assert "missed 3" in text
    assert "missed Today 11:00 3 moments" in text


def test_times_are_in_the_entrys_zone_and_told_in_the_servers(
    table: Write, signed_in: SignIn
) -> None:
    table("# billclock: zone=America/New_York\n0 9 * * * /bin/true\n")
    text = cells(signed_in(), 2)
    assert "0 9 * * * · America/New_York" in text
    assert "Today 13:00 in 59 min" in text


def test_a_mailto_of_nobody_sends_no_report(table: Write, signed_in: SignIn) -> None:
    table('* * * * * /bin/a\nMAILTO=""\n* * * * * /bin/b\n')
    client = signed_in()
    assert cells(client, 1).endswith("Output")
    assert cells(client, 3).endswith("Never")


def test_a_directive_that_is_no_use_is_marked(table: Write, signed_in: SignIn) -> None:
    table("# billclock: timeout=soon\n* * * * * /bin/a\n")
    page = shown(signed_in())
    assert "directive ignored" in page
    assert "timeout=soon: expected a duration" in page


def test_hostile_text_is_text(table: Write, signed_in: SignIn) -> None:
    evil = '"><script>alert(1)</script>'
    table(f"## {evil}\n* * * * * /bin/echo {evil}\n")
    page = shown(signed_in())
    assert "<script>alert" not in page
    assert escape(evil) in page


def test_broken_lines_are_told_beside_the_good_ones(table: Write, signed_in: SignIn) -> None:
    table("5 0 * 0 * /bin/bad\n0 1 * * * /bin/good\n")
    page = shown(signed_in())
    assert "1 line does not run" in page
    assert "line 1: month: 0 is out of range 1-12" in page
    assert "/bin/good" in page


def test_without_a_table_the_page_offers_three_ways_to_begin(signed_in: SignIn) -> None:
    page = shown(signed_in())
    assert "No jobs for root yet" in page
    for words in ("Create job", "Import a crontab you have", "Load the billing set"):
        assert words in page


@pytest.mark.parametrize("what", ["folder", "loop"])
def test_a_table_that_cannot_be_read_says_why(home: Path, signed_in: SignIn, what: str) -> None:
    place = home / "spool" / "root"
    place.mkdir() if what == "folder" else place.symlink_to("root")
    page = shown(signed_in())
    assert "The crontab of root can't be read" in page
    assert str(place) in page
    assert "What mends it" in page


def test_other_tables_are_a_click_away(table: Write, signed_in: SignIn) -> None:
    table("* * * * * /bin/mine\n")
    table("* * * * * /bin/theirs\n", "www-data")
    client = signed_in()
    assert "/bin/theirs" not in shown(client)
    assert 'href="?table=www-data"' in shown(client)
    assert "/bin/theirs" in shown(client, "/?table=www-data")
    assert '<select id="of-whom"' not in shown(client)


def test_of_many_tables_one_is_chosen_from_a_list(table: Write, signed_in: SignIn) -> None:
    for number in range(8):
        table("0 * * * * /bin/mine\n", f"user{number}")
    page = shown(signed_in(), "/timeline?zoom=hour&table=user3")
    assert "<option selected>user3</option>" in page
    assert '<input type="hidden" name="zoom" value="hour">' in page
    assert 'href="?table=user4' not in page


@pytest.mark.parametrize("name", ["nobody", "../root", "/etc/crontab", ""])
def test_a_table_that_is_none_is_not_found(signed_in: SignIn, name: str) -> None:
    assert signed_in().get("/", {"table": name}).status_code == 404


@pytest.mark.parametrize(
    ("age", "stopped", "word"),
    [
        (timedelta(seconds=3), False, "Running"),
        (timedelta(seconds=90), False, "Late by 1 min"),
        (timedelta(minutes=10), False, "Not running"),
        (timedelta(seconds=3), True, "Not running"),
        (timedelta(seconds=-20), False, "Running"),
        (None, False, "Not running"),
    ],
)
def test_the_frame_tells_how_the_daemon_is(
    signed_in: SignIn, age: timedelta | None, stopped: bool, word: str
) -> None:
    if age is not None:
        beat(NOON - age, stopped=stopped)
    page = shown(signed_in())
    assert f"<span>{word}<small>" in page
    assert ("The scheduler is not running" in page) == (word == "Not running")


def test_where_another_cron_runs_the_jobs_the_page_says_so(
    signed_in: SignIn, settings: LazySettings
) -> None:
    settings.RUNS = False
    assert "Another cron runs these jobs" in shown(signed_in())


def test_the_server_time_is_right_without_any_script(signed_in: SignIn) -> None:
    assert '<time datetime="2026-10-24T12:00:30+00:00">12:00:30</time>' in shown(signed_in())


def test_the_hour_shows_what_started_and_what_is_to_come(table: Write, signed_in: SignIn) -> None:
    entry, *_ = table("0,30 * * * * /bin/a\n30 * * * * /bin/b\n#5 * * * * /bin/off\n")
    ran(entry, datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert "This hour, 12:00–12:59: 1 started, 2 to come" in shown(signed_in())


def lines(number: int) -> str:
    return "".join(f"{i % 60} {i % 24} * * * /bin/job {i}\n" for i in range(number))


def test_the_number_of_queries_is_fixed(
    table: Write, signed_in: SignIn, django_assert_num_queries
) -> None:
    client = signed_in()
    counts = []
    for number in (2, 45):
        for entry in table(lines(number)):
            ran(entry, NOON - timedelta(hours=2))
        with django_assert_num_queries(7, using="scheduler"):
            counts.append(shown(client).count("<tr"))
    assert counts == [3, 46]


def test_only_the_last_twenty_runs_are_drawn(table: Write, signed_in: SignIn) -> None:
    (entry,) = table("* * * * * /bin/true\n")
    for minute in range(30):
        outcome = Outcome.FAILED if minute < 10 else Outcome.SUCCEEDED
        ran(entry, NOON - timedelta(minutes=40 - minute), outcome=outcome)
    page = shown(signed_in())
    assert "Last 20: succeeded 20" in page


def test_a_long_table_is_shown_in_pages(table: Write, signed_in: SignIn) -> None:
    table(lines(130))
    client = signed_in()
    assert shown(client).count('id="line-') == 50
    third = shown(client, "/?page=3")
    assert third.count('id="line-') == 30
    assert "101 to 130 of 130" in third
    assert shown(client, "/?page=99").count('id="line-') == 30
    assert shown(client, "/?page=x").count('id="line-') == 50


def test_entries_can_be_told_apart_by_state(table: Write, signed_in: SignIn) -> None:
    table("* * * * * /bin/on\n#* * * * * /bin/off\n")
    client = signed_in()
    assert "/bin/off" not in shown(client, "/?state=on")
    assert "/bin/on" not in shown(client, "/?state=off")


@pytest.mark.long
def test_a_table_of_a_thousand_entries_with_history_is_shown_in_200_ms(
    table: Write, signed_in: SignIn
) -> None:
    runs = []
    for entry in table(lines(1000)):
        for hour in range(24):
            at = NOON - timedelta(hours=hour)
            runs.append(
                Run(entry=entry, planned=at, started=at, finished=at, outcome=Outcome.SUCCEEDED)
            )
    Run.objects.bulk_create(runs)
    client = signed_in()
    shown(client)
    taken = []
    for _ in range(20):
        began = clock.seconds()
        shown(client)
        taken.append(clock.seconds() - began)
    assert sorted(taken)[18] < 0.2
