"""S4: the clock is set, the machine sleeps, the daemon is away: no replay, and all is told."""

from datetime import UTC, datetime, timedelta

import pytest

from billclock import clock
from billclock.scheduler import hands
from billclock.scheduler.daemon import Daemon
from billclock.scheduler.models import Beat, Incident, Run, Slot
from tests.scheduler.test_loop import Theatre

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
BOOT = 5000.0
MINUTE = timedelta(minutes=1)
TABLE = "* * * * * /bin/minutely\n# billclock: catch-up=once\n*/10 * * * * /bin/billing\n"


class FreeLead:
    """Leadership without a rival."""

    def acquire(self):
        return True

    def release(self):
        pass


class House:
    """A daemon on a table of its own, and a clock and a machine that the test moves apart."""

    def __init__(self, folder, settings, table=TABLE):
        settings.HOME = folder
        settings.SPOOL = folder / "spool"
        settings.SPOOL.mkdir()
        (settings.SPOOL / "root").write_text(table)
        self.now, self.count = NOON, BOOT
        self.begin()

    def begin(self):
        self.theatre = Theatre()
        self.theatre.due_in = lambda: None
        with clock.at(self.now, since_boot=self.count):
            self.daemon = Daemon(self.theatre, leadership=FreeLead())
            self.daemon.begin()

    def pass_time(self, passed):
        """Let time pass for clock and machine alike, as sleep and stops do."""
        self.now += passed
        self.count += passed.total_seconds()
        self.turn()

    def set_clock(self, by):
        """Set the clock; the machine's own count goes on."""
        self.now += by
        self.turn()

    def turn(self):
        with clock.at(self.now, since_boot=self.count):
            self.daemon.turn()
            self.daemon.loop.records.flush()

    def minutes(self, number):
        """Let single minutes pass, each run ending before the next."""
        for _ in range(number):
            self.pass_time(MINUTE)
            for run in list(self.daemon.loop.attempts.running):
                self.theatre.end(run)

    def finish(self):
        for run in list(self.daemon.loop.attempts.running):
            self.theatre.end(run)
        self.turn()


@pytest.fixture
def house(tmp_path, settings):
    return House(tmp_path, settings)


def each_moment_has_one_slot():
    rows = list(Slot.objects.values_list("entry_id", "planned", "era"))
    assert len(rows) == len(set(rows))


def test_time_that_passes_evenly_is_no_step(house):
    house.minutes(15)
    assert Run.objects.filter(started__isnull=False).count() == 15 + 1
    assert not Incident.objects.exists()


@pytest.mark.parametrize(
    "step",
    [
        timedelta(minutes=1), timedelta(minutes=4), timedelta(hours=1), timedelta(days=1),
        timedelta(days=30), timedelta(days=365), timedelta(days=3653),
    ],
    ids=str,
)  # fmt: skip
def test_a_clock_set_forward_misses_what_it_passed_and_catches_up_once(house, step):
    house.minutes(3)
    house.finish()
    before = len(house.theatre.started)
    house.set_clock(step)
    catch_ups = Run.objects.filter(trigger="catch-up", started__isnull=False).count()
    assert catch_ups <= 1
    assert len(house.theatre.started) - before == catch_ups
    assert Slot.objects.filter(outcome="missed", reason="the clock was set forward").exists()
    assert Incident.objects.filter(kind="clock", subject="forward").count() == 1
    house.finish()
    house.minutes(2)
    assert len(house.theatre.started) - before - catch_ups in (2, 3)
    each_moment_has_one_slot()


@pytest.mark.parametrize(
    "step",
    [timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(days=3653)],
    ids=str,
)
def test_a_clock_set_back_starts_no_moment_twice(house, step):
    house.minutes(12)
    house.finish()
    started = set(Run.objects.filter(started__isnull=False).values_list("entry", "planned"))
    house.set_clock(-step)
    house.minutes(5)
    house.finish()
    rows = list(Run.objects.filter(started__isnull=False).values_list("entry", "planned"))
    assert len(rows) == len(set(rows))
    assert started <= set(rows)
    assert Incident.objects.filter(kind="clock", subject="back").count() == 1
    each_moment_has_one_slot()


def test_a_clock_set_back_waits_and_goes_on(house):
    house.minutes(3)
    house.finish()
    house.set_clock(-2 * MINUTE)
    began = len(house.theatre.started)
    house.minutes(2)
    assert len(house.theatre.started) == began
    house.minutes(2)
    assert len(house.theatre.started) == began + 2


def test_entries_can_be_made_to_follow_the_clock_that_was_set_back(house):
    house.minutes(10)
    house.finish()
    began = len(house.theatre.started)
    house.set_clock(-timedelta(minutes=9))
    with clock.at(house.now, since_boot=house.count):
        assert hands.answer(house.daemon, {"do": "follow-clock"})["ok"]
    house.minutes(3)
    assert len(house.theatre.started) == began + 3


@pytest.mark.parametrize(("asked", "trigger"), [({}, "manual"), ({"api": True}, "api")])
def test_a_run_says_whether_a_person_or_a_program_asked_for_it(house, asked, trigger):
    house.minutes(1)
    house.finish()
    with clock.at(house.now, since_boot=house.count):
        wanted = {"do": "run-now", "entry": Run.objects.latest("pk").entry_id, **asked}
        answer = hands.answer(house.daemon, wanted)
    assert Run.objects.get(pk=answer["run"]).trigger == trigger


def test_sleep_serves_what_is_young_and_tells_the_rest(house):
    house.minutes(1)
    house.finish()
    house.pass_time(timedelta(hours=8))
    # of the last five minutes the first moment starts, the others overlap with it; billing caught
    # up or served late, never both
    assert len(house.theatre.started) == 1 + 2
    missed = Slot.objects.filter(outcome="missed")
    assert {row.reason for row in missed} == {"the machine or the scheduler was asleep"}
    assert sum(row.count for row in missed) > 480
    assert Incident.objects.filter(kind="missed").count() == 1


def test_thirty_days_of_downtime_are_two_rows_and_one_run(house, settings):
    house.minutes(1)
    house.finish()
    with clock.at(house.now, since_boot=house.count):
        house.daemon.end()
    runs = Run.objects.count()
    house.now += timedelta(days=30)
    house.begin()
    house.turn()
    late = Slot.objects.filter(planned__gt=house.now - timedelta(seconds=settings.SERVE_LATE))
    missed = Slot.objects.filter(outcome="missed", count__gt=1)
    assert missed.count() == 2
    assert sum(row.count for row in missed) in range(43200 + 4320 - 12, 43200 + 4320 + 1)
    assert len(house.theatre.started) == 2
    assert Run.objects.count() - runs == missed.count() + late.count() + Run.objects.filter(
        trigger="catch-up"
    ).count()  # fmt: skip


def test_the_first_start_owes_nothing_of_before(house):
    assert not Slot.objects.exists()
    house.minutes(1)
    assert Slot.objects.count() == 1


def test_reboot_entries_run_once_a_boot(tmp_path, settings):
    house = House(tmp_path, settings, "@reboot /bin/at-boot\n")
    house.finish()
    with clock.at(house.now, since_boot=house.count):
        house.daemon.end()
    house.begin()
    assert Run.objects.count() == 1
    Beat.objects.update(boot="another")
    house.now, house.count = house.now + timedelta(days=1), 60.0
    house.begin()
    assert Run.objects.count() == 2


def test_a_stop_ends_what_runs_and_starts_nothing_that_waited(tmp_path, settings):
    queued = "# billclock: overlap=queue\n* * * * * /bin/slow\n"
    house = House(tmp_path, settings, queued)
    house.pass_time(MINUTE)
    house.pass_time(MINUTE)
    assert len(house.theatre.started) == 1
    with clock.at(house.now, since_boot=house.count):
        house.theatre.due_in = lambda: 0.0
        house.daemon.end()
    assert len(house.theatre.started) == 1
    assert set(Run.objects.values_list("outcome", flat=True)) == {"missed", "stopped"}
    assert not Slot.objects.filter(outcome="").exists()
