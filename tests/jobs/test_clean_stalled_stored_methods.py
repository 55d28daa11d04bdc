"""clean_stalled_stored_methods: setups without an end are asked about; a usable method stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billclock import clock
from billclock.billing import storing
from billclock.billing.payment_methods.simulated.faults import Call, Fault
from billclock.billing.payments import StoredMethod
from billclock.jobs import holding, registry
from billclock.jobs.report import Exit, Report
from tests.billing.tills import Till, scripted

START = datetime(2026, 11, 20, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
State = StoredMethod.State


@pytest.fixture(autouse=True)
def _night(engine, settings, tmp_path):
    settings.HOME = tmp_path
    with clock.at(START), scripted():
        yield


@pytest.fixture
def till() -> Till:
    till = Till()
    till.method.settings["page"] = "https://gateway.example"
    till.method.save()
    return till


def begun(till: Till, again: StoredMethod | None = None) -> StoredMethod:
    """Give a method whose page the client was sent to."""
    storing.begin(till.account, till.method, "https://us.example", again)
    return StoredMethod.objects.latest("changed_at")


def run(hours: float = 0, **how) -> Report:
    with clock.at(START + hours * HOUR):
        return registry.perform("clean_stalled_stored_methods", on=START.date(), **how)


def states() -> list[State]:
    return [State(s) for s in StoredMethod.objects.order_by("id").values_list("state", flat=True)]


def test_what_was_never_finished_is_forgotten_and_a_usable_method_stays(till: Till):
    with clock.at(START + HOUR):
        begun(till)
    assert run(24.5).text().endswith("0 done, 0 unchanged, 0 failed")
    assert states() == [State.USABLE, State.SETTING_UP]
    report = run(25)
    assert (report.done, report.exit_code) == (1, Exit.DONE)
    assert "forgotten" in report.text()
    assert states() == [State.USABLE]
    assert run(26).done == 0


def test_what_was_finished_and_never_told_of_is_kept(till: Till):
    with clock.at(START + HOUR):
        stored = begun(till)
        till.peer.decide(clock.now(), stored.setup_id)
    run(30)
    stored.refresh_from_db()
    assert stored.state == State.USABLE
    assert stored.token
    assert stored.masked


@pytest.mark.parametrize("before", [State.USABLE, State.FAILED, State.DISABLED])
def test_what_was_set_up_again_and_not_finished_is_as_before(till: Till, before: State):
    StoredMethod.objects.update(state=before)
    with clock.at(START + HOUR):
        begun(till, again=till.stored)
    assert states() == [State.SETTING_UP_AGAIN]
    run(30)
    assert states() == [before]


def test_a_gateway_that_does_not_answer_changes_nothing(till: Till):
    with clock.at(START + HOUR):
        stored = begun(till)
        begun(till)
    till.method.settings["address"] = "http://127.0.0.1:9"
    till.method.save()
    report = run(30)
    assert report.exit_code == Exit.FAILED
    assert report.failed[stored.setup_key] == "scripted: no connection"
    assert len(report.failed) == 2
    assert states() == [State.USABLE, State.SETTING_UP, State.SETTING_UP]


def test_a_setup_whose_request_was_lost_is_forgotten(till: Till):
    till.script(Call(Fault.LOST_REQUEST))
    with clock.at(START + HOUR), pytest.raises(Exception, match="no answer"):
        begun(till)
    assert states() == [State.USABLE, State.SETTING_UP]
    run(30)
    assert states() == [State.USABLE]


def test_a_rehearsal_and_an_explanation_change_nothing(till: Till):
    with clock.at(START + HOUR):
        stored = begun(till)
        begun(till)
    assert run(30, dry_run=True).unchanged == 2
    told = run(30, explain=stored.setup_key).text()
    assert f"{stored.setup_key}: Setting Up since 2026-11-20 03:00 UTC, at card" in told
    assert len(states()) == 3


@pytest.mark.parametrize("hours", ["0", "-1", "soon", "1.5", ""])
def test_hours_are_a_number_above_0(till: Till, hours: str):
    report = run(options={"hours": hours})
    assert report.exit_code == Exit.FAILED
    assert "give hours=24" in report.text()


def test_fewer_hours_find_more(till: Till):
    with clock.at(START + HOUR):
        begun(till)
    assert run(3, options={"hours": "2"}).done == 1


def test_of_two_runs_at_once_one_does_it(till: Till, settings):
    with holding.held(settings.HOME / "locks", "clean_stalled_stored_methods", ""):
        assert run().exit_code == Exit.BUSY
