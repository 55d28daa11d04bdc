"""Operations: tried, asked about, given to people, dropped; whatever the module does meanwhile."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from billclock import clock
from billclock.billing import changing, operations, orders, stopping
from billclock.billing.catalog import Module
from billclock.billing.configuration import Surroundings
from billclock.billing.errors import BillingError
from billclock.billing.orders import Wish
from billclock.billing.processing.base import Action, Condition, Order
from billclock.billing.processing.offered import make
from billclock.billing.processing.simulated.faults import Fault
from billclock.billing.processing.simulated.module import Simulated
from billclock.billing.processing.simulated.panel import Panel
from billclock.billing.services import Operation, Reason, Service, Status, Task
from tests.billing.company import TODAY, House, noon

pytestmark = pytest.mark.usefixtures("engine")

NOON = noon(TODAY)


@pytest.fixture
def panel(tmp_path: Path, settings: LazySettings) -> Panel:
    settings.DATA = tmp_path
    made = make("simulated", {}, Surroundings(lambda: NOON, tmp_path))
    assert isinstance(made, Simulated)
    return made.panel


@pytest.fixture
def house() -> House:
    made = House()
    Module.objects.update(plugin="simulated")
    return made


def ordered(house: House, money: int = 100_00) -> Service:
    with clock.at(NOON):
        return orders.order(house.account(money), Wish(house.products["monthly"]), on=TODAY)


def work(minutes: float = 0) -> list[str]:
    """Carry out what is due so many minutes after noon."""
    with clock.at(NOON + timedelta(minutes=minutes)):
        due = list(operations.due(clock.now()))
        return [str(operations.carry_out(operation)) for operation in due]


def seen(panel: Panel, service: Service, minutes: float = 600) -> Condition:
    at = NOON + timedelta(minutes=minutes)
    return panel.seen(Order("look", at, service.number, "")).condition


def running(house: House, panel: Panel) -> Service:
    service = ordered(house)
    assert work() == ["done"]
    assert seen(panel, service) is Condition.RUNNING
    return service


def test_what_is_ordered_is_made_and_its_facts_are_kept(house: House, panel: Panel):
    service = ordered(house)
    assert work() == ["done"]
    service.refresh_from_db()
    assert service.status == Status.ACTIVE
    assert service.parameters == {"address": f"{service.number}.test"}
    assert seen(panel, service) is Condition.RUNNING
    assert work(60) == []


def test_a_life_at_the_module(house: House, panel: Panel):
    service = running(house, panel)
    with clock.at(NOON):
        stopping.suspend(service, Reason.STAFF, on=TODAY)
    assert (work(), seen(panel, service)) == (["done"], Condition.STOPPED)
    service.refresh_from_db()
    assert service.status == Status.STOPPED
    with clock.at(NOON):
        stopping.lift(service, Reason.STAFF, on=TODAY, why="over")
    assert (work(), seen(panel, service)) == (["done"], Condition.RUNNING)
    house.product("big", prices={1: 20_00})
    with clock.at(NOON):
        changing.change(service, on=TODAY, by="ada", product=house.products["big"])
    assert work() == ["done"]
    assert panel.seen(Order("look", NOON, service.number, "")).product == "acme-big"
    with clock.at(NOON):
        changing.close(service, on=TODAY, why="done")
    assert (work(), seen(panel, service)) == (["done"], Condition.ABSENT)
    service.refresh_from_db()
    assert service.status == Status.DELETED


def test_what_fails_for_a_while_is_tried_after_longer_and_longer_waits(house: House, panel: Panel):
    service = ordered(house)
    panel.fail(*[Fault.TEMPORARY] * 4)
    tries = [minute for minute in range(180) if work(minute)]
    assert tries == [0, 1, 6, 21, 81]
    assert panel.times(Action.OPEN, service.number) == 1
    operation = service.operations.get()
    assert (operation.attempts, operation.state) == (5, "done")
    assert not Task.objects.exists()


def test_what_fails_for_good_is_a_task_once(house: House, panel: Panel):
    service = ordered(house)
    panel.fail(Fault.PERMANENT)
    assert work() == ["given up"]
    assert work(1000) == []
    task = Task.objects.get()
    assert (task.service, task.department) == (service, house.department)
    assert "the panel refuses it" in task.text
    service.refresh_from_db()
    assert service.status == Status.IN_PROGRESS


def test_what_fails_too_often_is_a_task(house: House, panel: Panel, settings: LazySettings):
    settings.OPERATION_TRIES = 3
    ordered(house)
    panel.fail(*[Fault.TEMPORARY] * 9)
    assert [work(minute) for minute in (0, 1, 6)] == [["queued"], ["queued"], ["given up"]]
    assert "after 3 tries" in Task.objects.get().text


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.LOST_REQUEST])
def test_a_lost_answer_is_asked_about_before_a_repeat(house: House, panel: Panel, fault: Fault):
    service = ordered(house)
    panel.fail(fault)
    assert work() == ["running"]
    assert work(1) == ["done"]
    assert panel.times(Action.OPEN, service.number) == 1
    assert seen(panel, service) is Condition.RUNNING


def test_what_takes_its_time_is_waited_for(house: House, panel: Panel):
    service = ordered(house)
    panel.fail(Fault.SLOW)
    outcomes = [work(minute) for minute in (0, 1, 6, 21)]
    assert outcomes == [["running"], ["running"], ["running"], ["done"]]
    assert panel.times(Action.OPEN, service.number) == 1


def test_a_call_cut_off_by_a_kill_is_asked_about_when_its_lease_is_over(house: House, panel: Panel):
    service = ordered(house)
    with clock.at(NOON):
        claim = operations._claim(service.operations.get())
    assert claim is not None
    panel.carry_out(Action.OPEN, claim.order)  # done, and then we were killed
    assert work(5) == []
    assert work(11) == ["done"]
    assert panel.times(Action.OPEN, service.number) == 1


def test_two_hands_never_have_the_same_operation(house: House, panel: Panel):
    service = ordered(house)
    with clock.at(NOON):
        assert operations._claim(service.operations.get()) is not None
        assert operations._claim(service.operations.get()) is None


def test_a_module_that_breaks_leaves_an_operation_that_is_asked_about(
    house: House, panel: Panel, caplog: pytest.LogCaptureFixture
):
    service = ordered(house)
    panel.file.write_bytes(b"this is no database" * 100)
    assert work() == ["running"]
    assert "DatabaseError" in service.operations.get().last_error
    panel.file.unlink()
    assert work(1) == ["done"]
    assert "Traceback" in caplog.text


def test_a_module_with_wrong_settings_is_a_task(house: House, panel: Panel):
    Module.objects.update(settings={"faults": "many"})
    ordered(house)
    assert work() == ["given up"]
    assert "'many' is none of none, calm, rough" in Task.objects.get().text


def test_people_do_what_no_machine_does(house: House, panel: Panel):
    Module.objects.update(plugin="manual")
    service = ordered(house)
    assert work() == ["given up"]
    operation = service.operations.get()
    assert operation.attempts == 0
    operations.done_by_hand(operation, by="bob", parameters={"rack": "B7"})
    service.refresh_from_db()
    assert (service.status, service.parameters) == (Status.ACTIVE, {"rack": "B7"})
    task = Task.objects.get()
    assert task.done_by == "bob"
    assert task.done_at is not None
    with pytest.raises(BillingError, match="is done; only what was given up"):
        operations.done_by_hand(operation, by="bob", parameters={})


def test_a_stop_that_people_have_not_done_is_dropped_with_its_task(house: House, panel: Panel):
    service = running(house, panel)
    Module.objects.update(plugin="manual")
    with clock.at(NOON):
        stopping.suspend(service, Reason.STAFF, on=TODAY)
        assert work() == ["given up"]
        stopping.lift(service, Reason.STAFF, on=TODAY, why="over")
    assert service.operations.get(action="suspend").state == "dropped"
    assert not service.operations.filter(action="resume").exists()
    assert Task.objects.get().done_by == "billclock"
    service.refresh_from_db()
    assert service.status == Status.ACTIVE


def test_a_stop_that_may_be_done_is_undone_by_the_module(house: House, panel: Panel):
    service = running(house, panel)
    with clock.at(NOON):
        stopping.suspend(service, Reason.STAFF, on=TODAY)
        panel.fail(Fault.LOST_ANSWER)
        assert work() == ["running"]
        stopping.lift(service, Reason.STAFF, on=TODAY, why="over")
    assert work(0) == []
    assert work(1) == ["done"]
    assert work(1) == ["done"]
    assert seen(panel, service) is Condition.RUNNING
    service.refresh_from_db()
    assert service.status == Status.ACTIVE


def test_what_is_closed_before_it_was_made_is_never_made(house: House, panel: Panel):
    service = ordered(house)
    with clock.at(NOON):
        changing.close(service, on=TODAY, why="a mistake")
    assert work() == []
    assert seen(panel, service) is Condition.ABSENT
    assert service.operations.get().state == "dropped"


def test_a_close_drops_what_waits(house: House, panel: Panel):
    service = running(house, panel)
    with clock.at(NOON):
        stopping.suspend(service, Reason.STAFF, on=TODAY)
        changing.close(service, on=TODAY, why="done")
    assert work() == ["done"]
    states = dict(service.operations.values_list("action", "state"))
    assert states == {"open": "done", "suspend": "dropped", "close": "done"}
    assert seen(panel, service) is Condition.ABSENT


def test_a_given_up_operation_is_tried_again_on_demand(house: House, panel: Panel):
    service = ordered(house)
    panel.fail(Fault.PERMANENT)
    assert work() == ["given up"]
    operation = service.operations.get()
    with clock.at(NOON):
        operations.again(operation)
    assert work() == ["done"]
    assert Task.objects.get().done_by == "billclock"
    with pytest.raises(BillingError, match="is done"):
        operations.again(operation)


@pytest.mark.parametrize("seed", range(6))
def test_in_a_rough_month_every_service_ends_as_the_books_say(
    house: House, panel: Panel, seed: int
):
    Module.objects.update(settings={"faults": "rough", "seed": str(seed)})
    services = [ordered(house) for _ in range(6)]
    for hour in range(40):
        at = NOON + timedelta(hours=hour)
        with clock.at(at):
            service = services[hour % 6]
            service.refresh_from_db()
            if service.stopped_for:
                stopping.lift(service, Reason.STAFF, on=at.date(), why="over")
            else:
                stopping.suspend(service, Reason.STAFF, on=at.date())
        for minute in range(0, 60, 12):
            work(hour * 60 + minute)
    for hour in range(40, 80):
        work(hour * 60)
    given_up = set(Operation.objects.filter(state="given up").values_list("service", flat=True))
    assert not Operation.objects.filter(state__in=("queued", "running")).exists()
    for service in services:
        service.refresh_from_db()
        wanted = Condition.STOPPED if service.stopped_for else Condition.RUNNING
        assert service.pk in given_up or seen(panel, service, 6000) is wanted
