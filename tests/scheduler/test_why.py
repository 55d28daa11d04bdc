"""Why an entry did not run at a moment: each reason is found, and the step it stopped at."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings

from billclock import clock
from billclock.cron import Expression
from billclock.scheduler import why
from billclock.scheduler.evidence import gather
from billclock.scheduler.models import Beat, Entry, Outcome, Pause, Run, Slot, Table, Trigger
from billclock.scheduler.table import Table as OnDisk
from billclock.scheduler.tables import Tables
from billclock.scheduler.why import Cause, Question, Verdict, judge

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
BERLIN = ZoneInfo("Europe/Berlin")
WRITTEN = datetime(2026, 10, 20, 8, 0, tzinfo=UTC)
NOW = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
PLANNED = datetime(2026, 10, 23, 18, 5, tzinfo=UTC)  # a Friday


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture
def table(tmp_path: Path, settings: LazySettings) -> Callable[..., OnDisk]:
    """Write a crontab as it was at a moment, and let it be read then."""
    settings.HOME, settings.SPOOL = tmp_path, tmp_path / "spool"
    settings.SPOOL.mkdir()

    def write(text: str, at: datetime = WRITTEN) -> OnDisk:
        (settings.SPOOL / "root").write_text(text, encoding="utf-8")
        with clock.at(at):
            found = Tables().table("root")
            found.load()
        return found

    return write


@pytest.fixture
def daily(table: Callable[..., OnDisk]) -> Entry:
    table("5 18 * * * /bin/collect\n")
    served(NOW)
    return Entry.objects.get()


def served(until: datetime) -> None:
    values = {"pid": 1, "at": until, "served": until, "boot": "b", "offset": 0.0}
    Beat.objects.update_or_create(host="test", defaults=values)


def settle(entry: Entry, outcome: str, reason: str = "", planned: datetime = PLANNED) -> Slot:
    return Slot.objects.create(
        entry=entry, planned=planned, claimed_at=planned, outcome=outcome, reason=reason
    )


def ask(entry: Entry, moment: datetime = PLANNED, now: datetime = NOW) -> why.Answer:
    with clock.at(now):
        return judge(gather(entry, moment))


def verdicts(answer: why.Answer) -> dict[Question, Verdict]:
    return dict(answer.steps)


def stopped_at(answer: why.Answer) -> Question | None:
    """The one step that says no, of those to a start."""
    no = [q for q, verdict in answer.steps if verdict is Verdict.NO and q is not Question.MADE_UP]
    assert len(no) <= 1
    return no[0] if no else None


def test_a_moment_that_was_served_ran(daily: Entry) -> None:
    slot = settle(daily, Outcome.FAILED)
    run = Run.objects.create(
        entry=daily, slot=slot, planned=PLANNED, started=PLANNED, outcome=Outcome.FAILED
    )
    answer = ask(daily)
    assert (answer.cause, answer.run and answer.run.run) == (Cause.RAN, run.pk)
    assert set(verdicts(answer).values()) == {Verdict.YES}


def test_a_run_by_hand_within_the_minute_counts_as_one(daily: Entry) -> None:
    started = PLANNED + timedelta(hours=1, seconds=30)
    Run.objects.create(entry=daily, started=started, trigger=Trigger.MANUAL, outcome="succeeded")
    assert ask(daily, PLANNED + timedelta(hours=1)).cause is Cause.RAN


def test_a_pause_is_the_reason_and_is_named(daily: Entry) -> None:
    settle(daily, Outcome.SKIPPED, "paused (all jobs)")
    Pause.objects.create(
        since=PLANNED - timedelta(minutes=5), until=PLANNED + timedelta(minutes=15), actor="anna"
    )
    answer = ask(daily)
    assert answer.cause is Cause.PAUSED
    assert answer.pause is not None
    assert answer.pause.actor == "anna"
    assert stopped_at(answer) is Question.FREE
    assert verdicts(answer)[Question.THERE] is Verdict.YES
    assert verdicts(answer)[Question.MADE_UP] is Verdict.NO


@pytest.mark.parametrize("scope", ["tag:night", "entry:{key}"])
def test_a_pause_of_a_tag_or_of_the_entry_alone_counts(
    table: Callable[..., OnDisk], scope: str
) -> None:
    table("# billclock: tags=night\n5 18 * * * /bin/collect\n")
    entry = Entry.objects.get()
    settle(entry, Outcome.SKIPPED)
    Pause.objects.create(
        scope=scope.format(key=entry.pk), since=PLANNED - timedelta(days=1), actor="anna"
    )
    Pause.objects.create(scope="tag:other", since=PLANNED - timedelta(days=2), actor="bob")
    answer = ask(entry)
    assert answer.cause is Cause.PAUSED
    assert answer.pause is not None
    assert answer.pause.actor == "anna"


def test_an_overlap_names_the_run_in_the_way(daily: Entry) -> None:
    settle(daily, Outcome.SKIPPED, "overlap")
    begun = PLANNED - timedelta(hours=24)
    before = Run.objects.create(
        entry=daily, planned=begun, started=begun, finished=PLANNED + timedelta(minutes=1),
        outcome=Outcome.SUCCEEDED,
    )  # fmt: skip
    answer = ask(daily)
    assert (answer.cause, answer.run and answer.run.run) == (Cause.OVERLAP, before.pk)
    assert stopped_at(answer) is Question.FREE


def test_missed_moments_told_as_one_row_are_found_in_its_middle(daily: Entry) -> None:
    last = settle(daily, Outcome.MISSED, "asleep", PLANNED + timedelta(days=1))
    last.first_planned, last.count = PLANNED - timedelta(days=1), 3
    last.save()
    answer = ask(daily, now=NOW + timedelta(days=2))
    assert answer.cause is Cause.MISSED
    assert stopped_at(answer) is Question.THERE


def test_a_run_that_caught_up_makes_up_for_it(daily: Entry) -> None:
    slot = settle(daily, Outcome.MISSED, "the scheduler was not running")
    Run.objects.create(
        entry=daily, slot=slot, planned=PLANNED, started=PLANNED + timedelta(hours=2),
        outcome=Outcome.SUCCEEDED, trigger=Trigger.CATCH_UP,
    )  # fmt: skip
    answer = ask(daily)
    assert answer.cause is Cause.MISSED
    assert verdicts(answer)[Question.MADE_UP] is Verdict.YES


def test_a_command_that_could_not_be_started_says_so(daily: Entry) -> None:
    slot = settle(daily, Outcome.FAILED, "no user collect")
    Run.objects.create(entry=daily, slot=slot, planned=PLANNED, outcome=Outcome.FAILED)
    assert ask(daily).cause is Cause.REFUSED


def test_what_the_schedule_did_not_ask_for_shows_the_field_and_the_moments_around(
    daily: Entry,
) -> None:
    answer = ask(daily, PLANNED + timedelta(hours=1))
    assert answer.cause is Cause.FIELDS
    assert stopped_at(answer) is Question.FITS
    assert [(field.name, field.value, field.text) for field in answer.fields if not field.fits] == [
        ("hour", 19, "18")
    ]
    assert (answer.before, answer.after) == (PLANNED, PLANNED + timedelta(days=1))


def test_of_two_day_fields_one_that_fits_is_enough() -> None:
    expression = Expression.parse("0 0 13 * fri")
    fields = why.fields(expression, datetime(2026, 11, 27, tzinfo=UTC))
    assert [(field.fits, field.needless) for field in fields] == [
        (True, False),
        (True, False),
        (False, True),
        (True, False),
        (True, False),
    ]
    neither = why.fields(expression, datetime(2026, 11, 26, tzinfo=UTC))
    assert [field.needless for field in neither] == [False] * 5


def test_an_entry_that_was_switched_off_then_and_is_on_now(table: Callable[..., OnDisk]) -> None:
    table("#5 18 * * * /bin/collect\n")
    table("5 18 * * * /bin/collect\n", PLANNED + timedelta(hours=2))
    served(NOW)
    answer = ask(Entry.objects.get())
    assert answer.cause is Cause.OFF
    assert stopped_at(answer) is Question.ON


def test_the_schedule_of_that_time_counts_and_not_that_of_today(
    table: Callable[..., OnDisk],
) -> None:
    table("0 3 * * * /bin/collect\n")
    table("5 18 * * * /bin/collect\n", PLANNED + timedelta(hours=2))
    served(NOW)
    with clock.at(NOW):
        evidence = gather(Entry.objects.get(), PLANNED)
    assert evidence.text is not None
    assert (str(evidence.text.expression), evidence.text.version) == ("0 3 * * *", 1)
    assert judge(evidence).cause is Cause.FIELDS


def test_an_entry_that_was_not_yet_in_the_table(table: Callable[..., OnDisk]) -> None:
    table("0 0 * * * /bin/other\n")
    table("0 0 * * * /bin/other\n5 18 * * * /bin/collect\n", PLANNED + timedelta(hours=2))
    entry = Entry.objects.get(command="/bin/collect")
    assert ask(entry).cause is Cause.ABSENT
    assert ask(entry, WRITTEN - timedelta(days=1)).cause is Cause.NO_TEXT


@pytest.mark.parametrize(
    ("until", "cause"),
    [(None, Cause.DOWN), (PLANNED - timedelta(hours=1), Cause.DOWN), (NOW, Cause.NOT_KEPT)],
)
def test_a_moment_without_a_row_depends_on_how_far_the_scheduler_came(
    table: Callable[..., OnDisk], until: datetime | None, cause: Cause
) -> None:
    table("5 18 * * * /bin/collect\n")
    if until:
        served(until)
    assert ask(Entry.objects.get()).cause is cause


def test_a_moment_to_come_is_no_failure(daily: Entry) -> None:
    answer = ask(daily, PLANNED + timedelta(days=2))
    assert answer.cause is Cause.COMING
    assert stopped_at(answer) is None


def test_tables_that_another_cron_runs(daily: Entry, settings: LazySettings) -> None:
    settings.RUNS = False
    assert ask(daily).cause is Cause.ELSEWHERE


def test_a_table_that_is_ignored(daily: Entry) -> None:
    Table.objects.update(problem="root is ignored, it is writable by others")
    answer = ask(daily)
    assert answer.cause is Cause.IGNORED
    assert stopped_at(answer) is Question.READ


def test_at_start_up_there_is_no_moment(table: Callable[..., OnDisk]) -> None:
    table("@reboot /bin/warm\n")
    answer = ask(Entry.objects.get())
    assert (answer.cause, answer.fields, answer.after) == (Cause.REBOOT, [], None)


def test_a_time_that_the_clocks_jumped_over_leads_to_the_run_in_its_place(
    table: Callable[..., OnDisk],
) -> None:
    table("# billclock: zone=Europe/Berlin\n30 2 * * * /bin/close\n")
    entry = Entry.objects.get()
    answer = judge(
        why.Evidence(
            moment=datetime(2027, 3, 28, 2, 30, tzinfo=BERLIN),
            now=NOW,
            text=why.Text(1, "", WRITTEN, 2, True, Expression.parse(entry.expression)),
        )
    )
    assert answer.cause is Cause.SKIPPED_HOUR
    assert answer.instead == datetime(2027, 3, 28, 3, 0, tzinfo=BERLIN)
    assert ask(entry, datetime(2027, 3, 28, 1, 0, tzinfo=UTC)).cause is Cause.COMING, "03:00 it is"


def test_the_second_pass_of_a_repeated_hour_leads_to_the_first(
    table: Callable[..., OnDisk],
) -> None:
    table("# billclock: zone=Europe/Berlin\n30 2 * * * /bin/close\n*/5 * * * * /bin/often\n")
    fixed, often = Entry.objects.order_by("line")
    second = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)
    answer = ask(fixed, second)
    assert answer.cause is Cause.REPEATED_HOUR
    assert answer.instead is not None
    assert answer.instead.astimezone(UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert ask(often, second).cause is Cause.COMING


def test_a_claim_that_has_not_begun_is_waiting(daily: Entry) -> None:
    settle(daily, "")
    Run.objects.create(entry=daily, planned=PLANNED)
    answer = ask(daily, now=PLANNED + timedelta(seconds=1))
    assert answer.cause is Cause.WAITING
    assert stopped_at(answer) is None


def test_the_number_of_queries_is_fixed(
    daily: Entry, django_assert_num_queries: Callable[..., object]
) -> None:
    settle(daily, Outcome.MISSED)
    for hours in range(30):
        at = PLANNED - timedelta(hours=hours)
        Run.objects.create(entry=daily, planned=at, started=at, finished=at, outcome="succeeded")
    with django_assert_num_queries(7, using="scheduler"):  # type: ignore[operator]
        ask(daily)
