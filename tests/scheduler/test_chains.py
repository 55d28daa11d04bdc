"""An entry that ended starts another: once, whatever is killed in between, and never in a ring."""

from datetime import timedelta

import pytest

from billclock import clock
from billclock.scheduler import pauses
from billclock.scheduler.models import Entry, Run
from billclock.scheduler.recovery import recover
from tests.scheduler.test_loop import Stage, Theatre

pytestmark = pytest.mark.django_db(databases=["default", "scheduler"])

SOON = timedelta(seconds=1)
CHAINED = b"""## Back up
# billclock: on-success=away on-failure=Alarm %s
* * * * * /bin/back-up
# billclock: name=away on-success=Tidy %s
0 0 1 1 * /bin/send
## Alarm
0 0 1 1 * /bin/alarm
## Tidy
0 0 1 1 * /bin/tidy
"""


class Killed(Theatre):
    """An executor that a new daemon begins with: nothing of the old one is there."""

    def adopt(self, order, pid, started):
        return False


def stage(first=b"", second=b""):
    made = Stage(CHAINED % (first, second))
    made.tick()
    return made


def ended(made, code=0, **more):
    made.theatre.end(made.theatre.started[-1], code, **more)
    made.tick(made.at + SOON)
    made.tick(made.at + SOON)


def told():
    """Give the runs in order: command, trigger, cause, attempt, outcome."""
    rows = Run.objects.order_by("id")
    return list(rows.values_list("entry__command", "trigger", "cause", "attempt", "outcome"))


def restarted(made):
    """Give what a new daemon makes of the database after a kill -9."""
    text = CHAINED % (b"", made.more) if hasattr(made, "more") else CHAINED % (b"", b"")
    again = Stage(text, made.at)
    again.theatre = again.loop.attempts.executor = Killed()
    with clock.at(made.at):
        recover(again.loop.attempts, again.theatre)
    return again


def test_each_link_starts_after_the_one_before_and_says_which():
    made = stage()
    ended(made)
    ended(made)
    ended(made)
    ids = list(Run.objects.order_by("id").values_list("id", flat=True))
    assert told() == [
        ("/bin/back-up", "schedule", None, 1, "succeeded"),
        ("/bin/send", "chain", ids[0], 1, "succeeded"),
        ("/bin/tidy", "chain", ids[1], 1, "succeeded"),
    ]


@pytest.mark.parametrize("how", [{"code": 3}, {"code": None, "timed_out": True}, {"code": None}])
def test_a_failure_starts_what_on_failure_names(how):
    ended(stage(), **how)
    assert told()[1][:2] == ("/bin/alarm", "chain")


def test_a_run_that_a_person_stopped_starts_nothing():
    made = stage()
    made.loop.attempts.stop(made.theatre.started[0], "stopped by me")
    made.tick(made.at + SOON)
    made.tick(made.at + SOON)
    assert len(told()) == 1


def test_the_last_of_several_tries_decides():
    made = stage(b"retries=1 backoff=5s")
    ended(made, 1)
    assert len(told()) == 1
    made.tick(made.at + timedelta(seconds=10))
    ended(made)
    assert [row[:2] for row in told()][2:] == [("/bin/send", "chain")]


def test_a_chained_run_is_tried_again_and_then_followed():
    made = stage(b"", b"retries=1 backoff=5s")
    ended(made)
    ended(made, 1)
    made.tick(made.at + timedelta(seconds=10))
    ended(made)
    first = Run.objects.earliest("id").pk
    again = Run.objects.get(attempt=2)
    assert told()[1:] == [
        ("/bin/send", "chain", first, 1, "failed"),
        ("/bin/send", "retry", first, 2, "succeeded"),
        ("/bin/tidy", "chain", again.pk, 1, ""),
    ]


def test_killed_before_the_ending_is_written_nothing_is_started_but_what_it_was_lost_for():
    made = stage()
    again = restarted(made)
    again.tick(made.at + SOON)
    assert [row[0] for row in told()] == ["/bin/back-up", "/bin/alarm"]
    assert [row[4] for row in told()] == ["lost", ""]


def test_killed_between_the_ending_and_the_start_it_starts_once():
    made = stage()
    made.theatre.end(made.theatre.started[0])
    with clock.at(made.at + SOON):
        made.loop.attempts.attend()
        made.loop.records.flush()  # and here it is killed
    again = restarted(made)
    again.tick(made.at + SOON)
    twice = restarted(again)
    twice.tick(again.at + SOON)
    commands = [row[0] for row in told()]
    assert commands.count("/bin/send") == 1
    assert len(again.theatre.started) == 1


def test_an_ending_that_can_not_be_written_starts_nothing_yet(monkeypatch):
    made = stage()
    made.theatre.end(made.theatre.started[0])
    monkeypatch.setattr(made.loop.records, "_write", broken)
    with clock.at(made.at + SOON):
        made.loop.attempts.attend()
        assert made.loop.records.flush() is not None
        made.loop.start(made.at.timestamp() + 1)
    assert len(told()) == 1
    monkeypatch.undo()
    made.tick(made.at + SOON)
    made.tick(made.at + SOON)
    assert [row[0] for row in told()] == ["/bin/back-up", "/bin/send"]


def broken():
    from django.db import DatabaseError

    raise DatabaseError("disk full")


def test_a_pause_holds_a_chained_run_too_and_says_so():
    made = stage()
    entry = Entry.objects.get(command="/bin/send")
    with clock.at(made.at):
        pauses.pause(f"entry:{entry.pk}", actor="me", until=None)
        made.loop.attempts.pauses.load()
    ended(made)
    last = Run.objects.latest("id")
    assert (last.trigger, last.outcome) == ("chain", "skipped")
    assert "paused" in last.reason


def test_a_name_that_leads_nowhere_is_the_run_s_reason():
    made = stage()
    made.put((CHAINED % (b"", b"")).replace(b"name=away", b""))
    ended(made)
    assert len(told()) == 1
    reason = Run.objects.get().reason
    assert reason == "on-success: no active entry of this table is called 'away'"


def test_a_ring_goes_round_once():
    made = stage()
    ring = (CHAINED % (b"", b"")).replace(b"on-success=Tidy", b'on-success="Back up"')
    made.put(ring)
    ended(made)
    ended(made)
    assert [row[0] for row in told()] == ["/bin/back-up", "/bin/send"]
    assert "come round" in Run.objects.latest("id").reason
