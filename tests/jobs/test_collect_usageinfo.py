"""collect_usageinfo: each past day is counted once, missed days too."""

from datetime import UTC, date, datetime, timedelta

import pytest

from billclock import clock
from billclock.billing.models import DailyFigure
from billclock.jobs import registry
from billclock.jobs.report import Exit, Report
from billclock.scheduler.models import Entry, Run, Slot

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

NAME = "collect_usageinfo"
EVENING = datetime(2026, 11, 20, 18, 5, tzinfo=UTC)
TODAY = EVENING.date()


@pytest.fixture(autouse=True)
def evening(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with clock.at(EVENING - timedelta(hours=9)):
        yield


def entry(command: str = "/usr/local/mgr5/sbin/billmaintain --command billdaily") -> Entry:
    return Entry.objects.create(
        table="root", digest=command[-30:], command_digest="", expression="* * * * *",
        command=command, first_seen=EVENING,
    )  # fmt: skip


def ran(of: Entry, started: datetime, outcome: str = "succeeded", seconds: float = 1.5) -> None:
    finished = started + timedelta(seconds=seconds) if outcome else None
    Run.objects.create(entry=of, started=started, finished=finished, outcome=outcome)


def collect(on: date = TODAY, **how) -> Report:
    return registry.perform(NAME, on=on, **how)


def figures(metric: str, day: date) -> dict[str, int]:
    rows = DailyFigure.objects.filter(metric=metric, day=day)
    return {row.key: row.value for row in rows}


def tokyo(day: int, hour: int) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC) - timedelta(hours=9)


def test_runs_are_counted_by_job_and_outcome_for_the_servers_day():
    billing, other = entry(), entry("/opt/backup --all")
    ran(billing, tokyo(18, 23))
    ran(billing, tokyo(19, 0))
    ran(billing, tokyo(19, 23), "failed", 0.25)
    ran(other, tokyo(19, 12))
    ran(other, tokyo(20, 0))
    assert collect().exit_code == Exit.DONE
    nineteenth = date(2026, 11, 19)
    assert figures("runs", nineteenth) == {
        "billdaily: succeeded": 1,
        "billdaily: failed": 1,
        "/opt/backup --all: succeeded": 1,
        "": 3,
    }
    assert figures("milliseconds", nineteenth) == {
        "billdaily": 1750,
        "/opt/backup --all": 1500,
        "": 3250,
    }
    assert figures("runs", date(2026, 11, 18)) == {"billdaily: succeeded": 1, "": 1}


def test_missed_and_skipped_moments_are_counted():
    of = entry()
    Slot.objects.create(
        entry=of, planned=tokyo(19, 5), claimed_at=EVENING, outcome="missed", count=3
    )
    Slot.objects.create(entry=of, planned=tokyo(19, 6), claimed_at=EVENING, outcome="skipped")
    Slot.objects.create(entry=of, planned=tokyo(19, 7), claimed_at=EVENING, outcome="succeeded")
    collect()
    assert figures("unstarted", date(2026, 11, 19)) == {
        "billdaily: missed": 3,
        "billdaily: skipped": 1,
        "": 4,
    }


def test_days_that_were_missed_are_filled_and_empty_ones_marked():
    of = entry()
    ran(of, tokyo(10, 12))
    collect(on=date(2026, 11, 12))
    ran(of, tokyo(15, 12))
    report = collect()
    days = set(DailyFigure.objects.counted("runs").values_list("day", flat=True))
    assert days == {date(2026, 11, day) for day in range(10, 20)}
    assert figures("runs", date(2026, 11, 14)) == {"": 0}
    assert figures("runs", date(2026, 11, 15)) == {"billdaily: succeeded": 1, "": 1}
    assert report.exit_code == Exit.DONE


def test_a_counted_day_is_not_counted_again():
    of = entry()
    ran(of, tokyo(19, 12))
    collect()
    before = list(DailyFigure.objects.values())
    ran(of, tokyo(19, 13))
    assert collect().done == 0
    assert list(DailyFigure.objects.values()) == before


def test_a_day_that_is_not_over_is_not_counted():
    ran(entry(), tokyo(20, 1))
    collect(on=date(2026, 12, 24))
    assert not DailyFigure.objects.filter(day__gte=TODAY, metric="runs").exists()


def test_a_day_cut_off_while_it_was_written_is_written_whole_by_the_next_run():
    ran(entry(), tokyo(19, 12))
    collect()
    DailyFigure.objects.filter(metric="milliseconds").delete()
    collect()
    assert figures("milliseconds", date(2026, 11, 19)) == {"billdaily": 1500, "": 1500}


def test_sizes_are_measured_today_alone():
    collect()
    assert {"", "runs"} <= figures("bytes", TODAY).keys()
    assert len(figures("bytes", TODAY)) == 4
    assert not DailyFigure.objects.filter(metric="bytes").exclude(day=TODAY).exists()


def test_a_dry_run_records_nothing():
    ran(entry(), tokyo(19, 12))
    report = collect(dry_run=True)
    assert "2026-11-19: runs would be recorded: 1 in 1 figures" in report.text()
    assert not DailyFigure.objects.exists()


def test_a_days_figures_are_explained():
    ran(entry(), tokyo(19, 12))
    collect()
    assert "2026-11-19 runs billdaily: succeeded: 1" in collect(explain="2026-11-19").text()
    assert "nothing was counted" in collect(explain="2020-01-01").text()
    assert collect(explain="yesterday").exit_code == Exit.FAILED
