"""What watches from outside is told: whether the scheduler lives, and figures for Prometheus."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from billclock import clock
from billclock.scheduler.models import Entry, Outcome, Slot
from tests.web.conftest import beat, ran

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])
NOW = datetime(2026, 10, 24, 12, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "status", "code"),
    [
        (1, "running", 200),
        (100, "late", 200),
        (1000, "not running", 503),
        (None, "not running", 503),
    ],
)
def test_health_is_the_status_and_the_last_ticks_age_and_nothing_else(
    age: float | None, status: str, code: int
) -> None:
    if age is not None:
        beat(NOW - timedelta(seconds=age))
    with clock.at(NOW):
        answer = Client().get("/healthz")
    assert answer.status_code == code
    assert answer.json() == {"status": status, "last_tick_age": age}


Sample = tuple[str, frozenset[tuple[str, str]]]


def figures(client: Client | None = None, **how: object) -> dict[Sample, float]:
    with clock.at(NOW):
        answer = (client or Client()).get("/metrics", **how)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def labels(**named: str) -> frozenset[tuple[str, str]]:
    return frozenset(named.items())


@pytest.fixture
def entry(table: Callable[..., list[Entry]]) -> Entry:
    return table("## Daily billing\n* * * * * /bin/bill\n")[0]


def test_starts_outcomes_and_lengths_of_this_hour(entry: Entry) -> None:
    ran(entry, NOW - timedelta(minutes=5), 3)
    ran(entry, NOW - timedelta(minutes=4), 0.3, outcome=Outcome.FAILED, exit_code=1)
    ran(entry, NOW - timedelta(minutes=50), 30 * 60)  # began before the hour, ended in it
    ran(entry, NOW - timedelta(minutes=50), 1)  # was over before it
    got = figures()
    assert got["billclock_starts_total", labels(trigger="schedule")] == 2
    assert got["billclock_outcomes_total", labels(outcome="succeeded")] == 2
    assert got["billclock_outcomes_total", labels(outcome="failed")] == 1
    assert got["billclock_run_duration_seconds_bucket", labels(le="0.5")] == 1
    assert got["billclock_run_duration_seconds_bucket", labels(le="5.0")] == 2
    assert got["billclock_run_duration_seconds_count", labels()] == 3
    assert got["billclock_run_duration_seconds_sum", labels()] == pytest.approx(1803.3)
    assert got["billclock_start_lateness_seconds_bucket", labels(le="0.01")] == 2


def test_moments_without_a_start_are_counted_once(entry: Entry) -> None:
    at = NOW - timedelta(minutes=10)
    Slot.objects.create(entry=entry, planned=at, claimed_at=at, outcome=Outcome.MISSED)
    skipped = Slot.objects.create(
        entry=entry, planned=at + timedelta(minutes=1), claimed_at=at, outcome=Outcome.SKIPPED
    )
    ran(entry, at, outcome=Outcome.SKIPPED, started=None, finished=None, slot=skipped)
    got = figures()
    assert got["billclock_outcomes_total", labels(outcome="missed")] == 1
    assert got["billclock_outcomes_total", labels(outcome="skipped")] == 1


def test_what_runs_and_what_succeeded_last_by_job(entry: Entry) -> None:
    ran(entry, NOW - timedelta(days=3), 2)
    ran(entry, NOW, outcome="", finished=None)
    got = figures()
    job = labels(table="root", entry=str(entry.pk), job="Daily billing")
    assert got["billclock_running", job] == 1
    ended = NOW - timedelta(days=3) + timedelta(seconds=2.01)
    assert got["billclock_last_success_timestamp_seconds", job] == ended.timestamp()


def test_the_daemons_age() -> None:
    beat(NOW - timedelta(seconds=7))
    assert figures()["billclock_last_tick_age_seconds", labels(host="test")] == 7


@pytest.mark.parametrize(
    "how",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": "127.0.0.1", "headers": {"x-forwarded-for": "192.0.2.7"}},
        {"REMOTE_ADDR": "192.0.2.7", "headers": {"authorization": "Bearer wrong"}},
        {"REMOTE_ADDR": "192.0.2.7", "headers": {"authorization": "Bearer "}},
        {"REMOTE_ADDR": "192.0.2.7", "headers": {"authorization": "Basic the key"}},
    ],
)
def test_metrics_are_not_open_to_others(how: dict[str, object], settings: LazySettings) -> None:
    assert Client().get("/metrics", **how).status_code == 403, "no key is set"
    settings.METRICS_KEY = "the key"
    assert Client().get("/metrics", **how).status_code == 403


def test_metrics_open_to_the_key_and_to_this_machine(settings: LazySettings) -> None:
    settings.METRICS_KEY = "the key"
    figures(REMOTE_ADDR="192.0.2.7", headers={"authorization": "Bearer the key"})
    figures(REMOTE_ADDR="::1")


def test_the_number_of_queries_is_fixed(
    table: Callable[..., list[Entry]], django_assert_num_queries
) -> None:
    for number in (1, 30):
        for entry in table("".join(f"{n} 1 * * * /bin/job {n}\n" for n in range(number))):
            ran(entry, NOW - timedelta(minutes=5))
        with django_assert_num_queries(6, using="scheduler"):
            figures()
