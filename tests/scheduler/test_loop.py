"""Every planned moment has exactly one outcome, whatever happens around it."""

from collections import deque
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from billclock import clock
from billclock.cron.crontab import Crontab
from billclock.scheduler import pauses
from billclock.scheduler.executors.base import Ending, Launch, StartError
from billclock.scheduler.loop import Loop
from billclock.scheduler.models import Entry, Run, Slot, Trigger
from billclock.scheduler.roster import Job, Roster

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Theatre:
    """An executor whose runs end when and how the test says."""

    def __init__(self):
        self.started, self.stopped = [], []
        self.endings = deque()
        self.broken = ""

    def submit(self, order):
        if self.broken:
            raise StartError(self.broken)
        self.started.append(order.run)
        return Launch(order.run, 1000 + order.run, 1, clock.now())

    def stop(self, run):
        self.stopped.append(run)
        self.endings.append(Ending(run, clock.now(), signal=15, stopped=True))
        return True

    def end(self, run, code=0, **more):
        self.endings.append(Ending(run, clock.now(), code=code, **more))

    def attend(self):
        ended, self.endings = list(self.endings), deque()
        return ended


class Stage:
    """A loop over a crontab, and a clock that the test moves."""

    def __init__(self, text, at=NOON):
        self.at = at
        self.theatre = Theatre()
        self.roster = Roster(at.timestamp())
        self.loop = Loop(self.roster, self.theatre, host="here")
        self.put(text)

    def put(self, text):
        jobs = []
        for line in Crontab.parse(text).entries:
            row, _ = Entry.objects.get_or_create(
                table="root", command=line.command.decode(), defaults={"first_seen": self.at}
            )
            jobs.append(Job(row.pk, "root", line, UTC, row.era))
        self.roster.replace("root", [job for job in jobs if job.line.active])
        self.entries = [job.entry for job in jobs]

    def tick(self, until=None):
        self.at = until or self.at + MINUTE
        with clock.at(self.at):
            self.loop.tick(self.at)

    def outcomes(self):
        rows = Slot.objects.order_by("planned", "entry").values_list("outcome", flat=True)
        return list(rows)


def test_each_moment_starts_once_and_ends_once():
    stage = Stage(b"* * * * * /bin/true\n")
    for _ in range(3):
        stage.tick()
        stage.theatre.end(stage.theatre.started[-1])
    stage.tick()
    assert len(stage.theatre.started) == 4
    assert stage.outcomes() == ["succeeded", "succeeded", "succeeded", ""]
    run = Run.objects.earliest("id")
    assert (run.planned, run.started) == (NOON + MINUTE, NOON + MINUTE)
    assert (run.exit_code, run.outcome, run.trigger) == (0, "succeeded", "schedule")


def test_two_loops_on_one_database_share_every_moment():
    one, two = Stage(b"* * * * * /bin/true\n"), Stage(b"* * * * * /bin/true\n")
    for _ in range(5):
        one.tick()
        two.tick()
        one.theatre.end(one.theatre.started[-1])
    assert len(one.theatre.started) == 5
    assert two.theatre.started == []
    assert Slot.objects.count() == 5


def test_a_moment_is_skipped_while_the_run_before_it_goes_on():
    stage = Stage(b"* * * * * /bin/true\n")
    stage.tick()
    stage.tick()
    first = stage.theatre.started[0]
    assert stage.outcomes() == ["", "skipped"]
    assert Slot.objects.latest("planned").reason == f"overlap: run {first} was still going on"


def test_overlap_queue_keeps_one():
    stage = Stage(b"# billclock: overlap=queue\n* * * * * /bin/true\n")
    for _ in range(3):
        stage.tick()
    stage.theatre.end(stage.theatre.started[0])
    stage.tick(stage.at + timedelta(seconds=10))
    assert len(stage.theatre.started) == 2
    assert stage.outcomes() == ["succeeded", "", "skipped"]


def test_the_assignments_above_an_entry_say_what_it_does_not():
    stage = Stage(
        b"CRON_OVERLAP=allow\n* * * * * /bin/first\n"
        b"# billclock: overlap=skip\n* * * * * /bin/second\n"
        b"CRON_OVERLAP=\n* * * * * /bin/third\n"
    )
    for _ in range(3):
        stage.tick()
    runs = Run.objects.exclude(outcome="skipped").values_list("entry__command", flat=True)
    assert sorted(runs) == ["/bin/first"] * 3 + ["/bin/second", "/bin/third"]


def test_overlap_allow_starts_side_by_side():
    stage = Stage(b"# billclock: overlap=allow\n* * * * * /bin/true\n")
    for _ in range(3):
        stage.tick()
    assert len(stage.theatre.started) == 3


def test_overlap_replace_stops_the_old_and_starts_the_new():
    stage = Stage(b"# billclock: overlap=replace\n* * * * * /bin/true\n")
    stage.tick()
    stage.tick()
    stage.tick(stage.at + timedelta(seconds=1))
    assert stage.theatre.stopped == stage.theatre.started[:1]
    assert len(stage.theatre.started) == 2
    assert stage.outcomes() == ["stopped", ""]
    assert Slot.objects.earliest("planned").reason == "replaced by the next moment"


def test_a_failed_run_is_tried_again_with_longer_waits():
    stage = Stage(b"# billclock: retries=2 backoff=30s\n0 13 * * * /bin/false\n")
    stage.tick(NOON + timedelta(hours=1))
    times = [stage.at]
    for _ in range(200):
        if stage.theatre.started and Run.objects.filter(outcome="").exists():
            stage.theatre.end(stage.theatre.started[-1], code=1)
        before = len(stage.theatre.started)
        stage.tick(stage.at + timedelta(seconds=1))
        if len(stage.theatre.started) > before:
            times.append(stage.at)
    assert [(b - a).seconds for a, b in pairwise(times)] == [31, 61]
    assert stage.outcomes() == ["failed"]
    assert list(Run.objects.order_by("attempt").values_list("attempt", "trigger")) == [
        (1, Trigger.SCHEDULE),
        (2, Trigger.RETRY),
        (3, Trigger.RETRY),
    ]


def test_a_start_that_fails_is_told():
    stage = Stage(b"* * * * * /bin/true\n")
    stage.theatre.broken = "no more processes: raise the limit"
    stage.tick()
    assert stage.outcomes() == ["failed"]
    assert Run.objects.get().reason == "no more processes: raise the limit"


def test_a_moment_within_five_minutes_is_served_late_and_later_ones_are_missed():
    stage = Stage(b"5 12 * * * /bin/one\n10 12 * * * /bin/two\n")
    with clock.at(NOON + timedelta(minutes=12)):
        stage.loop.tick(NOON + timedelta(minutes=12))
    assert len(stage.theatre.started) == 1
    assert stage.outcomes() == ["missed", ""]


def test_what_passed_is_one_row_an_entry_and_gets_no_run():
    stage = Stage(b"* * * * * /bin/true\n0 0 1 1 * /bin/rare\n")
    month = NOON + timedelta(days=30)
    with clock.at(month):
        missed = stage.loop.bridge(NOON.timestamp(), month.timestamp(), "down")
    slot = Slot.objects.get()
    assert missed == slot.count == 30 * 24 * 60
    assert (slot.first_planned, slot.planned) == (NOON + MINUTE, month)
    assert (slot.outcome, slot.reason) == ("missed", "down")
    assert stage.theatre.started == []


@pytest.mark.parametrize("said", [b"# billclock: catch-up=once", b"CRON_CATCH_UP=once"])
def test_catch_up_once_runs_the_latest_and_only_that(said):
    stage = Stage(said + b"\n0 * * * * /bin/true\n")
    until = NOON + timedelta(hours=30, minutes=30)
    with clock.at(until):
        stage.loop.bridge(NOON.timestamp(), until.timestamp(), "down")
        stage.loop.tick(until)
    assert len(stage.theatre.started) == 1
    run = Run.objects.get(started__isnull=False)
    assert (run.planned, run.trigger) == (NOON + timedelta(hours=30), Trigger.CATCH_UP)
    earlier = Slot.objects.get(outcome="missed")
    assert (earlier.first_planned, earlier.planned, earlier.count) == (
        NOON + timedelta(hours=1),
        NOON + timedelta(hours=29),
        29,
    )


def test_catch_up_is_left_out_where_a_later_moment_is_served_anyway():
    stage = Stage(b"# billclock: catch-up=once\n* * * * * /bin/true\n")
    now = NOON + timedelta(hours=1)
    with clock.at(now):
        cut = (now - timedelta(minutes=5)).timestamp()
        stage.loop.bridge(NOON.timestamp(), cut, "asleep")
        stage.loop.tick(now)
    assert len(stage.theatre.started) == 1
    assert Slot.objects.get(outcome="missed").count == 55


def test_moments_that_have_a_slot_are_not_missed_again():
    stage = Stage(b"* * * * * /bin/true\n")
    for _ in range(5):
        stage.tick()
        stage.theatre.end(stage.theatre.started[-1])
    stage.tick(stage.at + timedelta(seconds=1))
    with clock.at(NOON + timedelta(minutes=10)):
        stage.loop.bridge(NOON.timestamp(), (NOON + 10 * MINUTE).timestamp(), "down")
    assert stage.outcomes() == ["succeeded"] * 5 + ["missed"]
    assert Slot.objects.latest("planned").count == 5


def test_a_clock_set_back_starts_nothing_twice():
    stage = Stage(b"* * * * * /bin/true\n")
    for _ in range(3):
        stage.tick()
        stage.theatre.end(stage.theatre.started[-1])
    stage.at = NOON
    stage.roster.agenda.turn_to(NOON.timestamp())
    for _ in range(4):
        stage.tick()
    assert len(stage.theatre.started) == 4
    assert Slot.objects.count() == 4


def test_a_new_era_follows_a_clock_set_back():
    stage = Stage(b"* * * * * /bin/true\n")
    stage.tick()
    stage.theatre.end(stage.theatre.started[-1])
    Entry.objects.update(era=1)
    stage.put(b"* * * * * /bin/true\n")
    stage.roster.agenda.turn_to(NOON.timestamp())
    stage.tick(NOON + MINUTE)
    assert len(stage.theatre.started) == 2


def test_an_entry_that_goes_just_before_its_time_is_missed():
    stage = Stage(b"* * * * * /bin/true\n")
    with clock.at(NOON):
        stage.loop.prepare((NOON + MINUTE).timestamp())
    stage.put(b"")
    stage.tick()
    assert stage.outcomes() == ["missed"]
    assert stage.theatre.started == []


def test_an_entry_edited_just_before_its_time_runs_as_edited():
    stage = Stage(b"* * * * * /bin/true\n")
    with clock.at(NOON):
        stage.loop.prepare((NOON + MINUTE).timestamp())
    stage.put(b"# billclock: timeout=1m\n* * * * * /bin/true\n")
    stage.tick()
    assert len(stage.theatre.started) == 1


def test_a_pause_skips_and_says_so():
    stage = Stage(b"# billclock: tags=night\n* * * * * /bin/one\n* * * * * /bin/two\n")
    with clock.at(NOON):
        pauses.pause(pauses.scope_of(tag="night"), actor="me", until=NOON + 2 * MINUTE)
        stage.loop.attempts.pauses.load()
    stage.tick()
    assert sorted(stage.outcomes()) == ["", "skipped"]
    stage.theatre.end(stage.theatre.started[0])
    stage.tick()
    assert len(stage.theatre.started) == 3


def test_the_cap_lets_the_rest_wait(settings):
    settings.PARALLEL = 2
    stage = Stage(b"".join(b"* * * * * /bin/job%d\n" % n for n in range(5)))
    stage.tick()
    assert len(stage.theatre.started) == 2
    stage.theatre.end(stage.theatre.started[0])
    stage.tick(stage.at + timedelta(seconds=1))
    assert len(stage.theatre.started) == 3
    stage.theatre.end(stage.theatre.started[1])
    stage.theatre.end(stage.theatre.started[2])
    stage.tick(stage.at + timedelta(seconds=1))
    assert len(stage.theatre.started) == 5


def test_claims_that_were_not_begun_are_given_back():
    stage = Stage(b"* * * * * /bin/true\n")
    with clock.at(NOON):
        stage.loop.prepare((NOON + MINUTE).timestamp())
    assert Slot.objects.count() == 1
    stage.loop.release()
    assert not Slot.objects.exists()
    assert not Run.objects.exists()


def test_the_codes_that_are_named_and_no_others_have_succeeded():
    stage = Stage(b"# billclock: success=3,10-12 retries=1\n* * * * * /bin/true\n")
    for code in (3, 11, 0):
        stage.tick()
        stage.theatre.end(stage.theatre.started[-1], code)
    stage.tick()
    assert stage.outcomes()[:2] == ["succeeded", "succeeded"]
    assert Run.objects.get(exit_code=0).outcome == "failed"


@pytest.mark.parametrize(
    ("directive", "why"),
    [
        (b"user=no.such.user", "this machine has no user no.such.user"),
        (b'user="two words"', "this machine has no user two words"),
        (b"workdir=srv", "workdir= names no full path of a folder"),
    ],
)
def test_as_whom_and_where_it_runs_is_never_guessed(directive, why):
    stage = Stage(b"# billclock: " + directive + b"\n* * * * * /bin/true\n")
    stage.tick()
    assert stage.theatre.started == []
    assert stage.outcomes() == ["failed"]
    assert Run.objects.get().reason.startswith(why)
