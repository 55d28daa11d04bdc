"""A database that can't be written for a time: told, tried at a pace, and made up for."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connections

from billclock import clock
from billclock.scheduler import daemon
from billclock.scheduler.models import Mail, Outcome, Run, Slot
from tests.scheduler.test_daemon_time import MINUTE, House

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])


@contextmanager
def refusing_to_write() -> Iterator[None]:
    """Have the scheduler's database refuse every write, as on a full disk."""
    with connections["scheduler"].cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON")
    try:
        yield
    finally:
        with connections["scheduler"].cursor() as cursor:
            cursor.execute("PRAGMA query_only = OFF")


@pytest.fixture
def house(tmp_path, settings):
    return House(tmp_path, settings, "* * * * * /bin/minutely\n")


def told(caplog: pytest.LogCaptureFixture, words: str) -> int:
    return sum(words in record.getMessage() for record in caplog.records)


def rests(house: House) -> float:
    """Give how long the daemon would sleep now."""
    slept: list[float] = []
    house.daemon._sleep = slept.append  # type: ignore[method-assign]
    with clock.at(house.now, since_boot=house.count):
        house.daemon._rest()
    del house.daemon._sleep
    return slept[0]


def test_moments_that_could_not_be_claimed_are_served_late_and_told_once(house, caplog):
    caplog.set_level(logging.INFO, "billclock.scheduler")
    house.minutes(1)
    before = len(house.theatre.started)
    with refusing_to_write():
        for _ in range(40):
            house.pass_time(timedelta(seconds=3))
            assert 0.9 < rests(house) <= 1.0  # not at once, again and again
    assert len(house.theatre.started) == before
    assert told(caplog, "moments can't be claimed, so nothing is started: ") == 1
    assert not told(caplog, "that is over")
    house.pass_time(timedelta(seconds=3))
    assert told(caplog, "nothing is started: that is over") == 1
    started = Run.objects.filter(started__isnull=False, trigger="schedule")
    house.minutes(2)
    assert len(house.theatre.started) >= before + 2
    assert started.count() == len(house.theatre.started)
    assert len(set(Slot.objects.values_list("entry_id", "planned"))) == Slot.objects.count()


def test_moments_that_are_too_late_then_are_missed_for_that_reason(house):
    house.minutes(1)
    with refusing_to_write():
        for _ in range(5 * 20):
            house.pass_time(timedelta(seconds=6))
    house.pass_time(MINUTE)
    (missed,) = Slot.objects.filter(outcome="missed")
    assert missed.reason == "the scheduler's database could not be written"
    assert missed.count > 1


def test_what_happened_meanwhile_is_kept_and_written_when_it_can_be(house, caplog):
    house.pass_time(MINUTE)
    (run,) = house.daemon.loop.attempts.running
    with refusing_to_write():
        house.theatre.end(run, 7)
        for _ in range(20):
            house.pass_time(timedelta(seconds=2))
        assert told(caplog, "it is kept and tried again: ") == 1
    house.pass_time(timedelta(seconds=2))
    row = Run.objects.get(pk=run)
    assert (row.outcome, row.exit_code) == ("failed", 7)


def test_a_table_that_changed_meanwhile_is_taken_over_when_it_can_be(house, settings, caplog):
    house.minutes(1)
    with refusing_to_write():
        (settings.SPOOL / "root").write_text("* * * * * /bin/a\n* * * * * /bin/b\n")
        for _ in range(20):
            house.pass_time(timedelta(seconds=1))
        assert len(house.daemon.roster) == 1
        assert told(caplog, "the table root goes on as it was: ") == 1
    house.pass_time(timedelta(seconds=1))
    assert len(house.daemon.roster) == 2


def test_a_reason_that_is_no_text_keeps_nothing_from_being_written(house):
    """A folder or a shell that a crontab names may be any bytes, and the reason names it."""
    house.pass_time(MINUTE)
    (run,) = house.daemon.loop.attempts.running
    records = house.daemon.loop.records
    records.unstarted(run, Outcome.FAILED, "it can't start in /\udcff", Mail.NONE)
    assert records.flush() is None
    assert Run.objects.get(pk=run).reason == "it can't start in /\ufffd"


def test_a_zone_that_is_none_stops_nobodys_jobs(house, settings):
    """ZoneInfo raises RecursionError of such a name, which nobody awaits of a crontab."""
    house.minutes(1)
    zone = "a/" * 300 + "b"
    (settings.SPOOL / "mallory").write_text(
        f"CRON_TZ={zone}\n* * * * * /bin/a\n# billclock: zone={zone}\n* * * * * /bin/b\n"
    )
    house.minutes(2)
    assert len(house.daemon.roster) == 3  # by the server's clock, as lint says of each


def test_a_table_on_which_reading_itself_fails_stops_nobodys_jobs(
    house, settings, caplog, monkeypatch
):
    """What that may be nobody knows yet: a fault of ours."""
    house.minutes(1)
    real = daemon.jobs

    def failing(snapshot):
        if snapshot.name == "mallory":
            raise RecursionError("too deep")
        return real(snapshot)

    monkeypatch.setattr(daemon, "jobs", failing)
    (settings.SPOOL / "mallory").write_text("* * * * * /bin/a\n")
    before = len(house.theatre.started)
    house.minutes(2)
    assert len(house.theatre.started) > before
    assert told(caplog, "the table mallory goes on as it was: ") == 1
    monkeypatch.undo()
    house.minutes(1)
    assert len(house.daemon.roster) == 2
