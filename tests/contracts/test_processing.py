"""What every processing module keeps to, at its real panel or at one that behaves like it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from billclock.billing.configuration import Surroundings
from billclock.billing.errors import PluginSettingsError, ProcessingError
from billclock.billing.processing.base import Action, Condition, Seen, State
from billclock.billing.processing.offered import kinds, make
from billclock.billing.processing.simulated.faults import Fault, profile
from tests.contracts.processing import BEGIN, Bench, order, perform, simulated

BENCHES: dict[str, Callable[[Path], AbstractContextManager[Bench]]] = {"simulated": simulated}


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with BENCHES[request.param](tmp_path) as made:
        yield made


def done(bench: Bench, *actions: Action) -> None:
    for nth, action in enumerate(actions):
        assert perform(bench.module, action, order(f"before-{nth}")).state is State.DONE


def test_a_service_goes_through_its_life(bench: Bench):
    module = bench.module
    assert module.sync(order()).condition is Condition.ABSENT
    done(bench, Action.OPEN)
    assert module.sync(order()).condition is Condition.RUNNING
    assert module.suspend(order("stop")).state is State.DONE
    assert module.sync(order()).condition is Condition.STOPPED
    assert module.resume(order("go")).state is State.DONE
    assert module.sync(order()).condition is Condition.RUNNING
    assert module.close(order("end")).state is State.DONE
    assert module.sync(order()).condition is Condition.ABSENT


def test_a_change_is_seen_and_lets_the_service_stand_as_before(bench: Bench):
    done(bench, Action.OPEN, Action.SUSPEND)
    bigger = order("change", product="web-l", addons={"disk": 20})
    assert bench.module.change(bigger).state is State.DONE
    seen = bench.module.sync(bigger)
    assert (seen.condition, seen.product, dict(seen.addons)) == (
        Condition.STOPPED, "web-l", {"disk": 20},
    )  # fmt: skip
    assert seen.fulfils(Action.CHANGE, bigger)


@pytest.mark.parametrize("action", Action)
def test_the_same_order_again_does_no_more(bench: Bench, action: Action):
    if action is not Action.OPEN:
        done(bench, Action.OPEN)
    for _ in range(3):
        assert perform(bench.module, action, order("again")).state is State.DONE
    assert bench.times(action, "S1") == 1


@pytest.mark.parametrize("action", [Action.OPEN, Action.SUSPEND, Action.RESUME, Action.CLOSE])
def test_what_is_so_already_is_no_error(bench: Bench, action: Action):
    done(bench, Action.OPEN, action)
    assert perform(bench.module, action, order("other key")).state is State.DONE


@pytest.mark.parametrize("action", [Action.SUSPEND, Action.RESUME, Action.CHANGE])
def test_what_is_not_there_is_told_as_a_fault_that_stays(bench: Bench, action: Action):
    with pytest.raises(ProcessingError) as caught:
        perform(bench.module, action, order())
    assert not caught.value.retry
    assert "S1" in str(caught.value)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(("fault", "retry"), [(Fault.TEMPORARY, True), (Fault.PERMANENT, False)])
def test_an_error_means_that_nothing_was_done(
    bench: Bench, action: Action, fault: Fault, retry: bool
):
    if action is not Action.OPEN:
        done(bench, Action.OPEN)
    before = bench.module.sync(order())
    bench.fail(fault)
    with pytest.raises(ProcessingError) as caught:
        perform(bench.module, action, order("failing"))
    assert caught.value.retry is retry
    assert bench.module.sync(order()) == before
    assert bench.times(action, "S1") == (
        0 if action is not Action.OPEN else bench.times(action, "")
    )


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize(
    ("fault", "happened"), [(Fault.LOST_REQUEST, False), (Fault.LOST_ANSWER, True)]
)
def test_after_a_lost_answer_asking_tells_and_a_repeat_does_it_once(
    bench: Bench, action: Action, fault: Fault, happened: bool
):
    if action is not Action.OPEN:
        done(bench, Action.OPEN)
    if action is Action.RESUME:
        done(bench, Action.OPEN, Action.SUSPEND)
    wanted = order("lost", product="web-l")
    bench.fail(fault)
    assert perform(bench.module, action, wanted).state is State.UNKNOWN
    assert bench.module.sync(wanted).fulfils(action, wanted) is happened
    assert perform(bench.module, action, wanted).state is State.DONE
    assert bench.module.sync(wanted).fulfils(action, wanted)


@pytest.mark.parametrize("action", Action)
def test_what_takes_its_time_is_pending_then_done(bench: Bench, action: Action):
    if action is not Action.OPEN:
        done(bench, Action.OPEN)
    bench.fail(Fault.SLOW)
    wanted = order("slow", product="web-l")
    assert perform(bench.module, action, wanted).state is State.PENDING
    assert bench.module.sync(wanted).condition is Condition.BUSY
    later = order("slow", product="web-l", minutes=60)
    assert bench.module.sync(later).fulfils(action, later)


def test_a_service_is_found_again_by_its_address(bench: Bench):
    answer = bench.module.open(order())
    assert answer.parameters
    assert bench.module.sync(order()).parameters == answer.parameters


def test_asking_changes_nothing(bench: Bench):
    done(bench, Action.OPEN)
    first = bench.module.sync(order())
    assert bench.module.sync(order("other")) == first


def test_use_is_told_of_who_was_asked_about_and_asking_changes_nothing(bench: Bench):
    if not bench.module.features.measures:
        assert list(bench.module.usage([order()])) == []
        return
    done(bench, Action.OPEN)
    bench.use("S1", "disk", 7)
    bench.use("S2", "disk", 8)
    before = bench.module.sync(order())
    for _twice in range(2):
        told = [(use.service, use.addon, use.amount) for use in bench.module.usage([order()])]
        assert told == [("S1", "disk", 7)]
    assert list(bench.module.usage([])) == []
    assert list(bench.module.usage([order(service="S3")])) == []
    assert bench.module.sync(order()) == before


@pytest.mark.parametrize(("fault", "retry"), [(Fault.TEMPORARY, True), (Fault.PERMANENT, False)])
def test_use_that_cannot_be_told_is_an_error(bench: Bench, fault: Fault, retry: bool):
    if bench.module.features.measures:
        bench.fail(fault)
        with pytest.raises(ProcessingError) as caught:
            list(bench.module.usage([order()]))
        assert caught.value.retry is retry


def test_what_people_do_is_left_to_them(tmp_path: Path):
    module = make("manual", {}, Surroundings(lambda: BEGIN, tmp_path))
    assert not module.features.acts
    assert not module.features.tells
    assert not module.features.measures
    assert list(module.usage([order()])) == []
    for action in Action:
        with pytest.raises(ProcessingError, match="set its task done") as caught:
            perform(module, action, order())
        assert not caught.value.retry


def test_every_module_is_proved_here_or_does_nothing(tmp_path: Path):
    around = Surroundings(lambda: BEGIN, tmp_path)
    for name in kinds():
        assert name in BENCHES or not make(name, {}, around).features.acts


@pytest.mark.parametrize(
    ("name", "given", "fault"),
    [("simulated", {"faults": "many"}, "faults"), ("simulated", {"colour": "red"}, "colour"),
     ("nobody", {}, "kind"), ("manual", {"url": "x"}, "url")],
)  # fmt: skip
def test_wrong_settings_are_named(tmp_path: Path, name: str, given: dict[str, str], fault: str):
    with pytest.raises(PluginSettingsError) as caught:
        make(name, given, Surroundings(lambda: BEGIN, tmp_path))
    assert fault in caught.value.faults


def test_an_absent_service_fulfils_nothing_but_its_closing():
    gone = Seen(Condition.ABSENT)
    assert [action for action in Action if gone.fulfils(action, order())] == [Action.CLOSE]
    busy = Seen(Condition.BUSY)
    assert not [action for action in Action if busy.fulfils(action, order())]


def test_the_faults_of_a_rough_month_are_the_same_each_time():
    rough, again = profile("rough", "7"), profile("rough", "7")
    asked = [(act, f"op-{n}", nth) for act in Action for n in range(50) for nth in (1, 2)]
    fates = [rough.call(*question) for question in asked]
    assert fates == [again.call(*question) for question in asked]
    assert set(fates) == set(Fault)
    assert {rough.call("sync", f"op-{n}", 1) for n in range(200)} == {Fault.NONE, Fault.TEMPORARY}
