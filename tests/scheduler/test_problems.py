"""Problems: each kind is found from what is kept, grouped by its cause, and can be put aside."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from billclock.cron.crontab import Crontab
from billclock.outbox.models import Message, State
from billclock.scheduler import recent
from billclock.scheduler.durations import of
from billclock.scheduler.models import Entry, Incident, Run, Slot, Table, Trigger, Version
from billclock.scheduler.problems import Aside, Group, Kind, Sheet, find, open_ones

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
NOW = datetime(2026, 10, 24, 12, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


def entry(command: str = "/bin/a", table: str = "root", **values: object) -> Entry:
    fields: dict[str, object] = {
        "digest": command, "command_digest": command, "expression": "0 * * * *",
        "first_seen": NOW - timedelta(days=30), **values,
    }  # fmt: skip
    return Entry.objects.create(table=table, command=command, **fields)


def ran(of_entry: Entry, hours_ago: float, outcome: str = "succeeded", **values: object) -> Run:
    at = NOW - hours_ago * HOUR
    fields: dict[str, object] = {
        "planned": at, "started": at, "finished": at + timedelta(seconds=2), "host": "h", **values,
    }  # fmt: skip
    return Run.objects.create(entry=of_entry, outcome=outcome, **fields)


def slot(of_entry: Entry, hours_ago: float, outcome: str, reason: str = "", count: int = 1) -> Slot:
    at = NOW - hours_ago * HOUR
    return Slot.objects.create(
        entry=of_entry, planned=at, claimed_at=at, outcome=outcome, reason=reason, count=count
    )


def groups(*sheets: Sheet, tables: tuple[str, ...] = ("root",)) -> list[Group]:
    return open_ones(find(recent.facts(tables, NOW), sheets, NOW), {}, NOW)


def sheet(text: str, *entries: Entry) -> Sheet:
    crontab = Crontab.parse(text.encode())
    keys = [(line.line, entry.pk) for line, entry in zip(crontab.entries, entries, strict=False)]
    return Sheet("root", crontab, dict(keys))


def kinds(*sheets: Sheet) -> list[Kind]:
    return [group.first.kind for group in groups(*sheets)]


def test_a_job_fails_since_the_first_failure_after_its_last_success() -> None:
    job = entry()
    ran(job, 5, "failed")
    ran(job, 4)
    ran(job, 3, "failed", exit_code=1)
    last = ran(job, 2, "timed out")
    ran(job, 1, "stopped")
    (group,) = groups()
    found = group.first
    assert (found.kind, found.entry, found.run) == (Kind.FAILING, job.pk, last.pk)
    assert (found.count, found.since) == (2, NOW - 3 * HOUR)


def test_a_job_that_ran_well_again_is_no_problem_nor_is_a_test_run() -> None:
    job = entry()
    ran(job, 3, "failed")
    ran(job, 2)
    ran(job, 1, "failed", trigger=Trigger.TEST)
    assert groups() == []


def test_a_test_run_hides_no_failure_of_a_job() -> None:
    job = entry()
    ran(job, 4, "failed", trigger=Trigger.TEST)
    last = ran(job, 3, "failed")
    ran(job, 2, "failed", trigger=Trigger.TEST)
    (group,) = groups()
    assert (group.first.run, group.first.count) == (last.pk, 1)


def test_what_goes_on_or_failed_is_found_without_looking_through_all_runs() -> None:
    # without figures of the tables SQLite plans for few runs as for a million
    job = entry()
    ran(job, 3)
    ran(job, 2, "failed")
    scheduler = connections["scheduler"]
    with CaptureQueriesContext(scheduler) as queries:
        groups()
    looked_up = set()
    for query in queries.captured_queries:
        with scheduler.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            looked_up |= {row[3].replace("U1", "scheduler_run") for row in cursor.fetchall()}
    runs = {step for step in looked_up if re.match(r"(SCAN|SEARCH) scheduler_run\b", step)}
    ways = {re.sub(r".*(USING.*)", r"\1", step) for step in runs}
    assert "USING INDEX run_of_entry (entry_id=?)" not in ways, looked_up
    assert not any("run_by_start" in way for way in ways), looked_up
    assert any("run_unfinished" in way for way in ways), looked_up


def test_jobs_that_are_off_or_gone_or_of_another_table_are_left_out() -> None:
    ran(entry("/bin/off", active=False), 1, "failed")
    ran(entry("/bin/gone", gone_at=NOW), 1, "failed")
    ran(entry("/bin/theirs", "www-data"), 1, "failed")
    assert groups() == []
    assert len(groups(tables=("root", "www-data"))) == 1


def test_failures_of_one_minute_and_code_are_one_group() -> None:
    for name in "abc":
        ran(entry(f"/bin/{name}"), 2, "failed", exit_code=1)
    ran(entry("/bin/d"), 2, "failed", exit_code=2)
    ran(entry("/bin/e"), 1, "failed", exit_code=1)
    assert sorted(len(group.problems) for group in groups()) == [1, 1, 3]


def test_programs_that_are_not_found_are_one_group_at_whatever_hour() -> None:
    for hours in range(1, 4):
        ran(entry(f"/bin/{hours}"), hours, "failed", exit_code=127)
    assert [len(group.problems) for group in groups()] == [3]


def test_what_was_missed_for_one_reason_is_one_group_with_its_number() -> None:
    one, other = entry("/bin/a"), entry("/bin/b")
    slot(one, 3, "missed", "the scheduler was not running", 120)
    slot(other, 3, "missed", "the scheduler was not running", 2)
    slot(other, 30, "missed", "the clock was set forward")
    slot(one, 24 * 8, "missed", "too long ago")
    assert [(len(g.problems), g.count, g.first.reason) for g in groups()] == [
        (2, 122, "the scheduler was not running"),
        (1, 1, "the clock was set forward"),
    ]


def test_what_was_missed_is_over_when_the_job_ran_well_and_a_day_has_passed() -> None:
    old, young = entry("/bin/old"), entry("/bin/young")
    slot(old, 30, "missed")
    slot(young, 3, "missed")
    ran(old, 1)
    ran(young, 1)
    assert [group.first.entry for group in groups()] == [young.pk]


def test_overlaps_and_pauses_are_told_apart() -> None:
    job = entry()
    slot(job, 3, "skipped", "overlap: run 7 was still going on")
    slot(job, 2, "skipped", "overlap: run 8 was still going on")
    slot(job, 1, "skipped", "paused (all jobs)")
    assert [(g.first.kind, g.count) for g in groups()] == [(Kind.SKIPPED, 2), (Kind.PAUSED, 1)]


@pytest.mark.parametrize(
    ("past", "hours", "stuck"),
    [(5, 0.2, False), (5, 0.3, True), (0, 20, False), (0, 25, True)],
)
def test_a_run_is_stuck_when_it_goes_on_far_beyond_the_usual(
    past: int, hours: float, stuck: bool
) -> None:
    job = entry()
    for number in range(past):
        ran(job, 30 + number)
    run = ran(job, hours, "", finished=None)
    assert [(g.first.kind, g.first.run) for g in groups()] == [(Kind.STUCK, run.pk)] * stuck


@pytest.mark.parametrize(
    ("success_hours_ago", "overdue"), [(13, True), (11.5, False), (None, True)]
)
def test_a_job_is_overdue_when_it_has_not_succeeded_in_the_time_expected(
    success_hours_ago: float | None, overdue: bool
) -> None:
    job = entry()
    if success_hours_ago:
        ran(job, success_hours_ago)
    text = sheet("# billclock: expected=2h\n0 0 * * * /bin/a\n", job)
    assert kinds(text) == [Kind.OVERDUE] * overdue


def test_a_job_made_after_its_moment_is_not_overdue() -> None:
    job = entry(first_seen=NOW - HOUR)
    assert kinds(sheet("# billclock: expected=2h\n0 0 * * * /bin/a\n", job)) == []


def test_lines_that_do_not_run_come_with_the_line_that_would() -> None:
    found = groups(sheet("5 0 * 0 * /bin/a\n0 0 30 2 * /bin/b\n"))
    assert [(g.first.kind, g.first.line, g.first.fix) for g in found] == [
        (Kind.BROKEN, 1, "5 0 * 1 * /bin/a"),
        (Kind.NEVER, 2, "0 0 28 2 * /bin/b"),
    ]


def test_the_same_command_in_the_same_minute_is_told_with_the_line_switched_off() -> None:
    jobs = entry("/bin/a"), entry("/bin/a", ordinal=1)
    (group,) = groups(sheet("0 0 * * * /bin/a\n0 0 1 * * /bin/a\n", *jobs))
    found = group.first
    assert (found.kind, found.entry, found.fix) == (
        Kind.DUPLICATE,
        jobs[1].pk,
        "#0 0 1 * * /bin/a",
    )


def test_fixed_times_that_meet_the_next_clock_change_are_one_group() -> None:
    text = (
        "CRON_TZ=Europe/Berlin\n15 2 * * * /bin/a\n0 2 * * 0 /bin/b\n*/5 * * * * /bin/c\n"
        "15 4 * * * /bin/d\n"
    )
    (group,) = groups(sheet(text))
    assert group.first.kind is Kind.CHANGE
    assert {(p.line, p.subject, p.reason) for p in group.problems} == {
        (2, "02:15", "repeated"),
        (3, "02:00", "repeated"),
    }


def test_runs_that_began_late_are_one_group_with_the_worst_of_each_job() -> None:
    one, other = entry("/bin/a"), entry("/bin/b")
    for late in (70, 300, 61):
        ran(one, 2, planned=NOW - 2 * HOUR - timedelta(seconds=late))
    ran(other, 1, planned=NOW - HOUR - timedelta(seconds=5))
    ran(other, 1, planned=NOW - 2 * HOUR, trigger=Trigger.CATCH_UP)
    (group,) = groups()
    assert (group.first.kind, group.first.entry) == (Kind.LATE, one.pk)
    assert (group.count, group.first.seconds) == (3, 300)


def test_a_clock_that_was_set_back_tells_who_waits_until_when() -> None:
    job = entry()
    Incident.objects.create(kind="clock", at=NOW - HOUR, subject="back", text="set back by 2 h")
    Incident.objects.create(kind="clock", at=NOW - HOUR, text="over", over_at=NOW)
    slot(job, -1, "succeeded")
    slot(job, -1.5, "succeeded")
    slot(job, -1 / 3600, "")  # claimed a second ahead
    waiting, clock = groups()
    assert (waiting.first.kind, waiting.first.entry) == (Kind.WAITING, job.pk)
    assert (waiting.first.at, waiting.count) == (NOW + 1.5 * HOUR, 2)
    assert (clock.first.kind, clock.first.reason) == (Kind.CLOCK, "set back by 2 h")


def test_letters_that_do_not_arrive_are_grouped_by_their_reason() -> None:
    for number, (table, state, error) in enumerate(
        [
            ("root", State.QUEUED, "no relay"),
            ("root", State.QUEUED, "no relay"),
            ("root", State.FAILED, "no such mailbox"),
            ("root", State.QUEUED, ""),
            ("www-data", State.FAILED, "no relay"),
        ]
    ):
        Message.objects.create(
            channel="mail", dedupe_key=str(number), group=f"report:{table}", created=NOW,
            next_try=NOW, state=state, last_error=error,
        )  # fmt: skip
    assert {(g.first.kind, g.first.reason, g.count) for g in groups()} == {
        (Kind.MAIL, "no relay", 2),
        (Kind.MAIL, "no such mailbox", 1),
    }


def test_a_table_changed_by_others_is_told_but_not_that_it_was_first_read() -> None:
    for number, author in enumerate(["outside", "anna", "outside"], 1):
        Version.objects.create(
            table="root", number=number, digest=str(number), data=b"", author=author, at=NOW - HOUR
        )
    (group,) = groups()
    assert (group.first.kind, group.first.line, group.count) == (Kind.OUTSIDE, 3, 1)


def test_a_table_that_is_not_run_is_told_with_its_reason() -> None:
    Table.objects.create(name="root", problem="/x/root is ignored, others may write it: chmod 600")
    (group,) = groups()
    assert (group.first.kind, "chmod 600" in group.first.reason) == (Kind.IGNORED, True)


def test_what_is_put_aside_comes_back_at_its_time_or_when_it_happens_anew() -> None:
    job = entry()
    slot(job, 3, "missed", "asleep")
    problems = find(recent.facts(["root"], NOW), (), NOW)
    (key,) = [problem.key for problem in problems]
    asleep = {key: Aside(NOW - HOUR, NOW + HOUR)}
    assert open_ones(problems, asleep, NOW) == []
    assert len(open_ones(problems, asleep, NOW + HOUR)) == 1
    read = {key: Aside(NOW - 2 * HOUR, None)}
    assert open_ones(problems, read, NOW) == []
    slot(job, 1, "missed", "asleep")
    again = find(recent.facts(["root"], NOW), (), NOW)
    assert [g.count for g in open_ones(again, read, NOW)] == [2]


def test_the_number_of_queries_does_not_grow(
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    for number in range(40):
        job = entry(f"/bin/{number}")
        ran(job, 2, "failed")
        ran(job, 1, "", finished=None)
        slot(job, 3, "missed")
    with django_assert_max_num_queries(12, using="scheduler"):  # type: ignore[operator]
        assert sum(len(group.problems) for group in groups()) == 120


def test_the_95th_percentile_is_a_length_that_occurred() -> None:
    assert of([1.0]) == (1.0, 1.0, 1)
    assert of(range(1, 101)).p95 == 95
    assert of([1] * 18 + [50, 100]).p95 == 50
